//! The heads of a run: which logits, with what part of the loss.
//! In: a config and the training samples. Out: [`Head`]s in the order of the logits.

use fer_data::{LabelSet, Labels, Sample, Samples, Votes};
use fer_model::card::HeadCard;

use crate::config::{Config, LabelChoice};

/// One head while it is trained.
#[derive(Clone, Debug)]
pub struct Head {
    /// What the model card says of it.
    pub card: HeadCard,
    /// Its first logit.
    pub start: usize,
    /// Its part of the loss; all heads' together are 1.
    pub part: f32,
    /// Label smoothing.
    pub smoothing: f32,
    /// Added to its logits while training, one a label; empty: nothing.
    pub adjustment: Vec<f32>,
}

/// The heads of a config for data of these samples.
#[must_use]
pub fn heads(config: &Config, train: &Samples) -> Vec<Head> {
    let mut start = 0;
    let cards = cards(config.data.labels, &train.labels);
    let n = cards.len();
    let head = |(idx, card): (usize, HeadCard)| {
        let plus = config.train.ferplus_weight;
        let part = match (n, idx) {
            (1, _) => 1.0,
            (_, 0) => 1.0 - plus,
            _ => plus,
        };
        // Votes are soft already.
        let smoothing = if card.set == LabelSet::FerPlus { 0.0 } else { config.train.label_smoothing };
        let adjustment = adjustment(train, &card, config.train.logit_adjustment);
        let head = Head { start, part, smoothing, adjustment, card };
        start += head.card.labels.len();
        head
    };
    cards.into_iter().enumerate().map(head).collect()
}

/// A face's label distributions, head by head; a face without FER+ label leaves that head's at 0.
///
/// `target` is all 0, and as long as the heads' labels together.
pub(super) fn set_targets(heads: &[HeadCard], sample: &Sample, target: &mut [f32]) {
    let mut rest = target;
    for head in heads {
        let (own, behind) = rest.split_at_mut(head.labels.len());
        match head.set {
            LabelSet::FerPlus => {
                if let Some(shares) = sample.votes.as_ref().and_then(Votes::shares) {
                    own.copy_from_slice(&shares);
                }
            }
            LabelSet::Fer2013 | LabelSet::Own => own[sample.label] = 1.0,
        }
        rest = behind;
    }
}

/// The heads as a fresh model's card names them; two of them make a reading in equal parts.
fn cards(choice: LabelChoice, own: &Labels) -> Vec<HeadCard> {
    // The data's own labels are learnt from its samples, also where they are named as FER+'s are.
    let set = match own.set() {
        LabelSet::FerPlus => LabelSet::Own,
        set => set,
    };
    let first = |weight| HeadCard::new(set, own.clone(), weight);
    let second = |weight| HeadCard::new(LabelSet::FerPlus, Labels::ferplus(), weight);
    match choice {
        LabelChoice::Fer2013 => vec![first(1.0)],
        LabelChoice::FerPlus => vec![second(1.0)],
        LabelChoice::Both => vec![first(0.5), second(0.5)],
    }
}

/// `strength · ln(share)` of each label among the training faces.
pub(crate) fn adjustment(train: &Samples, card: &HeadCard, strength: f32) -> Vec<f32> {
    if strength == 0.0 {
        return Vec::new();
    }
    let mut mass = vec![0.0_f64; card.labels.len()];
    for sample in &train.samples {
        let mut target = vec![0.0; card.labels.len()];
        set_targets(std::slice::from_ref(card), sample, &mut target);
        mass.iter_mut().zip(target).for_each(|(mass, share)| *mass += f64::from(share));
    }
    let sum: f64 = mass.iter().sum();
    // A label without a face gets the weight of half a one.
    mass.iter().map(|&mass| strength * (mass.max(0.5) / sum).ln() as f32).collect()
}
