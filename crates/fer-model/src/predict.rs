//! Faces → logits and probabilities: the one way a trained model is used.
//! In: faces. Out: a [`Prediction`] each, temperature applied, views averaged.

use std::{fmt::Debug, path::Path, sync::Arc};

use fer_data::face::{PIXELS, normalize};
use fer_data::{Face, LabelSet, Labels, argmax};

use crate::card::{HeadCard, ModelCard};
use crate::checkpoint::{self, Model, ModelFiles};
use crate::decide::{sigmoid, softmax};
use crate::error::ModelError;
use crate::net::FoldedNet;
use crate::tta::Tta;

/// Views that go through the network together unless told otherwise.
pub const DEFAULT_BATCH_SIZE: usize = 64;

/// What the network said of one face.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// Class scores in label order, unbounded, before the temperature; averaged over the views.
    pub logits: Vec<f32>,
    /// `softmax(logits / temperature)` in label order, summing to 1.
    pub probabilities: Vec<f32>,
    /// The verifier's probability, `0..=1`, that the crop shows a face at all; `None` without a verifier.
    pub face_score: Option<f32>,
}

impl Prediction {
    /// The prediction of a row of logits; `temperature` above 0.
    #[must_use]
    pub fn new(logits: Vec<f32>, temperature: f32) -> Self {
        let probabilities = softmax(&logits, f64::from(temperature)).into_iter().map(|p| p as f32).collect();
        Self { logits, probabilities, face_score: None }
    }

    /// The label index of the largest probability; the first of equals.
    ///
    /// A row with a NaN has no largest value (see [`argmax`]): its label is 0 and its
    /// [`Prediction::confidence`] NaN, which no threshold lets through. [`Prediction::is_finite`] tells.
    #[must_use]
    pub fn label(&self) -> usize {
        argmax(&self.logits).unwrap_or(0)
    }

    /// Whether the network said anything: false where a logit is NaN or infinite.
    #[must_use]
    pub fn is_finite(&self) -> bool {
        self.logits.iter().all(|logit| logit.is_finite())
    }

    /// The probability of [`Prediction::label`].
    #[must_use]
    pub fn confidence(&self) -> f32 {
        self.probabilities[self.label()]
    }
}

/// Logit of a label that no head scores: its probability is 0, and stays a number in a mean.
const ABSENT: f32 = -1e4;

/// How the logits of all heads become those of a prediction.
#[derive(Clone, Debug, PartialEq)]
struct HeadCombination {
    labels: Labels,
    /// For each label the logits it is made of, with their weights.
    columns: Vec<Vec<(usize, f32)>>,
    /// For each label what is added.
    offsets: Vec<f32>,
    /// Where the verifier's logit stands.
    verifier: Option<usize>,
}

/// What one view of a face gives: its labels' logits, and the verifier's.
#[derive(Clone, Debug)]
struct View {
    logits: Vec<f32>,
    verifier: Option<f32>,
}

impl HeadCombination {
    /// The reading (`None`), in which the heads' weights combine them, or one head as it is.
    fn new(card: &ModelCard, head: Option<LabelSet>) -> Option<Self> {
        let heads = card.all_heads();
        let first = |wanted: &HeadCard| head.is_none_or(|set| wanted.set == set);
        let labels = heads.iter().find(|head| first(head))?.labels.clone();
        let mut columns = vec![Vec::new(); labels.len()];
        let mut offsets = vec![0.0; labels.len()];
        let mut start = 0;
        for part in &heads {
            let weight = match head {
                Some(set) => f32::from(u8::from(part.set == set)),
                None => part.weight,
            };
            for (idx, name) in part.labels.names().iter().enumerate() {
                let label = labels.names().iter().position(|other| other == name);
                if let (Some(label), true) = (label, weight > 0.0) {
                    columns[label].push((start + idx, weight));
                    // A head on its own is read as it was trained.
                    let offset = part.offsets.get(idx).filter(|_| head.is_none());
                    offsets[label] += weight * offset.unwrap_or(&0.0);
                }
            }
            start += part.labels.len();
        }
        Some(Self { labels, columns, offsets, verifier: card.verifier.as_ref().map(|_| start) })
    }

