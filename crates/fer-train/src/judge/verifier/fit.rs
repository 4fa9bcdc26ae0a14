//! A column for the network's last layer: logistic regression on its features.
//! In: a network, crops that are faces and crops that are none. Out: [`Fitted`].

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::activation::log_sigmoid;
use burn::tensor::{Device, Tensor, TensorData};
use fer_data::Face;
use fer_data::face::{PIXELS, normalize};
use fer_model::FoldedNet;

use crate::console::Watcher;
use crate::error::TrainError;

/// Weights of the network's features, and a bias.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fitted {
    pub(super) weights: Vec<f32>,
    pub(super) bias: f32,
}

/// Faces that go through the network together.
const BATCH: usize = 128;

/// Steps of AdamW over all crops at once: the loss is convex, and still at its end.
const STEPS: usize = 1000;

/// Highest learning rate; it falls to 0 by a cosine.
const RATE: f64 = 0.05;

/// Decay of the weights, which are those of features of deviation 1.
const DECAY: f32 = 1e-3;

/// Crops of one kind.
pub(super) struct Crops {
    /// What they are, in words.
    pub(super) what: &'static str,
    /// Whether they are faces.
    pub(super) are_faces: bool,
    /// How much they count together, among those that are faces or among those that are none.
    pub(super) share: f32,
    /// The crops.
    pub(super) crops: Vec<Face>,
}

/// Rows of features, one after the other, with a sign each (1 for a face, -1 for none) and a weight.
#[derive(Default)]
struct FeatureRows {
    features: Vec<f32>,
    signs: Vec<f32>,
    weights: Vec<f32>,
}

/// Fits the column.
///
/// # Errors
/// [`TrainError::Interrupted`].
pub(super) fn fit(net: &FoldedNet, kinds: &[Crops], watcher: &mut Watcher<'_>) -> Result<Fitted, TrainError> {
    let n = kinds.iter().map(|kind| kind.crops.len()).sum();
    let mut rows = FeatureRows::default();
    for kind in kinds {
        let sign = if kind.are_faces { 1.0 } else { -1.0 };
        let weight = kind.share / kind.crops.len().max(1) as f32;
        for chunk in kind.crops.chunks(BATCH) {
            rows.features.extend(features(net, chunk));
            rows.signs.extend(chunk.iter().map(|_| sign));
            rows.weights.extend(chunk.iter().map(|_| weight));
            let n_done = rows.signs.len();
            if (watcher.progress)(n_done, n).is_break() {
                return Err(TrainError::Interrupted { n_done, n });
            }
        }
    }
    Ok(regress(rows))
}

/// The features of some crops, one row a crop.
fn features(net: &FoldedNet, crops: &[Face]) -> Vec<f32> {
    let mut inputs = vec![0.0; crops.len() * PIXELS];
    let (rows, _) = inputs.as_chunks_mut::<PIXELS>();
    rows.iter_mut().zip(crops).for_each(|(row, face)| normalize(face, row));
    net.features(inputs)
}

/// Logistic regression; features are scaled by those of faces.
fn regress(rows: FeatureRows) -> Fitted {
    let FeatureRows { mut features, signs, weights } = rows;
    let n = signs.len();
    let n_features = features.len() / n;
    let scale = Scale::of(&features, &signs, n_features);
    features.chunks_mut(n_features).for_each(|row| scale.apply(row));
    let device = Device::flex().autodiff();
    let matrix = |values: Vec<f32>, columns: usize| {
        Tensor::<2>::from_data(TensorData::new(values, [n, columns]), &device)
    };
    let (x, signs, weights) = (matrix(features, n_features), matrix(signs, 1), matrix(weights, 1));
    let zeros = Linear {
        weight: Param::from_tensor(Tensor::zeros([n_features, 1], &device)),
        bias: Some(Param::from_tensor(Tensor::zeros([1], &device))),
    };
    let mut optimizer = AdamWConfig::new().with_weight_decay(DECAY).init();
    let mut model = zeros;
    for step in 0..STEPS {
        let rate = RATE * (1.0 + (std::f64::consts::PI * step as f64 / STEPS as f64).cos()) / 2.0;
        let likelihood = log_sigmoid(model.forward(x.clone()) * signs.clone()) * weights.clone();
        let gradients = GradientsParams::from_grads(likelihood.sum().neg().backward(), &model);
        model = optimizer.step(rate, model, gradients);
    }
    let values = |tensor: burn::tensor::TensorData| -> Vec<f32> { tensor.iter::<f32>().collect() };
    let model = model.valid();
    let weights = values(model.weight.val().into_data());
    let bias = values(model.bias.expect("it was made with one").val().into_data())[0];
    scale.undo(weights, bias)
}

