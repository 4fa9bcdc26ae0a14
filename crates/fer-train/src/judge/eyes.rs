//! What of a model is read, and by whose labels it is judged.
//! In: a predictor and samples as they were loaded. Out: both as they are to be judged.

use std::borrow::Cow;

use fer_data::{LabelSet, Labels, Samples};
use fer_model::card::HeadCard;
use fer_model::{ModelCard, Predictor, Tta};

use crate::console::Watcher;
use crate::error::TrainError;
use crate::judge::evaluate::{Evaluation, evaluate};
use crate::judge::input::Inputs;

/// Which head is read, and whose labels are the truth.
#[derive(Clone, Copy, Debug)]
pub struct Eyes {
    /// The data's own labels, or with [`LabelSet::FerPlus`] the majority of its raters.
    pub truth: LabelSet,
    /// The head that is read; `None`: all of them combined, as fer-live shows them.
    pub head: Option<LabelSet>,
}

impl Eyes {
    /// The predictor and the samples as they are to be judged.
    pub(super) fn on(
        self,
        predictor: &Predictor,
        samples: Samples,
        inputs: &Inputs,
        notice: &dyn Fn(&str),
    ) -> Result<(Predictor, Samples), TrainError> {
        let samples = match self.truth {
            LabelSet::FerPlus => majority(samples, inputs, notice)?,
            LabelSet::Fer2013 | LabelSet::Own => samples,
        };
        Ok((reading(predictor.clone(), self.head, &samples.labels)?, samples))
    }

    /// Which of several heads, in words, behind what was said before.
    pub(super) fn told(self, line: String, card: &ModelCard) -> String {
        match what_is_read(card, self.head) {
            Some(words) => format!("{line}; {words}"),
            None => line,
        }
    }
}

/// The faces under FER+'s labels, by the majority of its raters.
fn majority(samples: Samples, inputs: &Inputs, notice: &dyn Fn(&str)) -> Result<Samples, TrainError> {
    inputs.expect_votes("--labels ferplus needs the votes: --ferplus fer2013new.csv")?;
    let n = samples.len();
    let (samples, n_without) = samples.by_ferplus_majority();
    notice(&format!(
        "FER+: {} of {n} faces are judged; {n_without} have no majority of its raters for one of the eight labels",
        samples.len()
    ));
    Ok(samples)
}

/// Which of several heads, in words.
fn what_is_read(card: &ModelCard, head: Option<LabelSet>) -> Option<String> {
    let weight = |head: &HeadCard| format!("{} x {}", head.weight, head.set);
    match head {
        _ if card.heads.is_empty() => None,
        Some(head) => Some(format!("its {head} head alone")),
        None => {
            let parts: Vec<String> = card.heads.iter().map(weight).collect();
            Some(format!("its reading, the logits {}", parts.join(" + ")))
        }
    }
}

/// The faces by the majority of FER+'s raters, where that is what a reading means and votes were joined; those
/// whose label it does not know are left out, because no temperature makes them likelier.
pub(super) fn majority_for(
    predictor: &Predictor,
    head: Option<LabelSet>,
    samples: &Samples,
) -> Option<Samples> {
    let card = predictor.card();
    let heads = card.all_heads();
    let read = heads.iter().find(|part| head.is_none_or(|set| part.set == set))?;
    if card.label_set_of(head) != LabelSet::FerPlus || samples.samples.iter().all(|face| face.votes.is_none())
    {
        return None;
    }
    let mut majority = samples.clone().by_ferplus_majority().0;
    let names = majority.labels.names().to_vec();
    majority.samples.retain(|sample| read.labels.names().contains(&names[sample.label]));
    Some(majority)
}

/// The faces by the labels that a head, or with `None` the reading, means; `None` for FER+'s head where no
/// votes were joined.
pub(super) fn own_truth<'a>(
    predictor: &Predictor,
    head: Option<LabelSet>,
    samples: &'a Samples,
) -> Option<Cow<'a, Samples>> {
    match majority_for(predictor, head, samples) {
        Some(majority) => Some(Cow::Owned(majority)),
        None if head == Some(LabelSet::FerPlus) => None,
        None => Some(Cow::Borrowed(samples)),
    }
}

/// One head, or all; under the truth's labels where both know expressions: those that the head does not
/// score get probability 0.
pub(super) fn reading(
    predictor: Predictor,
    head: Option<LabelSet>,
    labels: &Labels,
) -> Result<Predictor, TrainError> {
    let predictor = match head {
        Some(head) => predictor.of_head(head)?,
        None => predictor,
    };
    let expressions = |labels: &Labels| labels.set() != LabelSet::Own;
    if expressions(labels) && expressions(predictor.labels()) {
        return Ok(predictor.under(labels));
    }
    Ok(predictor)
}

/// [`evaluate`], watched.
pub(super) fn run(
    predictor: &Predictor,
    samples: &Samples,
    tta: Tta,
    watcher: &mut Watcher<'_>,
) -> Result<Evaluation, TrainError> {
    evaluate(predictor, samples, tta, |n_done| (watcher.progress)(n_done, samples.len()))
}
