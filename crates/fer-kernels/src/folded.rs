//! Inference: a convolution with its batch norm folded in, residual and ReLU fused.
//! In: a trained convolution and the running statistics of its batch norm. Out: feature maps, no gradient.
//! Knows nothing of training.

use burn::Tensor;

use crate::FeatureMap;

/// A convolution for inference: batch norm folded into weight and bias once, at load.
///
/// `w' = w · γ / √(σ² + ε)` and `b' = β − μ · γ / √(σ² + ε)`, per output channel.
#[derive(Clone, Debug)]
pub struct FoldedConv {
    weight: Tensor<4>,
    bias: Tensor<1>,
    stride: usize,
    padding: usize,
}

impl FoldedConv {
    /// Folds a batch norm into the bias-free convolution before it.
    ///
    /// `weight` is `[O, I, k, k]`; `gamma`, `beta` and the running `mean` and `variance` are `[O]`.
    #[allow(clippy::too_many_arguments)] // The four vectors of a batch norm are one thing.
    pub fn fold(
        weight: Tensor<4>,
        gamma: Tensor<1>,
        beta: Tensor<1>,
        mean: Tensor<1>,
        variance: Tensor<1>,
        epsilon: f64,
        stride: usize,
        padding: usize,
    ) -> Self {
        let n_outputs = weight.dims()[0];
        let scale = gamma / (variance + epsilon).sqrt();
        let bias = beta - mean * scale.clone();
        Self::new(
            weight * scale.reshape([n_outputs, 1, 1, 1]),
            bias,
            stride,
            padding,
        )
    }

    /// A convolution with `weight` `[O, I, k, k]` and `bias` `[O]`.
    pub fn new(weight: Tensor<4>, bias: Tensor<1>, stride: usize, padding: usize) -> Self {
        Self {
            weight,
            bias,
            stride,
            padding,
        }
    }

    /// Convolution, `+ residual` if there is one, then ReLU if asked for.
    ///
    /// # Panics
    ///
    /// Panics when the channels of `x` are not the weight's, or the residual's shape is not the output's.
    pub fn forward(&self, x: FeatureMap, residual: Option<FeatureMap>, relu: bool) -> FeatureMap {
        x.conv2d(
            self.weight.clone(),
            Some(self.bias.clone()),
            self.stride,
            self.padding,
        )
        .finish(residual, relu)
    }
}
