//! Inference: feature maps, and convolutions with their batch norm folded in, residual and ReLU fused.
//! In: a trained convolution and the running statistics of its batch norm. Out: feature maps, no gradient.

use std::sync::Arc;

use crate::conv::{ConvShape, Epilogue, FoldedWeight};
use crate::depthwise::{self, DepthwiseShape, TapWeight};
use crate::pool::{self, Pool};

/// A batch of feature maps, `[N, H, W, C]`; a clone shares the floats.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    dims: [usize; 4],
    floats: Arc<Vec<f32>>,
}

impl Map {
    /// Of floats in the order `[N, H, W, C]`.
    ///
    /// # Panics
    ///
    /// Panics when there are not as many as `dims` says.
    #[must_use]
    pub fn new(dims: [usize; 4], floats: Vec<f32>) -> Self {
        let (found, expected) = (floats.len(), dims.iter().product::<usize>());
        assert_eq!(found, expected, "a map of {found} floats, expected {expected} for {dims:?} [N, H, W, C]");
        Self { dims, floats: Arc::new(floats) }
    }

    /// `[N, H, W, C]`.
    #[must_use]
    pub fn dims(&self) -> [usize; 4] {
        self.dims
    }

    /// The floats in the order `[N, H, W, C]`.
    #[must_use]
    pub fn floats(&self) -> &[f32] {
        &self.floats
    }

    /// Largest value of each 2×2 block, stride 2; an odd last row or column is dropped.
    #[must_use]
    pub fn max_pool2(&self) -> Self {
        self.pool2(Pool::Max)
    }

    /// Mean of each 2×2 block, stride 2; an odd last row or column is dropped.
    #[must_use]
    pub fn avg_pool2(&self) -> Self {
        self.pool2(Pool::Mean)
    }

    fn pool2(&self, kind: Pool) -> Self {
        let [n, height, width, n_channels] = self.dims;
        Self::new([n, height / 2, width / 2, n_channels], pool::forward(kind, self.dims, &self.floats))
    }

    /// Mean over rows and columns, `[N, C]`.
    ///
    /// # Panics
    ///
    /// Panics when there is no row, column or channel.
    #[must_use]
    pub fn global_mean(&self) -> Vec<f32> {
        let [_, height, width, n_channels] = self.dims;
        pool::global_mean(height * width, n_channels, &self.floats)
    }

    /// Sum over rows and columns, each place times its weight: `weights` are `[H, W, C]`; `[N, C]`.
    ///
    /// # Panics
    ///
    /// Panics when there is no row, column or channel, or not a weight for each.
    #[must_use]
    pub fn weighted_sum(&self, weights: &[f32]) -> Vec<f32> {
        let [_, height, width, n_channels] = self.dims;
        pool::weighted_sum(height * width, n_channels, &self.floats, weights)
    }
}

/// A trained batch norm, one value an output channel each.
#[derive(Clone, Copy, Debug)]
pub struct Norm<'a> {
    /// Scale, `[O]`.
    pub gamma: &'a [f32],
    /// Shift, `[O]`.
    pub beta: &'a [f32],
    /// Running mean, `[O]`.
    pub mean: &'a [f32],
    /// Running variance, `[O]`.
    pub variance: &'a [f32],
    /// Added to the variance.
    pub epsilon: f32,
}

/// A convolution for inference: batch norm folded into weight and bias once, at load.
///
/// `w' = w · γ / √(σ² + ε)` and `b' = β − μ · γ / √(σ² + ε)`, per output channel.
#[derive(Clone)]
pub struct FoldedConv {
    weight_dims: [usize; 4],
    weight: FoldedWeight,
    bias: Vec<f32>,
    stride: usize,
    padding: usize,
}

impl std::fmt::Debug for FoldedConv {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [outputs, inputs, kernel, _] = self.weight_dims;
        write!(f, "FoldedConv({inputs} → {outputs}, {kernel}×{kernel}, stride {})", self.stride)
    }
}

