//! A network for reading faces: batch norm folded into the convolutions, ReLU and shortcut fused.
//! In: a plan and trained weights. Out: logits, by fer-kernels.

use fer_data::face::{PIXELS, SIDE};
use fer_kernels::{FoldedConv, FoldedDepthwise, Map, Norm};

use super::{
    EPSILON, STANDARD_FLOOR,
    forward::{After, BlockParts, ConvLayer},
    plan::{BlockPlan, NetPlan, Pooling},
};
use crate::weights::Weights;

/// A network in inference form; agrees with its training form within 1e-4 on logits.
#[derive(Clone, Debug)]
pub struct FoldedNet {
    standardizes: bool,
    trunks: Vec<FoldedTrunk>,
    head: LinearLayer,
}

#[derive(Clone, Debug)]
struct FoldedTrunk {
    blocks: Vec<FoldedBlock>,
    /// Weights of the last feature map's places, `[side · side, n_channels]`, where its features are no plain means.
    place_weights: Option<Vec<f32>>,
}

#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // A network has a handful of blocks; boxes would save nothing.
enum FoldedBlock {
    Plain { convs: Vec<FoldedLayer>, pool: bool },
    Residual { first: FoldedLayer, second: FoldedLayer, shortcut: Option<FoldedLayer>, halve: bool },
}

/// A convolution, in a separable block behind a depthwise one.
#[derive(Clone, Debug)]
struct FoldedLayer {
    depthwise: Option<FoldedDepthwise>,
    conv: FoldedConv,
}

/// The linear layer behind the features.
#[derive(Clone, Debug)]
struct LinearLayer {
    /// `[n_features, n_logits]`.
    weight: Vec<f32>,
    /// `[n_logits]`.
    bias: Vec<f32>,
}

impl FoldedNet {
    /// Folds trained weights, which bear the names of fer's training form.
    ///
    /// # Errors
    /// The first tensor that is missing, has another shape than the plan says, or is no part of it.
    pub fn new(plan: &NetPlan, n_logits: usize, weights: Weights) -> Result<Self, String> {
        let mut unfolded = UnfoldedWeights(weights);
        let mut trunks = Vec::with_capacity(plan.n_trunks);
        let n_channels = plan.blocks.last().map_or(1, BlockPlan::width);
        let n_features = n_channels * plan.n_trunks;
        let mut place_weights = unfolded.place_weights(plan, n_channels)?.into_iter();
        for trunk in 0..plan.n_trunks {
            let mut channels = 1;
            let mut blocks = Vec::with_capacity(plan.blocks.len());
            for (idx, block) in plan.blocks.iter().enumerate() {
                blocks.push(unfolded.block(trunk * plan.blocks.len() + idx, *block, channels)?);
                channels = block.width();
            }
            trunks.push(FoldedTrunk { blocks, place_weights: place_weights.next() });
        }
        let head = LinearLayer {
            weight: unfolded.0.take("head.weight", &[n_features, n_logits])?,
            bias: unfolded.0.take("head.bias", &[n_logits])?,
        };
        match unfolded.0.names().next() {
            Some(name) => Err(format!("{name} is not part of it")),
            None => Ok(Self { standardizes: plan.standardizes, trunks, head }),
        }
    }

    /// Logits of normalised faces, `[N, 48, 48]` to `[N, n_logits]`, unbounded, in label order.
    ///
    /// # Panics
    /// If the last face is not whole.
    #[must_use]
    pub fn logits(&self, faces: Vec<f32>) -> Vec<f32> {
        let n_logits = self.head.bias.len();
        let n_features = self.head.weight.len() / n_logits;
        let features = self.features(faces);
        let mut logits = Vec::with_capacity(features.len() / n_features * n_logits);
        for row in features.chunks_exact(n_features) {
            let mut sums = self.head.bias.clone();
            for (feature, weights) in row.iter().zip(self.head.weight.chunks_exact(n_logits)) {
                sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += feature * weight);
            }
            logits.append(&mut sums);
        }
        logits
    }

    /// What all outputs are made of: the last feature map's means, plain or weighted, `[N, 48, 48]` to
    /// `[N, n_features]`.
    ///
    /// # Panics
    /// If the last face is not whole.
    #[must_use]
    pub fn features(&self, mut faces: Vec<f32>) -> Vec<f32> {
        if self.standardizes {
            faces.chunks_exact_mut(PIXELS).for_each(standardize);
        }
        fer_kernels::on_pool(|| {
            let n = faces.len() / PIXELS;
            let x = Map::new([n, SIDE, SIDE, 1], faces);
            let pooled = |trunk: usize| {
                let FoldedTrunk { blocks, place_weights } = &self.trunks[trunk];
                let last = blocks.iter().fold(x.clone(), |x, block| block.parts().forward(x));
                match place_weights {
                    None => last.global_mean(),
                    Some(weights) => last.weighted_sum(weights),
                }
            };
            one_behind_another(fer_kernels::map_tasks(self.trunks.len(), pooled), n)
        })
    }
}

/// Brings a face to mean 0 and deviation 1.
fn standardize(face: &mut [f32]) {
    let n = face.len() as f32;
    let mean = face.iter().sum::<f32>() / n;
    face.iter_mut().for_each(|value| *value -= mean);
    let deviation = (face.iter().map(|value| value * value).sum::<f32>() / n).sqrt() + STANDARD_FLOOR;
    face.iter_mut().for_each(|value| *value /= deviation);
}

