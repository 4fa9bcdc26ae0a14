//! How the heads of a model become one reading: their weights, and the adjustment to rare labels.
//! In: a model of two heads, the validation split under both label sets. Out: a table, or the card written.

use fer_data::{LabelSet, Labels, Part, Samples, Split, argmax};
use fer_model::predict::combined_logits;
use fer_model::{ModelCard, Predictor, Tta};

use super::calibrate;
use crate::console::Watcher;
use crate::error::TrainError;
use crate::judge::confusion::ConfusionMatrix;
use crate::judge::input::Inputs;
use crate::train::heads::adjustment;

/// A way of combining two heads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Combination {
    /// Share of FER+'s head in the sum of the logits, `0..=1`; the rest is the other's.
    pub ferplus: f32,
    /// How much of the logarithm of a label's share of the training faces is taken from its logit, `0..`: 0 is
    /// nothing, 1 reads as if all labels were equally frequent (Menon et al. 2021, arXiv 2007.07314).
    pub adjust: f32,
}

/// Shares of FER+'s head that the table tries.
const SHARES: [f32; 6] = [0.0, 0.2, 0.4, 0.5, 0.6, 1.0];

/// Adjustments that the table tries.
const ADJUSTMENTS: [f32; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];

/// Faces with the heads' logits, one after the other, and what they are by one label set.
struct Read {
    labels: Labels,
    truth: Vec<usize>,
    rows: Vec<Vec<f32>>,
}

/// Combines the heads: writes `chosen` into the card and fits its temperatures anew, or without it shows what
/// each combination would give; returns what goes to stdout.
///
/// # Errors
/// [`TrainError::Usage`] for a model without two heads, one of them FER+'s, or without the votes;
/// [`TrainError`] as [`calibrate`].
pub fn combine(
    predictor: &Predictor,
    inputs: &Inputs,
    chosen: Option<Combination>,
    watcher: &mut Watcher<'_>,
) -> Result<String, TrainError> {
    let card = predictor.card();
    if card.heads.len() != 2 || card.heads[1].set != LabelSet::FerPlus {
        let reason = "there is nothing to combine: the model has not two heads, one of them FER+'s";
        return Err(TrainError::Usage(reason.to_owned()));
    }
    inputs.expect_votes("combining needs FER+'s votes: --ferplus fer2013new.csv")?;
    let train = inputs.load_train(&inputs.data, card, watcher.notice)?;
    if let Some(chosen) = chosen {
        let combined = predictor.clone().under_card(combined(card, chosen, &train));
        return calibrate(&combined, inputs, watcher);
    }
    let own = inputs.load(Part::Split(Split::Validation), card, watcher.notice)?.samples;
    let majority = own.clone().by_ferplus_majority().0;
    let n = [own.len(), majority.len()];
    let read = [read(predictor, &own)?, read(predictor, &majority)?];
    let mut table = format!(
        "{:>9}  {:>6}  {:>18}  {:>18}\n{:>9}  {:>6}  {:>9} {:>8}  {:>9} {:>8}\n",
        "",
        "",
        format!("{} (n {})", card.heads[0].set, n[0]),
        format!("majority (n {})", n[1]),
        "ferplus",
        "adjust",
        "top-1",
        "balanced",
        "top-1",
        "balanced",
    );
    let shares = log_shares(card, &train);
    for ferplus in SHARES {
        for adjust in ADJUSTMENTS {
            let card = combined_by(card, Combination { ferplus, adjust }, &shares);
            let [own, majority] = read.each_ref().map(|read| judge(read, &card));
            table += &format!(
                "{ferplus:>9}  {adjust:>6}  {:>9.2} {:>8.2}  {:>9.2} {:>8.2}\n",
                own[0], own[1], majority[0], majority[1],
            );
        }
    }
    Ok(table
        + "in per cent; balanced: mean recall of the reading's labels. --weight and --adjust write one.\n")
}

/// The card with its two heads combined so; `train` says how frequent the labels are.
#[must_use]
pub fn combined(card: &ModelCard, how: Combination, train: &Samples) -> ModelCard {
    combined_by(card, how, &log_shares(card, train))
}

/// Logarithms of the labels' shares of the training faces, a row a head.
fn log_shares(card: &ModelCard, train: &Samples) -> Vec<Vec<f32>> {
    card.heads.iter().map(|head| adjustment(train, head, 1.0)).collect()
}

fn combined_by(card: &ModelCard, how: Combination, log_shares: &[Vec<f32>]) -> ModelCard {
    let mut card = card.clone();
    let weights = [1.0 - how.ferplus, how.ferplus];
    for ((head, weight), shares) in card.heads.iter_mut().zip(weights).zip(log_shares) {
        head.weight = weight;
        head.offsets = match how.adjust {
            0.0 => Vec::new(),
            adjust => shares.iter().map(|share| -adjust * share).collect(),
        };
    }
    card
}

fn read(predictor: &Predictor, samples: &Samples) -> Result<Read, TrainError> {
    let mut rows = vec![Vec::new(); samples.len()];
    for head in &predictor.card().heads {
        let of_head = predictor.clone().of_head(head.set)?;
        let said = of_head.predict_each(samples.samples.iter().map(|sample| &sample.face), Tta::None);
        rows.iter_mut().zip(said).for_each(|(row, said)| row.extend(said.logits));
    }
    let truth = samples.samples.iter().map(|sample| sample.label).collect();
    Ok(Read { labels: samples.labels.clone(), truth, rows })
}

/// Accuracy and mean recall of the labels that are read, in per cent.
fn judge(read: &Read, card: &ModelCard) -> [f64; 2] {
    let place = |name: &String| read.labels.names().iter().position(|label| label == name);
    let places: Vec<Option<usize>> = card.labels.names().iter().map(place).collect();
    // What is read but no label of the truth counts as one more, wrong for every face.
    let n_labels = read.labels.len() + 1;
    let predicted = |row: &Vec<f32>| {
        argmax(&combined_logits(card, row)).and_then(|label| places[label]).unwrap_or(n_labels - 1)
    };
    let pairs = read.truth.iter().copied().zip(read.rows.iter().map(predicted));
    let matrix = ConfusionMatrix::from_pairs(n_labels, pairs);
    let recalls: Vec<f64> = places.iter().flatten().map(|&label| matrix.class(label).recall).collect();
    let balanced = recalls.iter().sum::<f64>() / recalls.len().max(1) as f64;
    [100.0 * matrix.accuracy(), 100.0 * balanced]
}
