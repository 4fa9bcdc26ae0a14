//! The forward pass of a block, written once for the training form and the folded form.
//! In: a feature map, and convolutions that can be applied. Out: a feature map.

/// What follows the sum of a convolution, its batch norm and a residual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// ReLU.
    Relu,
    /// Nothing: the sum itself.
    Nothing,
}

/// A convolution with its batch norm, in whichever form.
pub trait ConvLayer {
    /// A batch of feature maps; a clone is cheap.
    type Map: Clone;

    /// Convolution, batch norm, `+ residual`, then `after`;
    /// `from` channels of side `S` to `to` channels of side `S / stride`.
    fn apply(&self, x: Self::Map, residual: Option<Self::Map>, after: After) -> Self::Map;

    /// Largest value of each 2×2 block, stride 2.
    fn max_pool2(x: Self::Map) -> Self::Map;

    /// Mean of each 2×2 block, stride 2.
    fn avg_pool2(x: Self::Map) -> Self::Map;
}

/// What a block is made of, whoever owns the convolutions.
#[derive(Debug)]
pub enum BlockParts<'a, C> {
    /// Convolutions in a row, then a 2×2 max-pool if `pool`.
    Plain {
        /// In order.
        convs: &'a [C],
        /// Whether a pool follows.
        pool: bool,
    },
    /// Two convolutions around a shortcut, which is pooled to half its side if `halve`.
    Residual {
        /// Of the stride.
        first: &'a C,
        /// Behind it.
        second: &'a C,
        /// Of 1×1, where size or width change.
        shortcut: Option<&'a C>,
        /// Whether the side is halved.
        halve: bool,
    },
}

impl<C: ConvLayer> BlockParts<'_, C> {
    /// The block's feature map: `from` channels of side `S` to `width` channels of side `S` or `S / 2`.
    pub fn forward(&self, x: C::Map) -> C::Map {
        match self {
            Self::Plain { convs, pool } => {
                let x = convs.iter().fold(x, |x, conv| conv.apply(x, None, After::Relu));
                if *pool { C::max_pool2(x) } else { x }
            }
            Self::Residual { first, second, shortcut, halve } => {
                let kept = match shortcut {
                    None => x.clone(),
                    Some(conv) if *halve => conv.apply(C::avg_pool2(x.clone()), None, After::Nothing),
                    Some(conv) => conv.apply(x.clone(), None, After::Nothing),
                };
                second.apply(first.apply(x, None, After::Relu), Some(kept), After::Relu)
            }
        }
    }
}
