//! A network for reading faces: batch norm folded into the convolutions, ReLU and shortcut fused.
//! In: a trained [`Net`]. Out: the same logits, faster.

use burn::{module::Module, nn::Linear, tensor::Tensor};
use fer_kernels::{FeatureMap, FoldedConv};

use super::{
    Net,
    forward::{After, BlockParts, ConvLayer},
    layer::{Block, ConvNorm},
    one_behind_another,
};

/// A network in inference form; agrees with its [`Net`] within 1e-4 on logits.
#[derive(Clone, Debug)]
pub struct FoldedNet {
    trunks: Vec<Vec<FoldedBlock>>,
    head: Linear,
}

#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // A network has a handful of blocks; boxes would save nothing.
enum FoldedBlock {
    Plain { convs: Vec<FoldedConv>, pool: bool },
    Residual { first: FoldedConv, second: FoldedConv, shortcut: Option<FoldedConv>, halve: bool },
}

impl FoldedNet {
    /// Folds a network with its running statistics.
    #[must_use]
    pub fn fold(net: &Net) -> Self {
        let net = if net.device().is_autodiff() { net.valid() } else { net.clone() };
        let trunks = net.trunks().map(|trunk| trunk.iter().map(fold_block).collect()).collect();
        Self { trunks, head: net.head }
    }

    /// Logits of normalised faces, `[N, 1, 48, 48]` to `[N, n_labels]`, unbounded, in label order.
    #[must_use]
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        fer_kernels::on_pool(|| self.head.forward(self.pooled(images)))
    }

    /// What all outputs are made of: the last feature map's means, `[N, 1, 48, 48]` to `[N, n_features]`.
    #[must_use]
    pub fn features(&self, images: Tensor<4>) -> Tensor<2> {
        fer_kernels::on_pool(|| self.pooled(images))
    }

    fn pooled(&self, images: Tensor<4>) -> Tensor<2> {
        let x = FeatureMap::from_images(images);
        let pooled = |trunk: usize| {
            let blocks = self.trunks[trunk].iter();
            blocks.fold(x.clone(), |x, block| block.parts().forward(x)).global_avg_pool()
        };
        one_behind_another(fer_kernels::map_tasks(self.trunks.len(), pooled))
    }
}

impl FoldedBlock {
    fn parts(&self) -> BlockParts<'_, FoldedConv> {
        match self {
            Self::Plain { convs, pool } => BlockParts::Plain { convs, pool: *pool },
            Self::Residual { first, second, shortcut, halve } => {
                BlockParts::Residual { first, second, shortcut: shortcut.as_ref(), halve: *halve }
            }
        }
    }
}

impl ConvLayer for FoldedConv {
    fn apply(&self, x: FeatureMap, residual: Option<FeatureMap>, after: After) -> FeatureMap {
        self.forward(x, residual, after == After::Relu)
    }
}

fn fold_block(block: &Block) -> FoldedBlock {
    match block.parts() {
        BlockParts::Plain { convs, pool } => {
            FoldedBlock::Plain { convs: convs.iter().map(fold_conv).collect(), pool }
        }
        BlockParts::Residual { first, second, shortcut, halve } => FoldedBlock::Residual {
            first: fold_conv(first),
            second: fold_conv(second),
            shortcut: shortcut.map(fold_conv),
            halve,
        },
    }
}

fn fold_conv(layer: &ConvNorm) -> FoldedConv {
    let device = layer.norm.gamma.device();
    FoldedConv::fold(
        layer.conv.weight.val(),
        layer.norm.gamma.val(),
        layer.norm.beta.val(),
        layer.norm.running_mean.value().to_device(&device),
        layer.norm.running_var.value().to_device(&device),
        layer.norm.epsilon,
        layer.stride(),
        layer.padding(),
    )
}
