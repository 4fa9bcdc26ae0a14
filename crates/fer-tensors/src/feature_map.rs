//! The operations of the networks, on feature maps whose memory layout is the kernels' business.
//! In: images `[N, C, H, W]`. Out: feature maps, then `[N, C]`.

use burn::Tensor;
use burn::backend::Dispatch;
use burn::tensor::{DType, Device};

use crate::fallback;
use crate::kernel_ops::{KernelOps, Maybe};
use fer_kernels::InstructionSet;

/// A batch of feature maps, `N` images of `C` channels, `H` rows and `W` columns.
///
/// The memory layout depends on the device: `[N, H, W, C]` on Flex in f32, `[N, C, H, W]` elsewhere.
/// Gradients flow through every operation on an autodiff device.
#[derive(Clone, Debug)]
pub struct FeatureMap {
    tensor: Tensor<4>,
    layout: Axes,
}

/// Which axis varies fastest, and with it who computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Axes {
    /// `[N, H, W, C]`, our kernels.
    ChannelsLast,
    /// `[N, C, H, W]`, Burn's own operations.
    ChannelsFirst,
}

impl Axes {
    /// The one place that decides between our kernels and Burn's.
    fn for_tensor(tensor: &Tensor<4>) -> Self {
        if has_kernels(tensor) { Self::ChannelsLast } else { Self::ChannelsFirst }
    }
}

/// Whether our kernels compute on this tensor: Flex, with or without autodiff, in f32, on a processor where they are faster.
fn has_kernels(tensor: &Tensor<4>) -> bool {
    beats_burn() && tensor.device() == Device::flex() && tensor.dtype() == DType::F32
}

/// Ours on x86-64, where they were measured to be faster (docs/reports/speed.md).
///
/// An x86-64 without FMA is served by ours too: there `gemm`, under Burn, multiplies one value at a time.
/// On other processors Burn's, whose `gemm` has kernels for them (NEON), until somebody has measured ours there in
/// training: [`InstructionSet::select`] turns them on, for maps that are made afterwards.
fn beats_burn() -> bool {
    cfg!(target_arch = "x86_64") || InstructionSet::is_selected()
}

/// Panics unless `values` is `[C]`.
fn check_channels(what: &str, values: &Tensor<1>, n_channels: usize) {
    let [found] = values.dims();
    assert_eq!(
        found, n_channels,
        "{what}: found {found} values, expected one for each of {n_channels} channels"
    );
}

impl FeatureMap {
    /// Takes images `[N, C, H, W]`; with one channel this copies nothing.
    pub fn from_images(images: Tensor<4>) -> Self {
        let layout = Axes::for_tensor(&images);
        Self::from_nchw(images, layout)
    }

    fn from_nchw(images: Tensor<4>, layout: Axes) -> Self {
        let [n, n_channels, height, width] = images.dims();
        let tensor = match layout {
            Axes::ChannelsFirst => images,
            // One channel is in both orders at once, if the image is whole in memory.
            Axes::ChannelsLast if n_channels == 1 => images.reshape([n, height, width, 1]),
            Axes::ChannelsLast => images.permute([0, 2, 3, 1]),
        };
        Self { tensor, layout }
    }

    /// The feature map as `[N, C, H, W]`.
    pub fn to_nchw(self) -> Tensor<4> {
        match self.layout {
            Axes::ChannelsFirst => self.tensor,
            Axes::ChannelsLast => self.tensor.permute([0, 3, 1, 2]),
        }
    }

    /// `[N, C, H, W]`, whatever the memory layout is.
    pub fn dims(&self) -> [usize; 4] {
        let dims = self.tensor.dims();
        match self.layout {
            Axes::ChannelsFirst => dims,
            Axes::ChannelsLast => [dims[0], dims[3], dims[1], dims[2]],
        }
    }

