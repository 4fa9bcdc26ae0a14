//! The forward pass of a block, written once for the training form and the folded form.
//! In: a feature map, and convolutions that can be applied. Out: a feature map.

use fer_kernels::FeatureMap;

/// What follows the sum of a convolution, its batch norm and a residual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// ReLU.
    Relu,
    /// Nothing: the sum itself.
    Nothing,
}

/// A convolution with its batch norm, in whichever form.
pub(crate) trait ConvLayer {
    /// Convolution, batch norm, `+ residual`, then `after`;
    /// `[N, from, S, S]` to `[N, to, S / stride, S / stride]`.
    fn apply(&self, x: FeatureMap, residual: Option<FeatureMap>, after: After) -> FeatureMap;
}

/// What a block is made of, whoever owns the convolutions.
pub(crate) enum BlockParts<'a, C> {
    /// Convolutions in a row, then a 2×2 max-pool if `pool`.
    Plain { convs: &'a [C], pool: bool },
    /// Two convolutions around a shortcut, which is pooled to half its side if `halve`.
    Residual { first: &'a C, second: &'a C, shortcut: Option<&'a C>, halve: bool },
}

impl<C: ConvLayer> BlockParts<'_, C> {
    /// The block's feature map, `[N, from, S, S]` to `[N, width, S or S / 2, S or S / 2]`.
    pub(crate) fn forward(&self, x: FeatureMap) -> FeatureMap {
        match self {
            Self::Plain { convs, pool } => {
                let x = convs.iter().fold(x, |x, conv| conv.apply(x, None, After::Relu));
                if *pool { x.max_pool2() } else { x }
            }
            Self::Residual { first, second, shortcut, halve } => {
                let kept = match shortcut {
                    None => x.clone(),
                    Some(conv) if *halve => conv.apply(x.clone().avg_pool2(), None, After::Nothing),
                    Some(conv) => conv.apply(x.clone(), None, After::Nothing),
                };
                second.apply(first.apply(x, None, After::Relu), Some(kept), After::Relu)
            }
        }
    }
}
