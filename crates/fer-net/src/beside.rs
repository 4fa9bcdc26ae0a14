//! Several networks → one whose logits are the means of theirs.
//! In: networks of the same blocks. Out: one as wide as all of them, zero between its parts, or one of as many trunks.

use burn::{
    module::{Param, RunningState},
    nn::{BatchNorm, Linear, conv::Conv2d},
    tensor::Tensor,
};

use crate::layer::{Block, ConvNorm, Plain, Residual};
use crate::net::Net;

impl Net {
    /// One network of several that keep their trunks, an ensemble in one: its logits are the means of theirs, where
    /// one of several trunks counts as that many.
    ///
    /// `None` for no network, and where blocks or the heads' outputs differ.
    #[must_use]
    pub fn as_trunks(nets: &[Self]) -> Option<Self> {
        let first = nets.first()?;
        let kind = |net: &Self| (net.plan().blocks, net.n_labels(), net.standardizes);
        let expected = kind(first);
        if nets.iter().any(|net| kind(net) != expected) {
            return None;
        }
        Some(Self {
            blocks: nets.iter().flat_map(|net| net.blocks.iter().cloned()).collect(),
            n_trunks: nets.iter().map(|net| net.n_trunks).sum(),
            standardizes: first.standardizes,
            pool: all_pools(nets),
            dropout: first.dropout.clone(),
            head: mean_head(nets),
        })
    }

    /// One network of several that stand side by side: its widths are their sums, no weight leads from one to
    /// another, and its logits are the means of theirs. Training fills what is zero.
    ///
    /// A widening that keeps what was learnt, as in Net2Net (Chen et al. 2016, arXiv 1511.05641), and that
    /// begins as good as the networks' mean.
    ///
    /// `None` for no network or one of several trunks, and where blocks differ in more than their widths or heads
    /// in their outputs, or not all standardize faces.
    #[must_use]
    pub fn side_by_side(nets: &[Self]) -> Option<Self> {
        let (first, n_labels) = (nets.first()?, nets.first()?.n_labels());
        let (n_blocks, standardizes) = (first.blocks.len(), first.standardizes);
        let is_other = |net: &Self| net.blocks.len() != n_blocks || net.n_labels() != n_labels;
        if nets.iter().any(|net| net.n_trunks > 1 || is_other(net) || net.standardizes != standardizes) {
            return None;
        }
        let block = |idx| {
            let same: Vec<&Block> = nets.iter().map(|net| &net.blocks[idx]).collect();
            // All networks read the same image; behind the first block each reads what is its own.
            wide_block(&same, idx == 0)
        };
        let blocks = (0..first.blocks.len()).map(block).collect::<Option<Vec<_>>>()?;
        let (pool, dropout) = (all_pools(nets), first.dropout.clone());
        Some(Self { blocks, n_trunks: 1, standardizes, pool, dropout, head: mean_head(nets) })
    }
}

fn wide_block(blocks: &[&Block], reads_image: bool) -> Option<Block> {
    match blocks[0] {
        Block::Plain(Plain { convs, pool }) => {
            let of = |block: &&Block| match block {
                Block::Plain(plain) if plain.pool == *pool && plain.convs.len() == convs.len() => {
                    Some(plain.convs.clone())
                }
                _ => None,
            };
            let all: Vec<Vec<ConvNorm>> = blocks.iter().map(of).collect::<Option<_>>()?;
            let wide = |idx: usize| {
                let same: Vec<&ConvNorm> = all.iter().map(|convs| &convs[idx]).collect();
                wide_conv(&same, reads_image && idx == 0)
            };
            let convs = (0..convs.len()).map(wide).collect::<Option<_>>()?;
            Some(Block::Plain(Plain { convs, pool: *pool }))
        }
        Block::Residual(_) => {
            let of = |block: &&Block| match block {
                Block::Residual(residual) => Some(residual.clone()),
                Block::Plain(_) => None,
            };
            let all: Vec<Residual> = blocks.iter().map(of).collect::<Option<_>>()?;
            let firsts: Vec<_> = all.iter().map(|block| &block.first).collect();
            let seconds: Vec<_> = all.iter().map(|block| &block.second).collect();
            let shortcuts: Vec<_> = all.iter().filter_map(|block| block.shortcut.as_ref()).collect();
            let shortcut = match shortcuts.len() {
                0 => None,
                n if n == all.len() => Some(wide_conv(&shortcuts, reads_image)?),
                _ => return None,
            };
            let (first, second) = (wide_conv(&firsts, reads_image)?, wide_conv(&seconds, false)?);
            Some(Block::Residual(Residual { first, second, shortcut }))
        }
    }
}