    /// Convolution with `weight` `[O, I, k, k]` and `bias` `[O]`; the same stride and zero padding both ways.
    ///
    /// # Panics
    ///
    /// Panics when `I` is not the number of channels, the bias does not have `O` values, the stride is 0, a channel or pixel
    /// axis is empty, or the padded image is smaller than the kernel.
    pub fn conv2d(self, weight: Tensor<4>, bias: Option<Tensor<1>>, stride: usize, padding: usize) -> Self {
        let ([_, n_channels, ..], [n_outputs, n_inputs, ..]) = (self.dims(), weight.dims());
        assert_eq!(
            n_channels, n_inputs,
            "conv2d: the input has {n_channels} channels, the weight expects {n_inputs}"
        );
        assert!(stride > 0, "conv2d: stride 0, expected at least 1");
        if let Some(bias) = &bias {
            check_channels("conv2d, bias", bias, n_outputs);
        }
        match self.layout {
            Axes::ChannelsLast if stride <= 2 => {
                let bias = Maybe::new(bias.map(Tensor::into_dispatch));
                self.apply(|x| Dispatch::nhwc_conv2d(x, weight.into_dispatch(), bias, stride, padding))
            }
            layout => {
                Self::from_nchw(fallback::conv2d(self.to_nchw(), weight, bias, stride, padding), layout)
            }
        }
    }

    /// Each channel convolved with its own 3×3 kernel of `weight` `[C, 1, 3, 3]`, with a border of one zero.
    ///
    /// # Panics
    ///
    /// Panics when the weight is not of that shape, the stride is not 1 or 2, or a channel or pixel axis is empty.
    pub fn depthwise(self, weight: Tensor<4>, stride: usize) -> Self {
        let ([_, n_channels, height, width], found) = (self.dims(), weight.dims());
        assert_eq!(
            found,
            [n_channels, 1, 3, 3],
            "depthwise convolution: a weight of {found:?} for {n_channels} channels"
        );
        assert!((1..=2).contains(&stride), "depthwise convolution: stride {stride}, expected 1 or 2");
        assert!(
            n_channels * height * width > 0,
            "depthwise convolution: no channels or pixels in {:?}",
            self.dims()
        );
        match self.layout {
            Axes::ChannelsLast => self.apply(|x| Dispatch::nhwc_depthwise(x, weight.into_dispatch(), stride)),
            Axes::ChannelsFirst => {
                Self { tensor: fallback::depthwise(self.tensor, weight, stride), layout: self.layout }
            }
        }
    }

    /// Batch norm with the statistics of this batch, then `+ residual`, then ReLU, the last two if asked for.
    ///
    /// `gamma` and `beta` are `[C]`.
    /// Returns the batch mean and the biased batch variance too, `[C]` each and without gradient, for the running statistics.
    ///
    /// # Panics
    ///
    /// Panics when `gamma` or `beta` do not have one value per channel, the residual's shape, device or number type differs,
    /// or the batch is empty.
    pub fn batch_norm_train(
        self,
        gamma: Tensor<1>,
        beta: Tensor<1>,
        epsilon: f64,
        residual: Option<FeatureMap>,
        relu: bool,
    ) -> (Self, Tensor<1>, Tensor<1>) {
        let [n, n_channels, height, width] = self.dims();
        check_channels("batch norm, gamma", &gamma, n_channels);
        check_channels("batch norm, beta", &beta, n_channels);
        self.check_residual(residual.as_ref());
        assert!(n * height * width > 0, "batch norm: no pixels to take statistics of in {:?}", self.dims());
        match self.layout {
            Axes::ChannelsFirst => {
                let (normalized, mean, variance) =
                    fallback::batch_norm_train(self.tensor, gamma, beta, epsilon);
                let tensor = fallback::add_and_relu(normalized, residual.map(|r| r.tensor), relu);
                (Self { tensor, layout: self.layout }, mean, variance)
            }
            Axes::ChannelsLast => {
                let residual = Maybe::new(residual.map(|residual| residual.tensor.into_dispatch()));
                let (x, gamma, beta) =
                    (self.tensor.into_dispatch(), gamma.into_dispatch(), beta.into_dispatch());
                let (y, mean, variance) =
                    Dispatch::nhwc_batch_norm_train(x, gamma, beta, residual, epsilon, relu);
                let y = Self { tensor: Tensor::from_dispatch(y), layout: self.layout };
                (y, Tensor::from_dispatch(mean), Tensor::from_dispatch(variance))
            }
        }
    }

