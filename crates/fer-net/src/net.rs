//! A network in training form.
//! In: normalised faces `[N, 1, 48, 48]`. Out: logits `[N, n_labels]`.

use burn::{
    module::{Module, Param},
    nn::{Dropout, DropoutConfig, Linear, LinearConfig},
    tensor::{Device, Int, Tensor, TensorData, module},
};
use fer_model::net::{Architecture, BlockPlan, NetPlan, Pooling, STANDARD_FLOOR};
use fer_tensors::FeatureMap;

use crate::layer::{Block, ConvNorm, Plain, Residual};

/// A network in training form.
///
/// On an autodiff device batch norm uses the batch's statistics and dropout is active; elsewhere
/// (see [`Module::valid`]) the running statistics are used.
#[derive(Module, Debug)]
pub struct Net {
    /// Trunk after trunk.
    pub(crate) blocks: Vec<Block>,
    #[module(skip)]
    pub(crate) n_trunks: usize,
    #[module(skip)]
    pub(crate) standardizes: bool,
    /// By how much more than in a mean each place of the last feature maps counts, `[n_features, side, side]`;
    /// `None`: features are means. Weight decay draws it to the mean.
    pub(crate) pool: Option<Param<Tensor<3>>>,
    pub(crate) dropout: Dropout,
    pub(crate) head: Linear,
}

impl Net {
    /// A preset with fresh weights, drawn from the device's generator (see [`Device::seed`]).
    #[must_use]
    pub fn new(architecture: Architecture, n_labels: usize, dropout: f64, device: &Device) -> Self {
        Self::of_plan(&NetPlan::of_one_trunk(architecture.blocks()), n_labels, dropout, device)
    }

    /// A network of this plan with fresh weights; `n_labels` logits, those of all heads together.
    #[must_use]
    pub fn of_plan(plan: &NetPlan, n_labels: usize, dropout: f64, device: &Device) -> Self {
        let mut blocks = Vec::new();
        let mut n_features = 0;
        for _ in 0..plan.n_trunks {
            let mut channels = 1;
            for own in &plan.blocks {
                blocks.push(block(*own, channels, device));
                channels = own.width();
            }
            n_features += channels;
        }
        let head = LinearConfig::new(n_features, n_labels).init(device);
        let dropout = DropoutConfig::new(dropout).init();
        let (n_trunks, standardizes) = (plan.n_trunks, plan.standardizes);
        let net = Self { blocks, n_trunks, standardizes, pool: None, dropout, head };
        match plan.pooling {
            Pooling::Mean => net,
            Pooling::Weighted => net.with_weighted_pooling(),
        }
    }

    /// The network whose features are weighted means: those of this one, until it is trained.
    #[must_use]
    pub fn with_weighted_pooling(self) -> Self {
        let excess = self.excess();
        Self { pool: Some(Param::from_tensor(excess)), ..self }
    }

    /// The network that standardizes faces first: near this one on faces in full light.
    #[must_use]
    pub fn with_standardized_faces(self) -> Self {
        Self { standardizes: true, ..self }
    }

    /// By how much more than in a mean each place counts, `[n_features, side, side]`; 0 where features are means.
    pub(crate) fn excess(&self) -> Tensor<3> {
        match &self.pool {
            Some(pool) => pool.val(),
            None => {
                let side = self.plan().last_side();
                Tensor::zeros([self.head.weight.dims()[0], side, side], &self.device())
            }
        }
    }

