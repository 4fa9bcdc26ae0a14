//! The kernels on shapes small enough for Miri, against loops that say what they mean.
//! In: nothing. Out: passing tests: `tests/sanitize/check miri` checks every memory access.

use crate::ops::conv::{self, ConvShape, Epilogue, FoldedWeight};
use crate::ops::depthwise::{self, DepthwiseShape};
use crate::ops::norm::{self, Affine, InputCoefficients, NormGrad};
use crate::ops::pool::{self, Pool, PoolGrad};

/// Values in steps of 1/8, whose sums are exact, so that results must be equal and not only close.
fn floats(len: usize, seed: usize) -> Vec<f32> {
    (0..len).map(|idx| ((idx * 7 + seed * 5) % 17) as f32 / 8.0 - 1.0).collect()
}

/// Calls `visit(output index, input index, weight index)` for every product of the convolution.
fn each_product(shape: &ConvShape, mut visit: impl FnMut(usize, usize, usize)) {
    let ([height, width, inputs], [out_height, out_width]) = (shape.input, shape.output());
    let [kernel_height, kernel_width] = shape.kernel;
    for image in 0..shape.n {
        for (out_y, out_x) in (0..out_height).flat_map(|y| (0..out_width).map(move |x| (y, x))) {
            for (ky, kx) in (0..kernel_height).flat_map(|y| (0..kernel_width).map(move |x| (y, x))) {
                let (y, x) = (out_y * shape.stride + ky, out_x * shape.stride + kx);
                let inside = |at: usize, size: usize| (shape.padding..size + shape.padding).contains(&at);
                if !inside(y, height) || !inside(x, width) {
                    continue;
                }
                let pixel = (image * height + y - shape.padding) * width + x - shape.padding;
                for (output, input) in (0..shape.n_outputs).flat_map(|o| (0..inputs).map(move |i| (o, i))) {
                    let to = ((image * out_height + out_y) * out_width + out_x) * shape.n_outputs + output;
                    let tap = ((output * inputs + input) * kernel_height + ky) * kernel_width + kx;
                    visit(to, pixel * inputs + input, tap);
                }
            }
        }
    }
}

/// `[images, height, width, inputs, outputs, kernel, stride, padding]`, and the same with fewer pixels: what Miri
/// can finish in minutes.
const DIRECT: [[usize; 8]; 6] = [
    [2, 4, 5, 1, 3, 3, 1, 1],
    [1, 3, 7, 16, 17, 3, 1, 1],
    [3, 5, 4, 18, 2, 3, 2, 1],
    [1, 4, 4, 3, 33, 1, 1, 0],
    [1, 5, 5, 2, 2, 1, 2, 0],
    [2, 3, 3, 17, 5, 2, 2, 2],
];
const DIRECT_FOR_MIRI: [[usize; 8]; 6] = [
    [2, 3, 4, 1, 3, 3, 1, 1],
    [1, 2, 3, 16, 17, 3, 1, 1],
    [2, 3, 4, 18, 2, 3, 2, 1],
    [1, 3, 3, 3, 33, 1, 1, 0],
    [1, 5, 5, 2, 2, 1, 2, 0],
    [1, 3, 3, 17, 5, 2, 2, 2],
];

/// The same for Winograd's: squares of 3×3 and 2×2, of maps and of weights, with and without a rest; one and two vectors in
/// the last panel.
const WINOGRAD: [[usize; 8]; 4] = [
    [2, 6, 5, 16, 48, 3, 1, 1],
    [2, 4, 3, 16, 48, 3, 1, 1],
    [1, 1, 5, 32, 32, 3, 1, 1],
    [1, 3, 2, 144, 128, 3, 1, 1],
];
const WINOGRAD_FOR_MIRI: [[usize; 8]; 2] = [[2, 2, 3, 16, 48, 3, 1, 1], [1, 1, 5, 32, 32, 3, 1, 1]];

#[test]
fn convolutions_and_their_gradients_sum_the_right_products() {
    sum_the_right_products(if cfg!(miri) { &DIRECT_FOR_MIRI } else { &DIRECT }, 0.0);
}