    /// Batch norm with running statistics, then `+ residual`, then ReLU, the last two if asked for.
    ///
    /// `gamma`, `beta`, `mean` and `variance` are `[C]`. For reading proper there is the folded network of fer-model.
    ///
    /// # Panics
    ///
    /// Panics when one of the four does not have one value per channel, or the residual's shape, device or number type differs.
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
        let [_, n_channels, ..] = self.dims();
        for (what, values) in [
            ("batch norm, gamma", &gamma),
            ("batch norm, beta", &beta),
            ("batch norm, mean", &mean),
            ("batch norm, variance", &variance),
        ] {
            check_channels(what, values, n_channels);
        }
        self.check_residual(residual.as_ref());
        if self.layout == Axes::ChannelsFirst {
            let normalized = fallback::batch_norm_eval(self.tensor, gamma, beta, mean, variance, epsilon);
            let tensor = fallback::add_and_relu(normalized, residual.map(|r| r.tensor), relu);
            return Self { tensor, layout: self.layout };
        }
        let scale = gamma / (variance + epsilon).sqrt();
        let shift = (beta - mean * scale.clone()).into_dispatch();
        let residual = Maybe::new(residual.map(|residual| residual.tensor.into_dispatch()));
        self.apply(|x| Dispatch::nhwc_affine(x, scale.into_dispatch(), shift, residual, relu))
    }

    /// Largest value of each 2×2 block, stride 2; an odd last row or column is dropped.
    pub fn max_pool2(self) -> Self {
        match self.layout {
            Axes::ChannelsFirst => Self { tensor: fallback::max_pool2(self.tensor), ..self },
            Axes::ChannelsLast => self.apply(Dispatch::nhwc_max_pool2),
        }
    }

    /// Mean of each 2×2 block, stride 2; an odd last row or column is dropped.
    pub fn avg_pool2(self) -> Self {
        match self.layout {
            Axes::ChannelsFirst => Self { tensor: fallback::avg_pool2(self.tensor), ..self },
            Axes::ChannelsLast => self.apply(Dispatch::nhwc_avg_pool2),
        }
    }

    /// Every place of every channel times its weight; `weights` are `[C, H, W]`, the same for all images.
    ///
    /// # Panics
    ///
    /// Panics when there is not a weight for each.
    pub fn weighted(self, weights: Tensor<3>) -> Self {
        let ([_, channels, height, width], found) = (self.dims(), weights.dims());
        let expected = [channels, height, width];
        assert_eq!(found, expected, "weights of places: found {found:?}, expected {expected:?} [C, H, W]");
        let weights = match self.layout {
            Axes::ChannelsFirst => weights,
            Axes::ChannelsLast => weights.permute([1, 2, 0]),
        };
        Self { tensor: self.tensor * weights.unsqueeze(), layout: self.layout }
    }

    /// Mean over rows and columns, `[N, C]`.
    ///
    /// # Panics
    ///
    /// Panics when there is no row, column or channel.
    pub fn global_avg_pool(self) -> Tensor<2> {
        let dims = self.dims();
        assert!(
            !dims[1..].contains(&0),
            "global mean: expected pixels and channels, found {dims:?} [N, C, H, W]"
        );
        match self.layout {
            Axes::ChannelsFirst => fallback::global_avg_pool(self.tensor),
            Axes::ChannelsLast => {
                Tensor::from_dispatch(Dispatch::nhwc_global_mean(self.tensor.into_dispatch()))
            }
        }
    }

    /// Panics unless the residual, if any, has this map's shape and order of axes.
    fn check_residual(&self, residual: Option<&FeatureMap>) {
        let Some(residual) = residual else { return };
        let (found, expected) = (residual.dims(), self.dims());
        assert_eq!(found, expected, "residual: found a map of {found:?}, expected {expected:?} [N, C, H, W]");
        assert_eq!(
            residual.layout, self.layout,
            "residual: on another device, or of another number type, than the map it is added to"
        );
    }

    fn apply(
        self,
        operation: impl FnOnce(burn::backend::DispatchTensor) -> burn::backend::DispatchTensor,
    ) -> Self {
        Self { tensor: Tensor::from_dispatch(operation(self.tensor.into_dispatch())), layout: self.layout }
    }
}