    /// The same under another label list; labels that are not scored get [`ABSENT`].
    fn onto(&self, labels: &Labels) -> Self {
        let column = |name: &String| {
            let at = self.labels.names().iter().position(|other| other == name);
            at.map(|at| (self.columns[at].clone(), self.offsets[at])).unwrap_or_default()
        };
        let (columns, offsets) = labels.names().iter().map(column).unzip();
        Self { columns, offsets, labels: labels.clone(), verifier: self.verifier }
    }

    /// Logits of the prediction from those of the network.
    fn apply(&self, row: &[f32]) -> View {
        let logit = |(parts, offset): (&Vec<(usize, f32)>, &f32)| match parts.is_empty() {
            true => ABSENT,
            false => parts.iter().map(|&(at, weight)| row[at] * weight).sum::<f32>() + offset,
        };
        let logits = self.columns.iter().zip(&self.offsets).map(logit).collect();
        View { logits, verifier: self.verifier.map(|at| row[at]) }
    }
}

/// How the logits of a reading are made of those of the network: for each label, in the order of
/// [`ModelCard::labels`], pairs of a logit's place and its weight, and what is added.
#[must_use]
pub fn reading_of(card: &ModelCard) -> (Vec<Vec<(usize, f32)>>, Vec<f32>) {
    let HeadCombination { columns, offsets, .. } =
        HeadCombination::new(card, None).expect("a card has a head");
    (columns, offsets)
}

/// The logits of the reading under a card, in the order of [`ModelCard::labels`], from those of its heads, one
/// after the other: how another card would combine what was read once.
///
/// # Panics
/// If the row is shorter than the heads are wide.
#[must_use]
pub fn combined_logits(card: &ModelCard, row: &[f32]) -> Vec<f32> {
    let combination = HeadCombination::new(card, None).expect("a card has a head");
    HeadCombination { verifier: None, ..combination }.apply(row).logits
}

/// A trained network, wherever it computes.
pub trait Network: Debug + Send + Sync {
    /// Logits of normalised faces, `[N, 48, 48]` to `[N, n_logits]`, those of all heads.
    fn logits(&self, faces: Vec<f32>) -> Vec<f32>;
}

impl Network for FoldedNet {
    fn logits(&self, faces: Vec<f32>) -> Vec<f32> {
        Self::logits(self, faces)
    }
}

/// A trained model, ready to read faces; can be shared between threads.
#[derive(Clone, Debug)]
pub struct Predictor {
    net: Arc<dyn Network>,
    card: ModelCard,
    head: Option<LabelSet>,
    combination: HeadCombination,
    batch_size: usize,
}

impl From<Model> for Predictor {
    fn from(Model { net, card, .. }: Model) -> Self {
        Self::new(net, card)
    }
}

impl Predictor {
    /// Reads a model folder.
    ///
    /// # Errors
    /// As [`checkpoint::load`].
    pub fn load(folder: &Path) -> Result<Self, ModelError> {
        checkpoint::load(folder).map(Self::from)
    }

    /// Reads a model embedded in the program.
    ///
    /// # Errors
    /// As [`checkpoint::from_files`].
    pub fn from_bytes(files: ModelFiles<'_>) -> Result<Self, ModelError> {
        checkpoint::from_files(files).map(Self::from)
    }

    /// A predictor of a network that is described by `card`.
    #[must_use]
    pub fn new(net: impl Network + 'static, card: ModelCard) -> Self {
        let combination = HeadCombination::new(&card, None).expect("a card has a head");
        Self { net: Arc::new(net), card, head: None, combination, batch_size: DEFAULT_BATCH_SIZE }
    }

    /// The same network under another card of the same outputs: other heads' weights, other temperatures.
    #[must_use]
    pub fn under_card(self, card: ModelCard) -> Self {
        let combination = HeadCombination::new(&card, None).expect("a card has a head");
        Self { card, head: None, combination, ..self }
    }

    /// Reads one head as it is, instead of the reading in which all are combined.
    ///
    /// # Errors
    /// [`ModelError::Mismatch`] when the model has no such head.
    pub fn of_head(mut self, head: LabelSet) -> Result<Self, ModelError> {
        let Some(combination) = HeadCombination::new(&self.card, Some(head)) else {
            let known: Vec<&str> = self.card.all_heads().iter().map(|head| head.set.name()).collect();
            return Err(ModelError::Mismatch {
                origin: "model card".to_owned(),
                field: "head",
                expected: head.name().to_owned(),
                found: known.join(", "),
            });
        };
        (self.head, self.combination) = (Some(head), combination);
        Ok(self)
    }

