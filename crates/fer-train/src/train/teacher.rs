//! Trained models → what they see in the faces of a step.
//! In: normalised, augmented faces, `[N, 1, 48, 48]`. Out: label distributions, `[N, n_logits]`.

use std::path::Path;

use burn::tensor::{Device, Tensor, activation::softmax};
use fer_model::card::HeadCard;
use fer_net::{Frozen, checkpoint::load_frozen};

use crate::{config::TeacherConfig, error::TrainError, train::heads::Head};

/// Models whose probabilities a student learns (Hinton et al. 2015, arXiv 1503.02531).
#[derive(Clone, Debug)]
pub struct Teacher {
    models: Vec<(Frozen, Vec<HeadCard>)>,
    /// The teachers' part of the loss, `0..=1`.
    pub weight: f32,
    /// Divides the logits of teachers and student.
    pub temperature: f32,
}

impl Teacher {
    /// The teachers of a config on a device without autodiff, or `None` where it names none.
    ///
    /// # Errors
    /// [`TrainError::Model`] when a folder is no model, [`TrainError::Config`] when no teacher has one of the
    /// student's heads.
    pub fn load(config: &TeacherConfig, heads: &[Head], device: &Device) -> Result<Option<Self>, TrainError> {
        if config.models.is_empty() || config.weight == 0.0 {
            return Ok(None);
        }
        let mut models = Vec::with_capacity(config.models.len());
        for folder in &config.models {
            let (net, card) = load_frozen(Path::new(folder), device)?;
            models.push((net, card.all_heads()));
        }
        let taught = |head: &Head| models.iter().any(|(_, known)| place(known, head).is_some());
        if let Some(head) = heads.iter().find(|head| !taught(head)) {
            let names = head.card.labels.names().join(", ");
            return Err(TrainError::Config {
                path: Path::new(&config.models[0]).to_owned(),
                reason: format!("teacher.models: expected one with the labels {names}, found none"),
            });
        }
        Ok(Some(Self { models, weight: config.weight, temperature: config.temperature }))
    }

    /// The teachers' mean probabilities, `[N, n_logits]`: the columns of each head sum to 1.
    #[must_use]
    pub fn targets(&self, images: Tensor<4>, heads: &[Head]) -> Tensor<2> {
        let logits: Vec<Tensor<2>> = self.models.iter().map(|(net, _)| net.forward(images.clone())).collect();
        let of_head = |head: &Head| {
            let known = self.models.iter().zip(&logits).filter_map(|((_, cards), logits)| {
                let start = place(cards, head)?;
                let own = logits.clone().narrow(1, start, head.card.labels.len());
                Some(softmax(own / self.temperature, 1))
            });
            let each: Vec<Tensor<2>> = known.collect();
            let n = each.len() as f32;
            let sum = each.into_iter().reduce(|sum, one| sum + one);
            sum.expect("Teacher::load found a teacher for every head") / n
        };
        Tensor::cat(heads.iter().map(of_head).collect(), 1)
    }
}

/// Where a head's logits begin among a model's, or `None` where no head has its labels.
pub(crate) fn place(known: &[HeadCard], head: &Head) -> Option<usize> {
    let at = known.iter().position(|other| other.labels == head.card.labels)?;
    Some(known[..at].iter().map(|other| other.labels.len()).sum())
}
