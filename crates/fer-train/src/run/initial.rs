//! Models on disk → the network that a run starts from.
//! In: `model.init`, `model.beside` and `model.join`. Out: blocks, and a network with the run's heads.

use std::path::Path;

use burn::tensor::Device;
use fer_model::{
    ModelCard,
    net::{NetPlan, Pooling},
};
use fer_net::{Net, checkpoint};

use crate::{
    config::{Config, Join},
    error::TrainError,
    train::{heads::Head, teacher::place, weight_average::moved},
};

/// A config whose blocks are those of the models it starts from, where it names models and no blocks.
///
/// # Errors
/// [`TrainError::Model`] when a folder is no model, [`TrainError::Config`] when the config asks for another
/// architecture than its one model's, or when models beside one another cannot be joined.
pub fn with_blocks_of_init(mut config: Config) -> Result<Config, TrainError> {
    let model = &config.model;
    if model.init.is_empty() || !model.blocks.is_empty() {
        return Ok(config);
    }
    let folder = Path::new(&model.init);
    let nets = models(&config)?;
    let (expected, found) = (model.architecture.name(), &nets[0].1.architecture);
    if model.beside.is_empty() && expected != found {
        return Err(refused(folder, "architecture", expected, found));
    }
    let plan = joined(&config, nets.into_iter().map(|(net, _)| net))?.plan();
    (config.model.blocks, config.model.n_trunks) = (plan.blocks, plan.n_trunks);
    if config.model.pooling == Pooling::Mean {
        config.model.pooling = plan.pooling;
    }
    config.model.standardize |= plan.standardizes;
    Ok(config)
}

/// The network of `model.init` and those beside it with a run's heads, or `None` where a run starts afresh.
///
/// # Errors
/// As [`with_blocks_of_init`]; [`TrainError::Config`] also when a model lacks one of the heads.
pub fn initial_net(config: &Config, heads: &[Head]) -> Result<Option<Net>, TrainError> {
    if config.model.init.is_empty() {
        return Ok(None);
    }
    let folder = Path::new(&config.model.init);
    let nets = models(config)?;
    let nets = nets.iter().map(|(net, card)| with_heads(folder, net, card, heads));
    let mut net = joined(config, nets.collect::<Result<Vec<_>, _>>()?)?;
    if config.model.pooling == Pooling::Weighted {
        net = net.with_weighted_pooling();
    }
    if config.model.standardize {
        net = net.with_standardized_faces();
    }
    let (expected, found) = (config.model.plan().to_string(), net.plan().to_string());
    if expected != found {
        return Err(refused(folder, "blocks", &expected, &found));
    }
    Ok(Some(net))
}

fn models(config: &Config) -> Result<Vec<(Net, ModelCard)>, TrainError> {
    let folders = std::iter::once(&config.model.init).chain(&config.model.beside);
    folders.map(|folder| Ok(checkpoint::load(Path::new(folder), &Device::flex())?)).collect()
}

fn joined(config: &Config, nets: impl IntoIterator<Item = Net>) -> Result<Net, TrainError> {
    let mut nets: Vec<Net> = nets.into_iter().collect();
    if nets.len() == 1 {
        return Ok(nets.remove(0));
    }
    let plans: Vec<String> = nets.iter().map(|net| net.plan().to_string()).collect();
    let (net, expected) = match config.model.join {
        Join::Widths => (Net::side_by_side(&nets), "models of one trunk and the same up to their widths"),
        Join::Trunks => (Net::as_trunks(&nets), "models of the same"),
        Join::Weights => (mean_of_weights(nets), "models of the same"),
    };
    let folder = Path::new(&config.model.init);
    let net = net.ok_or_else(|| refused(folder, "blocks", expected, &plans.join("; ")))?;
    let n_trunks = net.plan().n_trunks;
    if n_trunks > NetPlan::MOST_TRUNKS {
        let expected = format!("at most {}", NetPlan::MOST_TRUNKS);
        return Err(refused(folder, "trunks", &expected, &n_trunks.to_string()));
    }
    Ok(net)
}

/// The mean of the networks' weights and batch-norm statistics, or `None` where their plans or heads differ.
fn mean_of_weights(nets: Vec<Net>) -> Option<Net> {
    let kind = |net: &Net| (net.plan(), net.n_labels());
    let expected = kind(nets.first()?);
    if nets.iter().any(|net| kind(net) != expected) {
        return None;
    }
    let mut nets = nets.into_iter();
    let first = nets.next()?;
    // Of `so_far` networks and one more, each counts alike.
    Some(
        (1..)
            .zip(nets)
            .fold(first, |mean, (so_far, net)| moved(mean, &net, f64::from(so_far) / f64::from(so_far + 1))),
    )
}

/// A model's network with the outputs of a run's heads alone, so without its verifier: that one is fitted after
/// training, on features that this run will change.
fn with_heads(folder: &Path, net: &Net, card: &ModelCard, heads: &[Head]) -> Result<Net, TrainError> {
    let known = card.all_heads();
    let columns = heads.iter().map(|head| {
        let start = place(&known, head)?;
        Some(start..start + head.card.labels.len())
    });
    let columns: Option<Vec<_>> = columns.collect();
    let columns = columns.ok_or_else(|| {
        let expected = heads.iter().map(|head| head.card.labels.names().join(", "));
        let found = known.iter().map(|head| head.labels.names().join(", "));
        let [expected, found] = [expected.collect::<Vec<_>>(), found.collect()].map(|each| each.join("; "));
        refused(folder, "labels", &expected, &found)
    })?;
    Ok(net.with_outputs(columns.into_iter().flatten()))
}

fn refused(folder: &Path, what: &str, expected: &str, found: &str) -> TrainError {
    let reason = format!("model.init: {what}: expected {expected}, found {found}");
    TrainError::Config { path: folder.to_owned(), reason }
}
