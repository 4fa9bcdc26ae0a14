//! The same operations by Burn's own kernels: every device but Flex, and every number type but f32.
//! In: tensors `[N, C, H, W]`. Out: tensors `[N, C, H, W]`, differentiable, and exportable from a capture device.

use burn::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::module;
use burn::tensor::ops::{AvgPoolOptions, ConvOptions, MaxPoolOptions};

/// Convolution of `[N, I, H, W]` with `[O, I, kh, kw]`.
pub(crate) fn conv2d(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    stride: usize,
    padding: usize,
) -> Tensor<4> {
    module::conv2d(x, weight, bias, ConvOptions::new([stride, stride], [padding, padding], [1, 1], 1))
}

/// Depthwise 3×3 convolution of `[N, C, H, W]` with `[C, 1, 3, 3]`.
pub(crate) fn depthwise(x: Tensor<4>, weight: Tensor<4>, stride: usize) -> Tensor<4> {
    let groups = weight.dims()[0];
    module::conv2d(x, weight, None, ConvOptions::new([stride, stride], [1, 1], [1, 1], groups))
}

/// Batch norm with the statistics of the batch; returns them, `[C]` each, detached.
pub(crate) fn batch_norm_train(
    x: Tensor<4>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    epsilon: f64,
) -> (Tensor<4>, Tensor<1>, Tensor<1>) {
    let normalized = module::batch_norm_train(x, gamma, beta, epsilon);
    (normalized.output, normalized.mean, normalized.variance)
}

/// Batch norm with given statistics, `[C]` each.
pub(crate) fn batch_norm_eval(
    x: Tensor<4>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    mean: Tensor<1>,
    variance: Tensor<1>,
    epsilon: f64,
) -> Tensor<4> {
    module::batch_norm(x, gamma, beta, mean, variance, epsilon)
}

/// Adds the residual, then clips at zero, each if asked for.
pub(crate) fn add_and_relu(x: Tensor<4>, residual: Option<Tensor<4>>, with_relu: bool) -> Tensor<4> {
    let x = match residual {
        Some(residual) => x + residual,
        None => x,
    };
    if with_relu { relu(x) } else { x }
}

/// Largest of each 2×2 block; an odd last row or column is dropped.
pub(crate) fn max_pool2(x: Tensor<4>) -> Tensor<4> {
    module::max_pool2d(x, MaxPoolOptions::new([2, 2]).with_stride([2, 2]))
}

/// Mean of each 2×2 block; an odd last row or column is dropped.
pub(crate) fn avg_pool2(x: Tensor<4>) -> Tensor<4> {
    module::avg_pool2d(x, AvgPoolOptions::new([2, 2]).with_stride([2, 2]))
}

/// Mean over the image, `[N, C]`. Adaptive pooling, because a plain mean cannot be exported to ONNX.
pub(crate) fn global_avg_pool(x: Tensor<4>) -> Tensor<2> {
    module::adaptive_avg_pool2d(x, [1, 1]).flatten(1, 3)
}