/// Features of the trunks, as one row a face.
fn one_behind_another(mut trunks: Vec<Vec<f32>>, n_faces: usize) -> Vec<f32> {
    if trunks.len() == 1 {
        return trunks.remove(0);
    }
    let rows = |face: usize| {
        trunks.iter().flat_map(move |trunk| {
            let width = trunk.len() / n_faces;
            &trunk[face * width..(face + 1) * width]
        })
    };
    (0..n_faces).flat_map(rows).copied().collect()
}

/// Weights that become layers.
struct UnfoldedWeights(Weights);

impl UnfoldedWeights {
    /// The weights of each trunk's places as its maps lie in memory, `[side · side, n_channels]`; none where features
    /// are means.
    fn place_weights(&mut self, plan: &NetPlan, n_channels: usize) -> Result<Vec<Vec<f32>>, String> {
        if plan.pooling == Pooling::Mean {
            return Ok(Vec::new());
        }
        let side = plan.last_side();
        let n_places = side * side;
        let excess = self.0.take("pool", &[n_channels * plan.n_trunks, side, side])?;
        let of_trunk = |excess: &[f32]| {
            let at =
                |idx: usize| (1.0 + excess[idx % n_channels * n_places + idx / n_channels]) / n_places as f32;
            (0..excess.len()).map(at).collect()
        };
        Ok(excess.chunks_exact(n_channels * n_places).map(of_trunk).collect())
    }

    fn block(&mut self, idx: usize, plan: BlockPlan, channels: usize) -> Result<FoldedBlock, String> {
        let name = |part: &str| format!("blocks.{idx}.{part}");
        Ok(match plan {
            BlockPlan::Plain { width, convs, pool } => {
                let mut conv = |nth: usize| {
                    let from = if nth == 0 { channels } else { width };
                    self.conv(&name(&format!("convs.{nth}")), [width, from, 3, 3], 1)
                };
                FoldedBlock::Plain { convs: (0..convs).map(&mut conv).collect::<Result<_, _>>()?, pool }
            }
            BlockPlan::Residual { width, stride } => FoldedBlock::Residual {
                first: self.conv(&name("first"), [width, channels, 3, 3], stride)?,
                second: self.conv(&name("second"), [width, width, 3, 3], 1)?,
                shortcut: self.shortcut(&name("shortcut"), plan, channels)?,
                halve: stride == 2,
            },
            BlockPlan::Separable { width, stride } => FoldedBlock::Residual {
                first: self.separable(&name("first"), [width, channels], stride)?,
                second: self.separable(&name("second"), [width, width], 1)?,
                shortcut: self.shortcut(&name("shortcut"), plan, channels)?,
                halve: stride == 2,
            },
        })
    }

    fn shortcut(
        &mut self,
        name: &str,
        plan: BlockPlan,
        channels: usize,
    ) -> Result<Option<FoldedLayer>, String> {
        let conv = plan.has_shortcut(channels).then(|| self.conv(name, [plan.width(), channels, 1, 1], 1));
        conv.transpose()
    }

    fn separable(
        &mut self,
        name: &str,
        [to, from]: [usize; 2],
        stride: usize,
    ) -> Result<FoldedLayer, String> {
        let weight = self.0.take(&format!("{name}.depthwise.weight"), &[from, 1, 3, 3])?;
        let layer = self.conv(name, [to, from, 1, 1], 1)?;
        Ok(FoldedLayer { depthwise: Some(FoldedDepthwise::new(from, &weight, stride)), ..layer })
    }

    fn conv(&mut self, name: &str, dims: [usize; 4], stride: usize) -> Result<FoldedLayer, String> {
        let weight = self.0.take(&format!("{name}.conv.weight"), &dims)?;
        let mut of_norm = |part: &str| self.0.take(&format!("{name}.norm.{part}"), &dims[..1]);
        let (gamma, beta) = (of_norm("gamma")?, of_norm("beta")?);
        let (mean, variance) = (of_norm("running_mean")?, of_norm("running_var")?);
        let norm = Norm { gamma: &gamma, beta: &beta, mean: &mean, variance: &variance, epsilon: EPSILON };
        Ok(FoldedLayer { depthwise: None, conv: FoldedConv::fold(dims, &weight, norm, stride, dims[2] / 2) })
    }
}

impl FoldedBlock {
    fn parts(&self) -> BlockParts<'_, FoldedLayer> {
        match self {
            Self::Plain { convs, pool } => BlockParts::Plain { convs, pool: *pool },
            Self::Residual { first, second, shortcut, halve } => {
                BlockParts::Residual { first, second, shortcut: shortcut.as_ref(), halve: *halve }
            }
        }
    }
}

impl ConvLayer for FoldedLayer {
    type Map = Map;

    fn apply(&self, x: Map, residual: Option<Map>, after: After) -> Map {
        let x = match &self.depthwise {
            Some(depthwise) => depthwise.forward(&x),
            None => x,
        };
        self.conv.forward(&x, residual.as_ref(), after == After::Relu)
    }

    fn max_pool2(x: Map) -> Map {
        x.max_pool2()
    }

    fn avg_pool2(x: Map) -> Map {
        x.avg_pool2()
    }
}
