//! A convolution with its batch norm, and the blocks made of them, in training form.
//! In: a plan's widths and strides. Out: modules with fresh weights, and their blocks' parts.

use burn::{
    module::Module,
    nn::{
        BatchNorm, BatchNormConfig, Initializer, PaddingConfig2d,
        conv::{Conv2d, Conv2dConfig},
    },
    tensor::Device,
};
use fer_model::net::{After, BlockParts, BlockPlan, ConvLayer, EPSILON};
use fer_tensors::FeatureMap;

/// A bias-free convolution, batch norm, and what follows it; in a separable block behind a depthwise one.
///
/// Burn's own modules hold the parameters, so that initialisation and record names are Burn's; the
/// arithmetic is fer-tensors': fer-kernels on the CPU, Burn's elsewhere.
#[derive(Module, Debug)]
pub(crate) struct ConvNorm {
    pub(crate) depthwise: Option<Conv2d>,
    pub(crate) conv: Conv2d,
    pub(crate) norm: BatchNorm,
}

impl ConvNorm {
    /// A convolution `from → to` channels with a square kernel of side 1 or 3, size-preserving at stride 1.
    pub(crate) fn new(from: usize, to: usize, kernel: usize, stride: usize, device: &Device) -> Self {
        let conv = conv(Conv2dConfig::new([from, to], [kernel, kernel]), stride, device);
        let norm = BatchNormConfig::new(to).with_epsilon(EPSILON.into()).init(device);
        Self { depthwise: None, conv, norm }
    }

    /// A separable convolution `from → to` channels: each by its own 3×3 kernel, then all by a 1×1 convolution.
    pub(crate) fn separable(from: usize, to: usize, stride: usize, device: &Device) -> Self {
        let depthwise = Conv2dConfig::new([from, from], [3, 3]).with_groups(from);
        Self { depthwise: Some(conv(depthwise, stride, device)), ..Self::new(from, to, 1, 1, device) }
    }

    fn width(&self) -> usize {
        self.conv.weight.dims()[0]
    }

    pub(crate) fn stride(&self) -> usize {
        self.depthwise.as_ref().unwrap_or(&self.conv).stride[0]
    }

    pub(crate) fn padding(&self) -> usize {
        self.conv.kernel_size[0] / 2
    }
}

fn conv(config: Conv2dConfig, stride: usize, device: &Device) -> Conv2d {
    let padding = config.kernel_size[0] / 2;
    // Kaiming-normal over the fan-out with the gain of ReLU, as in He et al. 2015, arXiv 1502.01852.
    let initializer = Initializer::KaimingNormal { gain: std::f64::consts::SQRT_2, fan_out_only: true };
    config
        .with_stride([stride, stride])
        .with_padding(PaddingConfig2d::Explicit(padding, padding, padding, padding))
        .with_bias(false)
        .with_initializer(initializer)
        .init(device)
}

impl ConvLayer for ConvNorm {
    type Map = FeatureMap;

    fn max_pool2(x: FeatureMap) -> FeatureMap {
        x.max_pool2()
    }

    fn avg_pool2(x: FeatureMap) -> FeatureMap {
        x.avg_pool2()
    }

    fn apply(&self, x: FeatureMap, residual: Option<FeatureMap>, after: After) -> FeatureMap {
        let relu = after == After::Relu;
        let weight = self.conv.weight.val();
        let training = weight.device().is_autodiff() && self.norm.training.is_enabled();
        let x = match &self.depthwise {
            None => x,
            Some(own) => x.depthwise(own.weight.val(), own.stride[0]),
        };
        let x = x.conv2d(weight, None, self.conv.stride[0], self.padding());
        let (gamma, beta) = (self.norm.gamma.val(), self.norm.beta.val());
        // Clones of a network share their running statistics, which stay on whichever device moved last.
        if !training {
            let device = gamma.device();
            let mean = self.norm.running_mean.value().to_device(&device);
            let variance = self.norm.running_var.value().to_device(&device);
            return x.batch_norm_eval(gamma, beta, mean, variance, self.norm.epsilon, residual, relu);
        }
        let (x, mean, variance) = x.batch_norm_train(gamma, beta, self.norm.epsilon, residual, relu);
        let momentum = self.norm.momentum;
        for (running, batch) in [(&self.norm.running_mean, mean), (&self.norm.running_var, variance)] {
            let kept = running.value_sync().to_device(&batch.device()).mul_scalar(1.0 - momentum);
            running.update((kept + batch.detach().mul_scalar(momentum)).detach());
        }
        x
    }
}

/// One block of a network, see [`BlockPlan`].
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)] // A network has a handful of blocks; boxes would save nothing.
pub(crate) enum Block {
    /// Convolutions in a row.
    Plain(Plain),
    /// Two convolutions around a shortcut.
    Residual(Residual),
}

/// Convolutions in a row, then a 2×2 max-pool if asked for.
#[derive(Module, Debug)]
pub(crate) struct Plain {
    pub(crate) convs: Vec<ConvNorm>,
    #[module(skip)]
    pub(crate) pool: bool,
}

/// Two 3×3 convolutions, whole or separable, around a shortcut (average pool and 1×1 convolution where size or width change).
#[derive(Module, Debug)]
pub(crate) struct Residual {
    pub(crate) first: ConvNorm,
    pub(crate) second: ConvNorm,
    pub(crate) shortcut: Option<ConvNorm>,
}

impl Block {
    /// What the block is made of.
    pub(crate) fn plan(&self) -> BlockPlan {
        match self {
            Self::Plain(Plain { convs, pool }) => {
                BlockPlan::Plain { width: convs[0].width(), convs: convs.len(), pool: *pool }
            }
            Self::Residual(Residual { first, .. }) => {
                let (width, stride) = (first.width(), first.stride());
                match first.depthwise {
                    None => BlockPlan::Residual { width, stride },
                    Some(_) => BlockPlan::Separable { width, stride },
                }
            }
        }
    }

    /// The parts whose forward pass the block is.
    pub(crate) fn parts(&self) -> BlockParts<'_, ConvNorm> {
        match self {
            Self::Plain(Plain { convs, pool }) => BlockParts::Plain { convs, pool: *pool },
            Self::Residual(Residual { first, second, shortcut }) => {
                let halve = first.stride() == 2;
                BlockParts::Residual { first, second, shortcut: shortcut.as_ref(), halve }
            }
        }
    }
}