fn wide_conv(convs: &[&ConvNorm], reads_image: bool) -> Option<ConvNorm> {
    let own = convs[0];
    let kind = |conv: &&ConvNorm| (conv.stride(), conv.conv.kernel_size, conv.depthwise.is_some());
    if reads_image && own.depthwise.is_some() {
        return None;
    }
    if convs.iter().any(|conv| kind(conv) != kind(&own)) {
        return None;
    }
    let weights: Vec<Tensor<4>> = convs.iter().map(|conv| conv.conv.weight.val()).collect();
    let weight = if reads_image { Tensor::cat(weights, 0) } else { block_diagonal(&weights) };
    let join = |values: fn(&BatchNorm) -> Tensor<1>| {
        Tensor::cat(convs.iter().map(|conv| values(&conv.norm)).collect(), 0)
    };
    let norm = BatchNorm {
        gamma: Param::from_tensor(join(|norm| norm.gamma.val())),
        beta: Param::from_tensor(join(|norm| norm.beta.val())),
        running_mean: RunningState::new(join(|norm| norm.running_mean.value())),
        running_var: RunningState::new(join(|norm| norm.running_var.value())),
        ..own.norm.clone()
    };
    let depthwise: Option<Vec<_>> =
        convs.iter().map(|conv| conv.depthwise.as_ref().map(|own| own.weight.val())).collect();
    let depthwise = depthwise.zip(own.depthwise.clone()).map(|(kernels, own)| {
        let weight = Tensor::cat(kernels, 0);
        let groups = weight.dims()[0];
        Conv2d { groups, weight: Param::from_tensor(weight), ..own }
    });
    let conv = Conv2d { weight: Param::from_tensor(weight), ..own.conv.clone() };
    Some(ConvNorm { depthwise, conv, norm })
}

/// Kernels `[to, from, side, side]` along the diagonal, zeros beside them.
fn block_diagonal(kernels: &[Tensor<4>]) -> Tensor<4> {
    let device = kernels[0].device();
    let rows = kernels.iter().enumerate().map(|(row, own)| {
        let [to, _, height, width] = own.dims();
        let part = |(column, other): (usize, &Tensor<4>)| {
            if column == row {
                return own.clone();
            }
            Tensor::zeros([to, other.dims()[1], height, width], &device)
        };
        Tensor::cat(kernels.iter().enumerate().map(part).collect(), 1)
    });
    Tensor::cat(rows.collect(), 0)
}

/// The weights of all networks' places, or `None` where all features are means.
fn all_pools(nets: &[Net]) -> Option<Param<Tensor<3>>> {
    let is_weighted = nets.iter().any(|net| net.pool.is_some());
    is_weighted.then(|| Param::from_tensor(Tensor::cat(nets.iter().map(Net::excess).collect(), 0)))
}

/// A head that reads all features and gives the mean of the heads' logits, every trunk's alike.
fn mean_head(nets: &[Net]) -> Linear {
    let n: usize = nets.iter().map(|net| net.n_trunks).sum();
    let share = |net: &Net| net.n_trunks as f32 / n as f32;
    let weights = nets.iter().map(|net| net.head.weight.val() * share(net)).collect();
    let biases = nets.iter().map(|net| {
        net.head.bias.as_ref().expect("every network of this crate has biases").val() * share(net)
    });
    let bias = biases.reduce(|sum, one| sum + one).map(Param::from_tensor);
    Linear { weight: Param::from_tensor(Tensor::cat(weights, 0)), bias }
}