#[test]
fn convolutions_by_winograd_sum_the_right_products() {
    sum_the_right_products(if cfg!(miri) { &WINOGRAD_FOR_MIRI } else { &WINOGRAD }, 1e-5);
}

/// `tolerance` is a share of the largest value.
fn sum_the_right_products(convolutions: &[[usize; 8]], tolerance: f32) {
    for &[n, height, width, inputs, outputs, kernel, stride, padding] in convolutions {
        let shape =
            ConvShape::new([n, height, width, inputs], [outputs, inputs, kernel, kernel], stride, padding);
        let [x_len, y_len, weight_len] = shape.lens();
        let (x, weight, grad) = (floats(x_len, 1), floats(weight_len, 2), floats(y_len, 3));
        let (bias, residual) = (floats(outputs, 4), floats(y_len, 5));
        let epilogue = Epilogue { bias: Some(&bias), residual: Some(&residual), relu: true };
        let by_kernels = [
            conv::forward(&shape, &x, &weight, None),
            conv::input_grad(&shape, &weight, &grad),
            conv::weight_grad(&shape, &x, &grad),
            FoldedWeight::new([outputs, inputs, kernel, kernel], &weight, stride, padding)
                .forward(&shape, &x, epilogue),
        ];
        // Miri is asked which memory the kernels touch; the loops below would take it ten times as long.
        if cfg!(miri) {
            continue;
        }
        let (mut y, mut x_grad, mut w_grad) = (vec![0.0; y_len], vec![0.0; x_len], vec![0.0; weight_len]);
        each_product(&shape, |to, from, tap| {
            y[to] += x[from] * weight[tap];
            x_grad[from] += grad[to] * weight[tap];
            w_grad[tap] += grad[to] * x[from];
        });
        let folded =
            y.iter().enumerate().map(|(idx, y)| (y + bias[idx % outputs] + residual[idx]).max(0.0)).collect();
        let names = ["output", "input gradient", "weight gradient", "folded output"];
        for ((found, expected), name) in by_kernels.iter().zip([y, x_grad, w_grad, folded]).zip(names) {
            let largest = expected.iter().fold(0.0, |most: f32, value| most.max(value.abs()));
            for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
                let error = (found - expected).abs();
                assert!(
                    error <= tolerance * largest,
                    "{name} {at} of {shape:?}: {found}, expected {expected} ± {tolerance} · {largest}"
                );
            }
        }
    }
}

#[test]
fn depthwise_convolutions_and_their_gradients_sum_the_right_products() {
    for (dims, stride) in [([2, 3, 5, 17], 1), ([1, 4, 3, 16], 2), ([1, 1, 1, 3], 1), ([2, 2, 9, 2], 2)] {
        let [n, height, width, channels] = dims;
        let shape = DepthwiseShape::new(dims, [channels, 1, 3, 3], stride);
        let [_, out_height, out_width, _] = shape.output();
        let (x, weight) = (floats(dims.iter().product(), 1), floats(9 * channels, 2));
        let grad = floats(shape.output().iter().product(), 3);
        let found = [
            depthwise::forward(shape, &x, &weight),
            depthwise::input_grad(shape, &weight, &grad),
            depthwise::weight_grad(shape, &x, &grad),
        ];
        let mut expected = [vec![0.0; grad.len()], vec![0.0; x.len()], vec![0.0; weight.len()]];
        // A channel alone is a convolution of one channel.
        let alone = ConvShape::new([n, height, width, 1], [1, 1, 3, 3], stride, 1);
        assert_eq!(alone.output(), [out_height, out_width]);
        for channel in 0..channels {
            each_product(&alone, |to, from, tap| {
                let (to, from) = (to * channels + channel, from * channels + channel);
                let tap = channel * 9 + tap;
                expected[0][to] += x[from] * weight[tap];
                expected[1][from] += grad[to] * weight[tap];
                expected[2][tap] += grad[to] * x[from];
            });
        }
        assert_eq!(found, expected, "{dims:?} /{stride}");
    }
}