    /// Logits of normalised faces, `[N, 1, 48, 48]` to `[N, n_labels]`, unbounded, in label order.
    #[must_use]
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let x = FeatureMap::from_images(if self.standardizes { standardized(images) } else { images });
        let pooled = |(nth, trunk): (usize, &[Block])| {
            let last = trunk.iter().fold(x.clone(), |x, block| block.parts().forward(x));
            let Some(pool) = &self.pool else { return last.global_avg_pool() };
            let n_channels = last.dims()[1];
            last.weighted(pool.val().narrow(0, nth * n_channels, n_channels) + 1.0).global_avg_pool()
        };
        let features = one_behind_another(self.trunks().enumerate().map(pooled).collect());
        self.head.forward(self.dropout.forward(features))
    }

    fn trunks(&self) -> impl Iterator<Item = &[Block]> {
        self.blocks.chunks(self.blocks.len() / self.n_trunks)
    }

    /// The network with one output more, of these weights, one a feature, and this bias.
    ///
    /// # Panics
    /// If there are not as many weights as features.
    #[must_use]
    pub fn with_output(&self, weights: &[f32], bias: f32) -> Self {
        let device = self.device();
        let column = Tensor::from_data(TensorData::new(weights.to_vec(), [weights.len(), 1]), &device);
        let weight = Tensor::cat(vec![self.head.weight.val(), column], 1);
        let own = self.head.bias.as_ref().expect("every network of this crate has biases").val();
        let bias = Tensor::cat(vec![own, Tensor::<1>::from_floats([bias], &device)], 0);
        let head = Linear { weight: Param::from_tensor(weight), bias: Some(Param::from_tensor(bias)) };
        Self { head, ..self.clone() }
    }

    /// The network with these of its outputs alone, in this order.
    ///
    /// # Panics
    /// If it has no such output.
    #[must_use]
    pub fn with_outputs(&self, columns: impl IntoIterator<Item = usize>) -> Self {
        let columns: Vec<i64> = columns.into_iter().map(|column| column as i64).collect();
        let columns = Tensor::<1, Int>::from_data(columns.as_slice(), &self.device());
        let weight = self.head.weight.val().select(1, columns.clone());
        let bias = self.head.bias.as_ref().map(|bias| Param::from_tensor(bias.val().select(0, columns)));
        let head = Linear { weight: Param::from_tensor(weight), bias };
        Self { head, ..self.clone() }
    }

    /// The network whose logits are weighted sums of this one's: logit `i` is made of `columns[i]`, pairs of
    /// one of its logits and a weight, and of `offsets[i]`. A head is linear, so heads can be joined without a trace.
    #[must_use]
    pub(crate) fn with_joined_head(&self, columns: &[Vec<(usize, f32)>], offsets: &[f32]) -> Self {
        let (device, n_logits) = (self.device(), self.n_labels());
        let mut matrix = vec![0.0; n_logits * columns.len()];
        for (to, parts) in columns.iter().enumerate() {
            parts.iter().for_each(|&(from, weight)| matrix[from * columns.len() + to] = weight);
        }
        let matrix = TensorData::new(matrix, [n_logits, columns.len()]);
        let matrix = Tensor::<2>::from_data(matrix, &device);
        let weight = self.head.weight.val().matmul(matrix.clone());
        let bias = self.head.bias.as_ref().map(|bias| {
            let joined = bias.val().reshape([1, n_logits]).matmul(matrix);
            let offsets = Tensor::<1>::from_data(TensorData::new(offsets.to_vec(), [columns.len()]), &device);
            Param::from_tensor(joined.reshape([columns.len()]) + offsets)
        });
        let head = Linear { weight: Param::from_tensor(weight), bias };
        Self { head, ..self.clone() }
    }

    /// What the network is made of.
    #[must_use]
    pub fn plan(&self) -> NetPlan {
        let blocks = self.trunks().next().expect("a network has a trunk").iter().map(Block::plan).collect();
        let pooling = if self.pool.is_some() { Pooling::Weighted } else { Pooling::Mean };
        NetPlan { blocks, n_trunks: self.n_trunks, pooling, standardizes: self.standardizes }
    }

    /// The device that holds the weights.
    #[must_use]
    pub fn device(&self) -> Device {
        self.head.weight.val().device()
    }

    /// How many labels the head scores.
    #[must_use]
    pub fn n_labels(&self) -> usize {
        self.head.weight.dims()[1]
    }
}

/// Each face at mean 0 and deviation 1. Adaptive pooling, because a plain mean cannot be exported to ONNX.
fn standardized(images: Tensor<4>) -> Tensor<4> {
    let mean = |x: Tensor<4>| module::adaptive_avg_pool2d(x, [1, 1]);
    let centred = images.clone() - mean(images);
    let deviation = mean(centred.clone() * centred.clone()).sqrt() + STANDARD_FLOOR;
    centred / deviation
}

/// Features of the trunks as one row a face.
fn one_behind_another(mut trunks: Vec<Tensor<2>>) -> Tensor<2> {
    if trunks.len() == 1 { trunks.remove(0) } else { Tensor::cat(trunks, 1) }
}

fn block(plan: BlockPlan, channels: usize, device: &Device) -> Block {
    match plan {
        BlockPlan::Plain { width, convs, pool } => {
            let conv = |idx| ConvNorm::new(if idx == 0 { channels } else { width }, width, 3, 1, device);
            Block::Plain(Plain { convs: (0..convs).map(conv).collect(), pool })
        }
        BlockPlan::Residual { width, stride } => Block::Residual(Residual {
            first: ConvNorm::new(channels, width, 3, stride, device),
            second: ConvNorm::new(width, width, 3, 1, device),
            shortcut: shortcut(plan, channels, device),
        }),
        BlockPlan::Separable { width, stride } => Block::Residual(Residual {
            first: ConvNorm::separable(channels, width, stride, device),
            second: ConvNorm::separable(width, width, 1, device),
            shortcut: shortcut(plan, channels, device),
        }),
    }
}

fn shortcut(plan: BlockPlan, channels: usize, device: &Device) -> Option<ConvNorm> {
    plan.has_shortcut(channels).then(|| ConvNorm::new(channels, plan.width(), 1, 1, device))
}