impl FoldedConv {
    /// Folds a batch norm into the bias-free convolution before it; `weight` is `[O, I, k, k]`.
    ///
    /// # Panics
    ///
    /// As [`FoldedConv::new`], and when a part of the norm does not have `O` values.
    #[must_use]
    pub fn fold(dims: [usize; 4], weight: &[f32], norm: Norm<'_>, stride: usize, padding: usize) -> Self {
        let n_outputs = dims[0];
        let Norm { gamma, beta, mean, variance, epsilon } = norm;
        for (what, values) in [("gamma", gamma), ("beta", beta), ("mean", mean), ("variance", variance)] {
            check_channels(what, values, n_outputs);
        }
        let scale: Vec<f32> =
            gamma.iter().zip(variance).map(|(gamma, variance)| gamma / (variance + epsilon).sqrt()).collect();
        let moved = mean.iter().zip(&scale).map(|(mean, scale)| mean * scale);
        let bias = beta.iter().zip(moved).map(|(beta, moved)| beta - moved).collect();
        let of_output = (weight.len() / n_outputs.max(1)).max(1);
        let scaled =
            weight.chunks(of_output).zip(&scale).flat_map(|(w, scale)| w.iter().map(move |w| w * scale));
        Self::new(dims, &scaled.collect::<Vec<f32>>(), bias, stride, padding)
    }

    /// A convolution with `weight` `[O, I, k, k]` and `bias` `[O]`; the weights are packed here, once.
    ///
    /// # Panics
    ///
    /// Panics when weight or bias do not have the size that `dims` says, the stride is not 1 or 2, or an axis of the
    /// weight is empty.
    #[must_use]
    pub fn new(dims: [usize; 4], weight: &[f32], bias: Vec<f32>, stride: usize, padding: usize) -> Self {
        check_channels("bias", &bias, dims[0]);
        let weight = FoldedWeight::new(dims, weight, stride, padding);
        Self { weight_dims: dims, weight, bias, stride, padding }
    }

    /// Convolution, `+ residual` if there is one, then ReLU if asked for.
    ///
    /// # Panics
    ///
    /// Panics when the channels of `x` are not the weight's, or the residual's shape is not the output's.
    #[must_use]
    pub fn forward(&self, x: &Map, residual: Option<&Map>, relu: bool) -> Map {
        let shape = ConvShape::new(x.dims, self.weight_dims, self.stride, self.padding);
        let [height, width] = shape.output();
        let dims = [shape.n, height, width, shape.n_outputs];
        if let Some(Map { dims: found, .. }) = residual {
            assert_eq!(
                *found, dims,
                "folded convolution: a residual of {found:?}, expected {dims:?} [N, H, W, C]"
            );
        }
        let residual = residual.map(|residual| residual.floats());
        let epilogue = Epilogue { bias: Some(&self.bias), residual, relu };
        Map::new(dims, self.weight.forward(&shape, &x.floats, epilogue))
    }
}

/// A depthwise 3×3 convolution for inference; the batch norm is that of the convolution behind it.
#[derive(Clone, Debug)]
pub struct FoldedDepthwise {
    n_channels: usize,
    weight: TapWeight,
    stride: usize,
}

impl FoldedDepthwise {
    /// Of `weight` `[C, 1, 3, 3]`.
    ///
    /// # Panics
    ///
    /// Panics when the weight does not have that size.
    #[must_use]
    pub fn new(n_channels: usize, weight: &[f32], stride: usize) -> Self {
        Self { n_channels, weight: TapWeight::new(weight, n_channels), stride }
    }

    /// Each channel by its own kernel, with a border of one zero.
    ///
    /// # Panics
    ///
    /// Panics when the channels of `x` are not the weight's.
    #[must_use]
    pub fn forward(&self, x: &Map) -> Map {
        let shape = DepthwiseShape::new(x.dims, [self.n_channels, 1, 3, 3], self.stride);
        Map::new(shape.output(), depthwise::forward_by_taps(shape, &x.floats, &self.weight))
    }
}

fn check_channels(what: &str, values: &[f32], n_channels: usize) {
    let found = values.len();
    assert_eq!(
        found, n_channels,
        "folded convolution, {what}: found {found} values, expected one for each of {n_channels} channels"
    );
}