#[test]
fn statistics_and_affine_passes_follow_their_formulas() {
    for channels in [1, 16, 19, 35] {
        let x = floats(12 * channels, 1);
        let (mean, variance) = norm::statistics(&x, channels);
        let of = |channel: usize| x.iter().skip(channel).step_by(channels).map(|v| f64::from(*v));
        for channel in 0..channels {
            let expected = of(channel).sum::<f64>() / 12.0;
            let squares = of(channel).map(|value| (value - expected).powi(2)).sum::<f64>() / 12.0;
            assert!(
                (f64::from(mean[channel]) - expected).abs() < 1e-6,
                "mean of channel {channel} of {channels}"
            );
            assert!((f64::from(variance[channel]) - squares).abs() < 1e-6, "variance of channel {channel}");
        }
        let (scale, shift, residual) = (floats(channels, 2), floats(channels, 3), floats(x.len(), 4));
        let affine = Affine { scale: &scale, shift: &shift, residual: Some(&residual), relu: true };
        let y = affine.of(&x);
        let formula =
            |idx: usize| (x[idx] * scale[idx % channels] + shift[idx % channels] + residual[idx]).max(0.0);
        assert_eq!(y, (0..x.len()).map(formula).collect::<Vec<f32>>(), "{channels} channels");
    }
}

#[test]
fn gradient_passes_work_in_place() {
    let (channels, len) = (19, 19 * 6);
    let (x, y, grad, center) = (floats(len, 1), floats(len, 2), floats(len, 3), floats(channels, 4));
    let norm = NormGrad { x: &x, relu_output: Some(&y) };
    let open = |idx: usize| if y[idx] > 0.0 { grad[idx] } else { 0.0 };
    let (sums, masked) = norm.sums_and_masked(&center, &grad);
    assert_eq!(masked, (0..len).map(open).collect::<Vec<f32>>());
    let expected =
        (0..len).step_by(channels).map(|first| f64::from(open(first) * (x[first] - center[0]))).sum::<f64>();
    assert!((sums[0][1] - expected).abs() < 1e-6);
    assert_eq!(norm.sums(&center, &grad), sums);
    let [a, b, c] = [5, 6, 7].map(|seed| floats(channels, seed));
    let mut coefficients =
        InputCoefficients { of_grad: a.clone(), of_x_and_one: Some([b.clone(), c.clone()]) };
    let mut in_place = grad.clone();
    norm.input_over(&coefficients, &mut in_place);
    let formula = |idx: usize| a[idx % channels] * open(idx) - b[idx % channels] * x[idx] + c[idx % channels];
    assert_eq!(in_place, (0..len).map(formula).collect::<Vec<f32>>());
    coefficients.of_x_and_one = None;
    let mut in_place = grad.clone();
    norm.input_over(&coefficients, &mut in_place);
    assert_eq!(in_place, (0..len).map(|idx| a[idx % channels] * open(idx)).collect::<Vec<f32>>());
}

#[test]
fn pooling_takes_and_gives_back_the_right_elements() {
    for dims in [[2, 4, 6, 17], [1, 5, 3, 2]] {
        let x = floats(dims.iter().product(), 1);
        for kind in [Pool::Max, Pool::Mean] {
            let y = pool::forward(kind, dims, &x);
            let grad = floats(y.len(), 2);
            let of = if kind == Pool::Max { PoolGrad::Max(&x) } else { PoolGrad::Mean };
            let x_grad = pool::backward(of, dims, &grad);
            let total = |values: &[f32]| values.iter().sum::<f32>();
            assert_eq!(total(&x_grad), total(&grad), "{kind:?} of {dims:?}: every gradient arrives once");
            let first = [0, 1, dims[2], dims[2] + 1].map(|pixel| x[pixel * dims[3]]);
            let expected = match kind {
                Pool::Max => first.into_iter().fold(f32::MIN, f32::max),
                Pool::Mean => first.iter().sum::<f32>() / 4.0,
            };
            assert_eq!(y[0], expected, "{kind:?} of {dims:?}");
        }
    }
    let spread = pool::global_mean_backward(4, 3, &pool::global_mean(4, 3, &[1.0; 24]));
    assert_eq!(spread, [0.25; 24]);
}
