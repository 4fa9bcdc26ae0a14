//! What a network is made of, before any weight exists.
//! In: a preset's name. Out: its blocks, parameters and multiply-accumulates.

use fer_data::face::SIDE;
use serde::{Deserialize, Serialize};

/// A named network preset. All read `[N, 1, 48, 48]` normalised faces.
///
/// `tiny`, `small` and `base` are residual networks of plain 3×3 convolutions (He et al. 2015,
/// arXiv 1512.03385, with the average-pooled shortcut of He et al. 2018, arXiv 1812.01187);
/// `vgg` is the classic of pairs of convolutions and pooling (Simonyan & Zisserman 2014, arXiv
/// 1409.1556) with batch norm. Widths are multiples of 16, one AVX-512 register of channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Architecture {
    /// At most 100 k parameters: for phones, games and robots.
    Tiny,
    /// Under 1 M parameters and 60 M multiply-accumulates: the default.
    Small,
    /// At most 5 M parameters and 250 M multiply-accumulates.
    Base,
    /// 3×3 pairs at 64, 128, 256 and 512 channels.
    Vgg,
}

/// One block of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum BlockPlan {
    /// `convs` 3×3 convolutions of `width` channels, each with batch norm and ReLU, then a 2×2
    /// max-pool if `pool`.
    Plain {
        /// Output channels.
        width: usize,
        /// How many convolutions.
        convs: usize,
        /// Whether a 2×2 max-pool follows.
        pool: bool,
    },
    /// Two 3×3 convolutions around a shortcut.
    Residual {
        /// Output channels.
        width: usize,
        /// Stride of the first convolution, 1 or 2.
        stride: usize,
    },
    /// The same of separable convolutions: each channel by its own 3×3 kernel, then all by a 1×1 convolution,
    /// with a ninth of the parameters (Chollet 2016, arXiv 1610.02357).
    Separable {
        /// Output channels.
        width: usize,
        /// Stride of the first convolution, 1 or 2.
        stride: usize,
    },
}

/// How the last feature map becomes features, one a channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    /// The mean over all places.
    #[default]
    Mean,
    /// The mean in which every place of every channel has a learnt weight: in a face that was cut out, a place means
    /// something (global depthwise convolution of MobileFaceNets, Chen et al. 2018, arXiv 1804.07573).
    Weighted,
}

/// What a network is made of: equal trunks side by side, which read the same face and meet in one head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetPlan {
    /// The blocks of one trunk in order; pooling follows them.
    pub blocks: Vec<BlockPlan>,
    /// How many trunks, from 1.
    pub n_trunks: usize,
    /// What follows the blocks.
    pub pooling: Pooling,
    /// Whether each face is brought to mean 0 and deviation 1 before the blocks, so that light and contrast need not
    /// be learnt.
    pub standardizes: bool,
}

const fn residual(width: usize, stride: usize) -> BlockPlan {
    BlockPlan::Residual { width, stride }
}

const fn plain(width: usize, convs: usize, pool: bool) -> BlockPlan {
    BlockPlan::Plain { width, convs, pool }
}

const TINY: &[BlockPlan] = &[plain(16, 1, true), residual(32, 1), residual(48, 2), residual(48, 2)];
const SMALL: &[BlockPlan] = &[plain(16, 1, true), residual(32, 1), residual(96, 2), residual(160, 2)];
const BASE: &[BlockPlan] = &[
    plain(32, 1, true),
    residual(64, 1),
    residual(64, 1),
    residual(128, 2),
    residual(128, 1),
    residual(256, 2),
    residual(256, 1),
];
const VGG: &[BlockPlan] =
    &[plain(64, 2, true), plain(128, 2, true), plain(256, 2, true), plain(512, 2, false)];

/// Size of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct NetSize {
    /// Trained parameters: convolutions, batch-norm scale and shift, weights of pooling, head.
    pub parameters: usize,
    /// Multiply-accumulates for one face: convolutions, weighted pooling and head.
    pub macs: usize,
}

impl Architecture {
    /// The presets, smallest first.
    pub const ALL: [Self; 4] = [Self::Tiny, Self::Small, Self::Base, Self::Vgg];

    /// The preset's name in configs, cards and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tiny => "tiny",
            Self::Small => "small",
            Self::Base => "base",
            Self::Vgg => "vgg",
        }
    }

    /// The preset of a name, or `None`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|architecture| architecture.name() == name)
    }

    /// The blocks in order; pooling and a linear head follow them.
    ///
    /// A card written before cards listed their blocks means these, so they stay what they are:
    /// a better preset is a list of its own, in a config's `model.blocks` and in its card.
    #[must_use]
    pub const fn blocks(self) -> &'static [BlockPlan] {
        match self {
            Self::Tiny => TINY,
            Self::Small => SMALL,
            Self::Base => BASE,
            Self::Vgg => VGG,
        }
    }

    /// A network of one trunk and plain means: of `own` blocks, or the preset's where there are none.
    #[must_use]
    pub fn plan(self, own: &[BlockPlan]) -> NetPlan {
        NetPlan::of_one_trunk(if own.is_empty() { self.blocks() } else { own })
    }

    /// Parameters and multiply-accumulates with a head of `n_labels`.
    #[must_use]
    pub fn size(self, n_labels: usize) -> NetSize {
        NetPlan::of_one_trunk(self.blocks()).size(n_labels)
    }
}

impl NetPlan {
    /// The most trunks that a config or a card may ask for.
    pub const MOST_TRUNKS: usize = 64;