/// Mean and deviation of every feature over the faces.
struct Scale {
    mean: Vec<f32>,
    deviation: Vec<f32>,
}

impl Scale {
    fn of(features: &[f32], signs: &[f32], n_features: usize) -> Self {
        let n = signs.iter().filter(|&&sign| sign > 0.0).count() as f64;
        let (mut sum, mut squares) = (vec![0.0_f64; n_features], vec![0.0_f64; n_features]);
        for (row, _) in features.chunks(n_features).zip(signs).filter(|(_, sign)| **sign > 0.0) {
            for ((sum, squares), &value) in sum.iter_mut().zip(&mut squares).zip(row) {
                *sum += f64::from(value);
                *squares += f64::from(value) * f64::from(value);
            }
        }
        let mean: Vec<f64> = sum.iter().map(|sum| sum / n).collect();
        let variance = |(squares, mean): (&f64, &f64)| (squares / n - mean * mean).max(0.0);
        // A feature that never stirs says nothing, and is not blown up.
        let deviation = squares.iter().zip(&mean).map(variance).map(|v| v.sqrt().max(1e-3) as f32).collect();
        Self { mean: mean.into_iter().map(|mean| mean as f32).collect(), deviation }
    }

    fn apply(&self, row: &mut [f32]) {
        for ((value, mean), deviation) in row.iter_mut().zip(&self.mean).zip(&self.deviation) {
            *value = (*value - mean) / deviation;
        }
    }

    /// The same line on features that are not scaled.
    fn undo(&self, mut weights: Vec<f32>, bias: f32) -> Fitted {
        let mut shift = 0.0;
        for ((weight, mean), deviation) in weights.iter_mut().zip(&self.mean).zip(&self.deviation) {
            *weight /= deviation;
            shift += *weight * mean;
        }
        Fitted { weights, bias: bias - shift }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_between_two_clouds_is_found_in_features_as_they_are() {
        // Faces lie about (300, 2), the others about (260, 2); the third feature is always 7.
        let row = |idx: usize| {
            let wobble = [(idx * 37 % 21) as f32 - 10.0, (idx * 53 % 17) as f32 / 17.0];
            let middle = if idx < 60 { 300.0 } else { 260.0 };
            [middle + wobble[0], 2.0 + wobble[1], 7.0]
        };
        let features: Vec<f32> = (0..160).flat_map(row).collect();
        let signs: Vec<f32> = (0..160).map(|idx| if idx < 60 { 1.0 } else { -1.0 }).collect();
        let weights = signs.iter().map(|&sign| if sign > 0.0 { 1.0 / 60.0 } else { 1.0 / 100.0 }).collect();
        let Fitted { weights, bias } = regress(FeatureRows { features: features.clone(), signs, weights });
        let score = |row: &[f32]| row.iter().zip(&weights).map(|(x, w)| x * w).sum::<f32>() + bias;
        for (idx, row) in features.chunks(3).enumerate() {
            assert_eq!(score(row) > 0.0, idx < 60, "row {idx}: {row:?} scores {}", score(row));
        }
        // However many there are of each, the line lies midway.
        assert!(score(&[280.0, 2.5, 7.0]).abs() < 1.5, "{}", score(&[280.0, 2.5, 7.0]));
    }
}
