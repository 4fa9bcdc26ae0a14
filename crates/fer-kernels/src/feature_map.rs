//! The operations of the networks, on feature maps whose memory layout is the kernels' business.
//! In: images `[N, C, H, W]`. Out: feature maps, then `[N, C]`.
//! Knows nothing of how an operation is computed: Flex kernels or [`fallback`].

use burn::Tensor;

use crate::fallback;

/// A batch of feature maps, `N` images of `C` channels, `H` rows and `W` columns.
///
/// The memory layout depends on the device: `[N, H, W, C]` on Flex in f32, `[N, C, H, W]` elsewhere.
/// Gradients flow through every operation on an autodiff device.
#[derive(Clone, Debug)]
pub struct FeatureMap {
    tensor: Tensor<4>,
}

impl FeatureMap {
    /// Takes images `[N, C, H, W]`; with one channel and on Flex this is a free reshape.
    pub fn from_images(images: Tensor<4>) -> Self {
        Self { tensor: images }
    }

    /// The feature map as `[N, C, H, W]`.
    pub fn to_nchw(self) -> Tensor<4> {
        self.tensor
    }

    /// `[N, C, H, W]`, whatever the memory layout is.
    pub fn dims(&self) -> [usize; 4] {
        self.tensor.dims()
    }

    /// Convolution with `weight` `[O, I, k, k]` and `bias` `[O]`; the same stride and zero padding both ways.
    ///
    /// # Panics
    ///
    /// Panics when `I` is not the number of channels, or the padded image is smaller than the kernel.
    pub fn conv2d(
        self,
        weight: Tensor<4>,
        bias: Option<Tensor<1>>,
        stride: usize,
        padding: usize,
    ) -> Self {
        Self {
            tensor: fallback::conv2d(self.tensor, weight, bias, stride, padding),
        }
    }

    /// Batch norm with the statistics of this batch, then `+ residual`, then ReLU, the last two if asked for.
    ///
    /// `gamma` and `beta` are `[C]`.
    /// Returns the batch mean and the biased batch variance too, `[C]` each and without gradient, for the running statistics.
    ///
    /// # Panics
    ///
    /// Panics when the residual's shape differs.
    pub fn batch_norm_train(
        self,
        gamma: Tensor<1>,
        beta: Tensor<1>,
        epsilon: f64,
        residual: Option<FeatureMap>,
        relu: bool,
    ) -> (Self, Tensor<1>, Tensor<1>) {
        let (normalized, mean, variance) =
            fallback::batch_norm_train(self.tensor, gamma, beta, epsilon);
        let tensor = fallback::add_and_relu(normalized, residual.map(|r| r.tensor), relu);
        (Self { tensor }, mean, variance)
    }

    /// Batch norm with running statistics, then `+ residual`, then ReLU, the last two if asked for.
    ///
    /// `gamma`, `beta`, `mean` and `variance` are `[C]`. For inference proper use [`crate::FoldedConv`].
    #[allow(clippy::too_many_arguments)] // Four statistics, and what is fused into the pass.
    pub fn batch_norm_eval(
        self,
        gamma: Tensor<1>,
        beta: Tensor<1>,
        mean: Tensor<1>,
        variance: Tensor<1>,
        epsilon: f64,
        residual: Option<FeatureMap>,
        relu: bool,
    ) -> Self {
        let normalized =
            burn::tensor::module::batch_norm(self.tensor, gamma, beta, mean, variance, epsilon);
        Self {
            tensor: fallback::add_and_relu(normalized, residual.map(|r| r.tensor), relu),
        }
    }

    /// Largest value of each 2×2 block, stride 2; an odd last row or column is dropped.
    pub fn max_pool2(self) -> Self {
        Self {
            tensor: fallback::max_pool2(self.tensor),
        }
    }

    /// Mean of each 2×2 block, stride 2; an odd last row or column is dropped.
    pub fn avg_pool2(self) -> Self {
        Self {
            tensor: fallback::avg_pool2(self.tensor),
        }
    }

    /// Mean over rows and columns, `[N, C]`.
    pub fn global_avg_pool(self) -> Tensor<2> {
        fallback::global_avg_pool(self.tensor)
    }

    /// `self + residual`, then ReLU, each if asked for.
    pub(crate) fn finish(self, residual: Option<FeatureMap>, relu: bool) -> Self {
        Self {
            tensor: fallback::add_and_relu(self.tensor, residual.map(|r| r.tensor), relu),
        }
    }
}