    /// Gives its predictions under these labels, by name: labels that the model does not score have
    /// probability 0, labels that are not asked for are left out.
    #[must_use]
    pub fn under(mut self, labels: &Labels) -> Self {
        self.combination = self.combination.onto(labels);
        self
    }

    /// The head that is read; `None`: all of them combined.
    #[must_use]
    pub fn head(&self) -> Option<LabelSet> {
        self.head
    }

    /// What divides the logits before softmax, with these views.
    #[must_use]
    pub fn temperature(&self, tta: Tta) -> f32 {
        self.card.temperature_of(self.head, tta.name())
    }

    /// Sets how many views go through the network together, at least 1. Results do not depend on it.
    #[must_use]
    pub fn with_batch_size(mut self, n_views: usize) -> Self {
        self.batch_size = n_views.max(1);
        self
    }

    /// Views that go through the network together.
    #[must_use]
    pub fn batch_size(&self) -> usize {
        self.batch_size
    }

    /// The model's card.
    #[must_use]
    pub fn card(&self) -> &ModelCard {
        &self.card
    }

    /// Below this face score a crop is no face, `0..=1`; 0 without a verifier.
    #[must_use]
    pub fn face_threshold(&self) -> f32 {
        self.card.verifier.as_ref().map_or(0.0, |verifier| verifier.threshold)
    }

    /// The label set, in the order of logits and probabilities.
    #[must_use]
    pub fn labels(&self) -> &Labels {
        &self.combination.labels
    }

    /// Reads faces; one prediction a face, in their order.
    #[must_use]
    pub fn predict(&self, faces: &[Face], tta: Tta) -> Vec<Prediction> {
        self.predict_each(faces.iter(), tta)
    }

    /// Reads faces that lie apart, for instance in samples; one prediction a face, in their order.
    #[must_use]
    pub fn predict_each<'a>(
        &self,
        faces: impl ExactSizeIterator<Item = &'a Face>,
        tta: Tta,
    ) -> Vec<Prediction> {
        let mut views = Vec::with_capacity(faces.len() * tta.n_views());
        let mut inputs = Vec::with_capacity(self.batch_size * PIXELS);
        for face in faces {
            match tta {
                Tta::None => self.push(face, &mut inputs, &mut views),
                _ => tta.views(face).iter().for_each(|view| self.push(view, &mut inputs, &mut views)),
            }
        }
        self.flush(&mut inputs, &mut views);
        let temperature = self.temperature(tta);
        views.chunks(tta.n_views()).map(|views| self.average(views, temperature)).collect()
    }

    /// Adds a view to the batch, and runs the batch when it is full.
    fn push(&self, view: &Face, inputs: &mut Vec<f32>, views: &mut Vec<View>) {
        let mut input = [0.0; PIXELS];
        normalize(view, &mut input);
        inputs.extend_from_slice(&input);
        if inputs.len() == self.batch_size * PIXELS {
            self.flush(inputs, views);
        }
    }

    /// Runs the batch: `inputs` is `[n * 48 * 48]`, `n` views are added.
    fn flush(&self, inputs: &mut Vec<f32>, views: &mut Vec<View>) {
        if inputs.is_empty() {
            return;
        }
        let logits = self.net.logits(std::mem::take(inputs));
        views.extend(logits.chunks(self.card.n_logits()).map(|row| self.combination.apply(row)));
    }

    /// The prediction of a face from the logits of its views.
    ///
    /// Logits are averaged, not probabilities, so that the temperature means the same with and
    /// without views.
    fn average(&self, views: &[View], temperature: f32) -> Prediction {
        let n = views.len() as f32;
        let mut logits = vec![0.0; self.combination.labels.len()];
        for view in views {
            for (sum, logit) in logits.iter_mut().zip(&view.logits) {
                *sum += logit / n;
            }
        }
        let verifier: Option<f32> = views.iter().map(|view| view.verifier.map(|logit| logit / n)).sum();
        Prediction { face_score: verifier.map(sigmoid), ..Prediction::new(logits, temperature) }
    }
}
