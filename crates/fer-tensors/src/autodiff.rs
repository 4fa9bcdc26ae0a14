//! Gradients of the operations, registered with Burn's autodiff.
//! In: tracked Flex primitives. Out: tracked Flex primitives.

use burn::backend::autodiff::{
    Autodiff,
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, Ops, OpsKind},
};
use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, tensor::FloatTensor};

use crate::flex::{self, NormGrads};
use crate::kernel_ops::{BatchNorm, KernelOps, Maybe};
use fer_kernels::conv::ConvShape;
use fer_kernels::depthwise::DepthwiseShape;
use fer_kernels::norm::InputCoefficients;
use fer_kernels::pool::{Pool, PoolGrad};

impl<C: CheckpointStrategy> KernelOps for Autodiff<Flex, C> {
    fn nhwc_conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: Maybe<Self>,
        stride: usize,
        padding: usize,
    ) -> FloatTensor<Self> {
        let (x, x_node) = x.into_parts();
        let (weight, weight_node) = weight.into_parts();
        let (x, weight) = (flex::contiguous(x), flex::contiguous(weight));
        let shape = flex::conv_shape(&x, &weight, stride, padding);
        match bias.given() {
            None => {
                let y = flex::conv2d(&shape, &x, &weight, None);
                match Conv.prepare::<C>([x_node, weight_node]).compute_bound().stateful() {
                    OpsKind::Tracked(prep) => prep.finish((x, weight, shape), y),
                    OpsKind::UnTracked(prep) => prep.finish(y),
                }
            }
            Some(bias) => {
                let (bias, bias_node) = bias.into_parts();
                let y = flex::conv2d(&shape, &x, &weight, Some(&flex::contiguous(bias)));
                match BiasedConv.prepare::<C>([x_node, weight_node, bias_node]).compute_bound().stateful() {
                    OpsKind::Tracked(prep) => prep.finish((x, weight, shape), y),
                    OpsKind::UnTracked(prep) => prep.finish(y),
                }
            }
        }
    }

    fn nhwc_depthwise(x: FloatTensor<Self>, weight: FloatTensor<Self>, stride: usize) -> FloatTensor<Self> {
        let (x, x_node) = x.into_parts();
        let (weight, weight_node) = weight.into_parts();
        let (x, weight) = (flex::contiguous(x), flex::contiguous(weight));
        let shape = flex::depthwise_shape(&x, &weight, stride);
        let y = flex::depthwise(shape, &x, &weight);
        match Depthwise.prepare::<C>([x_node, weight_node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((x, weight, shape), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn nhwc_batch_norm_train(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        residual: Maybe<Self>,
        epsilon: f64,
        relu: bool,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let (x, x_node) = x.into_parts();
        let (gamma, gamma_node) = gamma.into_parts();
        let (beta, beta_node) = beta.into_parts();
        let x = flex::contiguous(x);
        let norm = BatchNorm::new(&x, &flex::contiguous(gamma), &flex::contiguous(beta), epsilon);
        let statistics = norm.clone().into_statistics();
        let run = |residual: Option<&FlexTensor>| {
            let y = flex::affine(x.clone(), &norm.scale, &norm.shift, residual, relu);
            let relu_output = relu.then(|| y.clone());
            (y, NormState { x: x.clone(), norm: norm.clone(), relu_output })
        };
        let y = match residual.given() {
            None => {
                let (y, state) = run(None);
                match Norm.prepare::<C>([x_node, gamma_node, beta_node]).compute_bound().stateful() {
                    OpsKind::Tracked(prep) => prep.finish(state, y),
                    OpsKind::UnTracked(prep) => prep.finish(y),
                }
            }
            Some(residual) => {
                let (residual, residual_node) = residual.into_parts();
                let (y, state) = run(Some(&flex::contiguous(residual)));
                let nodes = [x_node, gamma_node, beta_node, residual_node];
                match NormWithResidual.prepare::<C>(nodes).compute_bound().stateful() {
                    OpsKind::Tracked(prep) => prep.finish(state, y),
                    OpsKind::UnTracked(prep) => prep.finish(y),
                }
            }
        };
        (y, FloatTensor::<Self>::new(statistics.0), FloatTensor::<Self>::new(statistics.1))
    }

    fn nhwc_affine(
        x: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        residual: Maybe<Self>,
        relu: bool,
    ) -> FloatTensor<Self> {
        let (x, x_node) = x.into_parts();
        let (scale, scale_node) = scale.into_parts();
        let (shift, shift_node) = shift.into_parts();
        let (x, scale) = (flex::contiguous(x), flex::floats(&flex::contiguous(scale)).to_vec());
        let shift = flex::contiguous(shift);
        let run = |residual: Option<&FlexTensor>| {
            let y = flex::affine(x.clone(), &scale, flex::floats(&shift), residual, relu);
            let relu_output = relu.then(|| y.clone());
            (y, AffineState { x: x.clone(), scale: scale.clone(), relu_output })
        };
        match residual.given() {
            None => {
                let (y, state) = run(None);
                match Scale.prepare::<C>([x_node, scale_node, shift_node]).compute_bound().stateful() {
                    OpsKind::Tracked(prep) => prep.finish(state, y),
                    OpsKind::UnTracked(prep) => prep.finish(y),
                }
            }
            Some(residual) => {
                let (residual, residual_node) = residual.into_parts();
                let (y, state) = run(Some(&flex::contiguous(residual)));
                let nodes = [x_node, scale_node, shift_node, residual_node];
                match ScaleWithResidual.prepare::<C>(nodes).compute_bound().stateful() {
                    OpsKind::Tracked(prep) => prep.finish(state, y),
                    OpsKind::UnTracked(prep) => prep.finish(y),
                }
            }
        }
    }

    fn nhwc_max_pool2(x: FloatTensor<Self>) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        let x = flex::contiguous(x);
        let y = flex::pool2(Pool::Max, &x);
        match MaxPool.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(x, y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn nhwc_avg_pool2(x: FloatTensor<Self>) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        let x = flex::contiguous(x);
        let y = flex::pool2(Pool::Mean, &x);
        match AvgPool.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(flex::dims4(&x), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn nhwc_global_mean(x: FloatTensor<Self>) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        let x = flex::contiguous(x);
        let y = flex::global_mean(&x);
        match GlobalMean.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(flex::dims4(&x), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }
}

/// Input, weight, sizes.
type ConvState = (FlexTensor, FlexTensor, ConvShape);

/// Convolution without a bias: parents input and weight.
#[derive(Debug)]
struct Conv;

impl Backward<Flex, 2> for Conv {
    type State = ConvState;

    fn backward(self, ops: Ops<ConvState, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = flex::contiguous(grads.consume::<Flex>(&ops.node));
        let [x_node, weight_node] = ops.parents;
        let (x, weight, shape) = ops.state;
        if let Some(node) = weight_node {
            grads.register::<Flex>(node.id, flex::conv2d_weight_grad(&shape, &x, &grad));
        }
        drop(x);
        if let Some(node) = x_node {
            grads.register::<Flex>(node.id, flex::conv2d_input_grad(&shape, &weight, &grad));
        }
    }
}

/// Depthwise convolution: parents input and weight.
#[derive(Debug)]
struct Depthwise;

impl Backward<Flex, 2> for Depthwise {
    type State = (FlexTensor, FlexTensor, DepthwiseShape);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = flex::contiguous(grads.consume::<Flex>(&ops.node));
        let [x_node, weight_node] = ops.parents;
        let (x, weight, shape) = ops.state;
        if let Some(node) = weight_node {
            grads.register::<Flex>(node.id, flex::depthwise_weight_grad(shape, &x, &grad));
        }
        if let Some(node) = x_node {
            let grad = flex::depthwise_input_grad(shape, flex::dims4(&x), &weight, &grad);
            grads.register::<Flex>(node.id, grad);
        }
    }
}

/// Convolution with a bias: parents input, weight, bias.
#[derive(Debug)]
struct BiasedConv;

impl Backward<Flex, 3> for BiasedConv {
    type State = ConvState;

    fn backward(self, ops: Ops<ConvState, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = flex::contiguous(grads.consume::<Flex>(&ops.node));
        let [x_node, weight_node, bias_node] = ops.parents;
        let (x, weight, shape) = ops.state;
        if let Some(node) = weight_node {
            grads.register::<Flex>(node.id, flex::conv2d_weight_grad(&shape, &x, &grad));
        }
        drop(x);
        if let Some(node) = bias_node {
            grads.register::<Flex>(node.id, flex::conv2d_bias_grad(shape.n_outputs, &grad));
        }
        if let Some(node) = x_node {
            grads.register::<Flex>(node.id, flex::conv2d_input_grad(&shape, &weight, &grad));
        }
    }
}

/// What batch norm's gradient needs; the output only behind a ReLU.
#[derive(Debug, Clone)]
struct NormState {
    x: FlexTensor,
    norm: BatchNorm,
    relu_output: Option<FlexTensor>,
}

/// Gradients of the parents of a normalisation.
struct NormParentGrads {
    x: FlexTensor,
    scale: FlexTensor,
    shift: FlexTensor,
    residual: Option<FlexTensor>,
}

impl NormState {
    /// The batch statistics depend on the input, so its gradient has the two extra terms of batch norm.
    fn grads(self, grad: FlexTensor, with_residual: bool) -> NormParentGrads {
        let Self { x, norm, relu_output } = self;
        let n_channels = norm.mean.len();
        let n = (flex::floats(&x).len() / n_channels) as f64;
        let mut grads = NormGrads::new(&x, &norm.mean, relu_output, grad, with_residual);
        let inverse = |channel: usize| f64::from(norm.inverse_deviation[channel]);
        let gamma_grad: Vec<f64> =
            (0..n_channels).map(|channel| grads.sums[channel][1] * inverse(channel)).collect();
        let of_x =
            |channel: usize| f64::from(norm.scale[channel]) * inverse(channel) * gamma_grad[channel] / n;
        let constant = |channel: usize| {
            of_x(channel) * f64::from(norm.mean[channel])
                - f64::from(norm.scale[channel]) * grads.sums[channel][0] / n
        };
        let coefficients = InputCoefficients {
            of_grad: norm.scale.clone(),
            of_x_and_one: Some([
                (0..n_channels).map(|channel| of_x(channel) as f32).collect(),
                (0..n_channels).map(|channel| constant(channel) as f32).collect(),
            ]),
        };
        let residual = grads.residual.take();
        let shift = flex::tensor(grads.sums.iter().map(|sums| sums[0] as f32).collect(), [n_channels]);
        let scale = flex::tensor(gamma_grad.iter().map(|sum| *sum as f32).collect(), [n_channels]);
        NormParentGrads { x: grads.input(&x, &coefficients), scale, shift, residual }
    }
}

/// What the gradient of `scale · x + shift` needs.
#[derive(Debug, Clone)]
struct AffineState {
    x: FlexTensor,
    scale: Vec<f32>,
    relu_output: Option<FlexTensor>,
}

impl AffineState {
    fn grads(self, grad: FlexTensor, with_residual: bool) -> NormParentGrads {
        let Self { x, scale, relu_output } = self;
        let n_channels = scale.len();
        let center = vec![0.0; n_channels];
        let mut grads = NormGrads::new(&x, &center, relu_output, grad, with_residual);
        let residual = grads.residual.take();
        let sums = |which: usize| {
            flex::tensor(grads.sums.iter().map(|sums| sums[which] as f32).collect(), [n_channels])
        };
        let (shift_grad, scale_grad) = (sums(0), sums(1));
        let x = grads.input(&x, &InputCoefficients { of_grad: scale, of_x_and_one: None });
        NormParentGrads { x, scale: scale_grad, shift: shift_grad, residual }
    }
}

/// A normalisation step without and with a residual: parents input, scale, shift (, residual).
macro_rules! normalisation {
    ($(#[$doc:meta])* $name:ident, $state:ty, $n_parents:literal) => {
        $(#[$doc])*
        #[derive(Debug)]
        struct $name;

        impl Backward<Flex, $n_parents> for $name {
            type State = $state;

            fn backward(self, ops: Ops<$state, $n_parents>, grads: &mut Gradients, _: &mut Checkpointer) {
                let grad = flex::contiguous(grads.consume::<Flex>(&ops.node));
                let residual_node = ops.parents.get(3).cloned().flatten();
                let of = ops.state.grads(grad, residual_node.is_some());
                for (node, grad) in ops.parents.into_iter().zip([Some(of.x), Some(of.scale), Some(of.shift), of.residual]) {
                    if let (Some(node), Some(grad)) = (node, grad) {
                        grads.register::<Flex>(node.id, grad);
                    }
                }
            }
        }
    };
}

normalisation!(
    /// Batch norm.
    Norm, NormState, 3
);
normalisation!(
    /// Batch norm and a residual.
    NormWithResidual, NormState, 4
);
normalisation!(
    /// Scale and shift.
    Scale, AffineState, 3
);
normalisation!(
    /// Scale and shift and a residual.
    ScaleWithResidual, AffineState, 4
);

/// 2×2 maxima: the state is the input.
#[derive(Debug)]
struct MaxPool;

impl Backward<Flex, 1> for MaxPool {
    type State = FlexTensor;

    fn backward(self, ops: Ops<FlexTensor, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = flex::contiguous(grads.consume::<Flex>(&ops.node));
        let [node] = ops.parents;
        let x = ops.state;
        if let Some(node) = node {
            let grad = flex::pool2_grad(PoolGrad::Max(flex::floats(&x)), flex::dims4(&x), &grad);
            grads.register::<Flex>(node.id, grad);
        }
    }
}

/// 2×2 means: the state is the input's shape.
#[derive(Debug)]
struct AvgPool;

impl Backward<Flex, 1> for AvgPool {
    type State = [usize; 4];

    fn backward(self, ops: Ops<[usize; 4], 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = flex::contiguous(grads.consume::<Flex>(&ops.node));
        let [node] = ops.parents;
        if let Some(node) = node {
            grads.register::<Flex>(node.id, flex::pool2_grad(PoolGrad::Mean, ops.state, &grad));
        }
    }
}

/// Means over images: the state is the input's shape.
#[derive(Debug)]
struct GlobalMean;

impl Backward<Flex, 1> for GlobalMean {
    type State = [usize; 4];

    fn backward(self, ops: Ops<[usize; 4], 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = flex::contiguous(grads.consume::<Flex>(&ops.node));
        let [node] = ops.parents;
        if let Some(node) = node {
            grads.register::<Flex>(node.id, flex::global_mean_grad(ops.state, &grad));
        }
    }
}