    /// Refuses what is no network: cards and configs come from anywhere, and must not make this program reserve
    /// what no network needs.
    ///
    /// # Errors
    /// What was expected of the blocks, and what was found.
    pub fn check(&self) -> Result<(), (String, String)> {
        if !(1..=256).contains(&self.blocks.len()) {
            return Err(("1 to 256 of them".to_owned(), self.blocks.len().to_string()));
        }
        let mut side = SIDE;
        for (idx, block) in self.blocks.iter().enumerate() {
            side = block.side(side).map_err(|expected| (expected, format!("{block} as number {idx}")))?;
        }
        Ok(())
    }

    /// A network of one trunk, whose features are means.
    #[must_use]
    pub fn of_one_trunk(blocks: &[BlockPlan]) -> Self {
        Self { blocks: blocks.to_vec(), n_trunks: 1, pooling: Pooling::Mean, standardizes: false }
    }

    /// Side of the last feature map.
    #[must_use]
    pub fn last_side(&self) -> usize {
        self.counted().side
    }

    /// Parameters and multiply-accumulates with a head of `n_labels`.
    #[must_use]
    pub fn size(&self, n_labels: usize) -> NetSize {
        let counter = self.counted();
        let (n_features, trunk) = (counter.channels * self.n_trunks, counter.size);
        NetSize {
            parameters: trunk.parameters * self.n_trunks + (n_features + 1) * n_labels,
            macs: trunk.macs * self.n_trunks + n_features * n_labels,
        }
    }

    /// One trunk and its pooling, counted through.
    fn counted(&self) -> Counter {
        let mut counter = Counter { channels: 1, side: SIDE, size: NetSize::default() };
        for block in &self.blocks {
            counter.block(*block);
        }
        if self.pooling == Pooling::Weighted {
            let n_weights = counter.channels * counter.side * counter.side;
            counter.size.parameters += n_weights;
            counter.size.macs += n_weights;
        }
        counter
    }
}

impl std::fmt::Display for NetPlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.standardizes {
            f.write_str("standardized faces, ")?;
        }
        if self.n_trunks > 1 {
            write!(f, "{} trunks of ", self.n_trunks)?;
        }
        let blocks: Vec<String> = self.blocks.iter().map(ToString::to_string).collect();
        f.write_str(&blocks.join(", "))?;
        match self.pooling {
            Pooling::Mean => Ok(()),
            Pooling::Weighted => f.write_str(", weighted pooling"),
        }
    }
}

impl BlockPlan {
    /// Output channels.
    #[must_use]
    pub const fn width(&self) -> usize {
        match *self {
            Self::Plain { width, .. } | Self::Residual { width, .. } | Self::Separable { width, .. } => width,
        }
    }

    /// Whether a residual block behind `channels` has a 1×1 convolution on its way past: where size or width change.
    #[must_use]
    pub const fn has_shortcut(&self, channels: usize) -> bool {
        match *self {
            Self::Plain { .. } => false,
            Self::Residual { width, stride } | Self::Separable { width, stride } => {
                width != channels || stride != 1
            }
        }
    }

    /// The side behind the block, or what was expected of it.
    fn side(&self, side: usize) -> Result<usize, String> {
        if !(1..=4096).contains(&self.width()) {
            return Err("1 to 4096 channels".to_owned());
        }
        match *self {
            Self::Plain { convs, .. } if !(1..=64).contains(&convs) => Err("1 to 64 convolutions".to_owned()),
            Self::Plain { pool: false, .. } => Ok(side),
            Self::Plain { .. } if side >= 2 => Ok(side / 2),
            Self::Plain { .. } => Err(format!("no pool at a side of {side}")),
            Self::Residual { stride, .. } | Self::Separable { stride, .. } => match stride {
                1 => Ok(side),
                2 if side.is_multiple_of(2) => Ok(side / 2),
                _ => Err(format!("stride 1, or 2 at an even side; the side here is {side}")),
            },
        }
    }
}

impl std::fmt::Display for BlockPlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Self::Plain { width, convs, pool } => {
                write!(f, "{width} plain ×{convs}{}", if pool { " pooled" } else { "" })
            }
            Self::Residual { width, stride } => write!(f, "{width} residual /{stride}"),
            Self::Separable { width, stride } => write!(f, "{width} separable /{stride}"),
        }
    }
}

impl std::fmt::Display for Architecture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// Walks the blocks with the channels and the side that reach the next one.
struct Counter {
    channels: usize,
    side: usize,
    size: NetSize,
}

impl Counter {
    fn conv(&mut self, from: usize, to: usize, kernel: usize) {
        let weights = kernel * kernel * from * to;
        self.size.parameters += weights + 2 * to;
        self.size.macs += weights * self.side * self.side;
    }

    fn separable(&mut self, from: usize, to: usize) {
        self.size.parameters += 9 * from;
        self.size.macs += 9 * from * self.side * self.side;
        self.conv(from, to, 1);
    }

    fn block(&mut self, block: BlockPlan) {
        let from = self.channels;
        self.channels = block.width();
        match block {
            BlockPlan::Plain { width, convs, pool } => {
                for idx in 0..convs {
                    self.conv(if idx == 0 { from } else { width }, width, 3);
                }
                self.side /= if pool { 2 } else { 1 };
            }
            BlockPlan::Residual { width, stride } | BlockPlan::Separable { width, stride } => {
                self.side /= stride;
                for from in [from, width] {
                    match block {
                        BlockPlan::Separable { .. } => self.separable(from, width),
                        _ => self.conv(from, width, 3),
                    }
                }
                if block.has_shortcut(from) {
                    self.conv(from, width, 1);
                }
            }
        }
    }
}
