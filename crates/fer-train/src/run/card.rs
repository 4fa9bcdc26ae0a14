//! A run's model card.
//! In: what the run was made of, and its best epoch. Out: the card, before anything is measured.

use fer_data::Samples;
use fer_model::card::{ModelCard, TrainingCard, sha256_hex};

use crate::{config::Config, run::environment::Environment, run::history::EpochRow, train::heads::Head};

/// The card of a run's best epoch, still without weights or measurements.
#[must_use]
pub(crate) fn card(
    config: &Config,
    environment: &Environment,
    (train, validation): (&Samples, &Samples),
    heads: &[Head],
    best: &EpochRow,
) -> ModelCard {
    let created = environment.started.get(..10).unwrap_or_default();
    let toml = config.to_toml();
    let [train_sha256, validation_sha256] = environment.data_sha256.clone();
    let heads = heads.iter().map(|head| head.card.clone()).collect();
    let mut card = ModelCard::with_heads(config.model.architecture, &config.model.plan(), heads, created);
    card.training = TrainingCard {
        command: environment.command.clone(),
        config_sha256: sha256_hex(toml.as_bytes()),
        config: toml,
        data: config.data.path.clone(),
        n_train: train.len(),
        n_validation: validation.len(),
        train_sha256,
        validation_sha256,
        seed: config.train.seed,
        n_epochs: config.train.epochs,
        epoch: best.epoch,
    };
    let which = if config.average.ema_decay > 0.0 { "averaged (EMA) weights" } else { "raw weights" };
    card.selection =
        format!("highest validation accuracy, epoch {} of {}, {which}", best.epoch, config.train.epochs);
    card
}
