//! The operations as an extension of Burn's backends: which one runs is decided by the tensors' device.
//! In: primitives of Flex, or of Flex with autodiff. Out: the same.

use burn::backend::{Backend, ExtensionType, Flex, backend_extension, tensor::FloatTensor};

use crate::flex;
use fer_kernels::pool::Pool;

/// A tensor that may be left out: Burn's extensions take enums, but not `Option`s.
#[derive(Debug, Clone, ExtensionType)]
pub(crate) enum Maybe<B: Backend> {
    /// There is one.
    Given(FloatTensor<B>),
    /// There is none.
    Absent,
}

impl<B: Backend> Maybe<B> {
    /// From an `Option`.
    pub(crate) fn new(tensor: Option<FloatTensor<B>>) -> Self {
        tensor.map_or(Self::Absent, Self::Given)
    }

    /// To an `Option`.
    pub(crate) fn given(self) -> Option<FloatTensor<B>> {
        match self {
            Self::Given(tensor) => Some(tensor),
            Self::Absent => None,
        }
    }
}

/// Operations on feature maps `[N, H, W, C]` in f32.
#[backend_extension(Flex, Autodiff)]
pub(crate) trait KernelOps: Backend {
    /// Convolution with `weight` `[O, I, kh, kw]` and `bias` `[O]`; stride 1 or 2.
    fn nhwc_conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        #[extension_type] bias: Maybe<Self>,
        stride: usize,
        padding: usize,
    ) -> FloatTensor<Self>;

    /// Depthwise 3×3 convolution with `weight` `[C, 1, 3, 3]`, a border of one zero; stride 1 or 2.
    fn nhwc_depthwise(x: FloatTensor<Self>, weight: FloatTensor<Self>, stride: usize) -> FloatTensor<Self>;

    /// Batch norm with the batch's own statistics, residual and ReLU; also the mean and biased variance, `[C]`, detached.
    fn nhwc_batch_norm_train(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        #[extension_type] residual: Maybe<Self>,
        epsilon: f64,
        relu: bool,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);

    /// `scale · x + shift`, `[C]` each, residual and ReLU.
    fn nhwc_affine(
        x: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        #[extension_type] residual: Maybe<Self>,
        relu: bool,
    ) -> FloatTensor<Self>;

    /// Largest of each 2×2 block.
    fn nhwc_max_pool2(x: FloatTensor<Self>) -> FloatTensor<Self>;

    /// Mean of each 2×2 block.
    fn nhwc_avg_pool2(x: FloatTensor<Self>) -> FloatTensor<Self>;

    /// Mean over each image, `[N, C]`.
    fn nhwc_global_mean(x: FloatTensor<Self>) -> FloatTensor<Self>;
}

impl KernelOps for Flex {
    fn nhwc_conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: Maybe<Self>,
        stride: usize,
        padding: usize,
    ) -> FloatTensor<Self> {
        let (x, weight, bias) =
            (flex::contiguous(x), flex::contiguous(weight), bias.given().map(flex::contiguous));
        let shape = flex::conv_shape(&x, &weight, stride, padding);
        flex::conv2d(&shape, &x, &weight, bias.as_ref())
    }

    fn nhwc_depthwise(x: FloatTensor<Self>, weight: FloatTensor<Self>, stride: usize) -> FloatTensor<Self> {
        let (x, weight) = (flex::contiguous(x), flex::contiguous(weight));
        flex::depthwise(flex::depthwise_shape(&x, &weight, stride), &x, &weight)
    }

    fn nhwc_batch_norm_train(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        residual: Maybe<Self>,
        epsilon: f64,
        relu: bool,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let (x, residual) = (flex::contiguous(x), residual.given().map(flex::contiguous));
        let norm = BatchNorm::new(&x, &flex::contiguous(gamma), &flex::contiguous(beta), epsilon);
        let y = flex::affine(x, &norm.scale, &norm.shift, residual.as_ref(), relu);
        let (mean, variance) = norm.into_statistics();
        (y, mean, variance)
    }

    fn nhwc_affine(
        x: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        residual: Maybe<Self>,
        relu: bool,
    ) -> FloatTensor<Self> {
        let (x, residual) = (flex::contiguous(x), residual.given().map(flex::contiguous));
        let (scale, shift) = (flex::contiguous(scale), flex::contiguous(shift));
        flex::affine(x, flex::floats(&scale), flex::floats(&shift), residual.as_ref(), relu)
    }

    fn nhwc_max_pool2(x: FloatTensor<Self>) -> FloatTensor<Self> {
        flex::pool2(Pool::Max, &flex::contiguous(x))
    }

    fn nhwc_avg_pool2(x: FloatTensor<Self>) -> FloatTensor<Self> {
        flex::pool2(Pool::Mean, &flex::contiguous(x))
    }

    fn nhwc_global_mean(x: FloatTensor<Self>) -> FloatTensor<Self> {
        flex::global_mean(&flex::contiguous(x))
    }
}

/// One batch norm's statistics, as vectors `[C]`.
#[derive(Debug, Clone)]
pub(crate) struct BatchNorm {
    /// Of the batch.
    pub(crate) mean: Vec<f32>,
    /// Of the batch, biased.
    pub(crate) variance: Vec<f32>,
    /// `1 / √(variance + ε)`.
    pub(crate) inverse_deviation: Vec<f32>,
    /// `γ / √(variance + ε)`.
    pub(crate) scale: Vec<f32>,
    /// `β - mean · scale`.
    pub(crate) shift: Vec<f32>,
}

impl BatchNorm {
    /// Measures `x` `[N, H, W, C]`; gamma and beta are `[C]`.
    ///
    /// # Panics
    ///
    /// Panics when a length is not `C`, or there is no pixel.
    pub(crate) fn new(
        x: &FloatTensor<Flex>,
        gamma: &FloatTensor<Flex>,
        beta: &FloatTensor<Flex>,
        epsilon: f64,
    ) -> Self {
        let (mean, variance) = flex::statistics(x);
        let (gamma, beta) = (flex::floats(gamma), flex::floats(beta));
        let (found, expected) = ((gamma.len(), beta.len()), (mean.len(), mean.len()));
        assert_eq!(found, expected, "batch norm: {found:?} values of gamma and beta, expected {expected:?}");
        let inverse = |variance: &f32| (1.0 / (f64::from(*variance) + epsilon).sqrt()) as f32;
        let inverse_deviation: Vec<f32> = variance.iter().map(inverse).collect();
        let scale: Vec<f32> =
            gamma.iter().zip(&inverse_deviation).map(|(gamma, inverse)| gamma * inverse).collect();
        let moved = mean.iter().zip(&scale).map(|(mean, scale)| mean * scale);
        let shift = beta.iter().zip(moved).map(|(beta, moved)| beta - moved).collect();
        Self { mean, variance, inverse_deviation, scale, shift }
    }

    /// Mean and variance as tensors.
    pub(crate) fn into_statistics(self) -> (FloatTensor<Flex>, FloatTensor<Flex>) {
        let n_channels = self.mean.len();
        (flex::tensor(self.mean, [n_channels]), flex::tensor(self.variance, [n_channels]))
    }
}
