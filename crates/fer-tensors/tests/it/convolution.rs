//! Convolution: forward, both gradients, folded.

use burn::Tensor;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, module};
use fer_kernels::{FoldedConv, Norm};
use fer_tensors::FeatureMap;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use crate::slow;
use crate::support::{
    assert_close, assert_same, folded, map_of, random, tensor_of, values, with_every_instruction_set,
    with_threads,
};

/// Sums of a few thousand products of values below 1, in another order: some 1e-6 of the largest.
const TOLERANCE: f32 = 1e-5;

#[derive(Debug, Clone, Copy)]
struct Case {
    n: usize,
    height: usize,
    width: usize,
    inputs: usize,
    outputs: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    threads: usize,
}

impl Case {
    fn x_dims(&self) -> [usize; 4] {
        [self.n, self.inputs, self.height, self.width]
    }

    fn weight_dims(&self) -> [usize; 4] {
        [self.outputs, self.inputs, self.kernel, self.kernel]
    }
}

/// Channel counts around the vector and panel sizes, and some of no special kind.
fn channels() -> impl Strategy<Value = usize> {
    prop_oneof![Just(1), Just(16), Just(32), Just(48), 1..70usize]
}

/// Half of them of any kind, half of the kind that Winograd's algorithm computes.
fn cases() -> impl Strategy<Value = Case> {
    prop_oneof![any_case(), any_case().prop_map(winograd_case)]
}

fn winograd_case(case: Case) -> Case {
    let whole = |channels: usize| channels.next_multiple_of(16);
    let (inputs, outputs) = (whole(case.inputs), whole(case.outputs));
    Case { inputs, outputs, kernel: 3, stride: 1, padding: 1, ..case }
}

fn any_case() -> impl Strategy<Value = Case> {
    let sizes = (1..6usize, 3..28usize, 3..28usize, channels(), channels());
    let kernels = (prop_oneof![Just(1usize), Just(2), Just(3)], 1..3usize, 0..3usize, 1..4usize);
    (sizes, kernels).prop_map(|((n, height, width, inputs, outputs), (kernel, stride, padding, threads))| {
        Case { n, height, width, inputs, outputs, kernel, stride, padding, threads }
    })
}

/// Output and the three gradients, by our kernels or by Burn's own operation.
fn run(case: &Case, ours: bool) -> [Tensor<4>; 3] {
    let device = Device::flex().autodiff();
    let x = random(case.x_dims(), 1, &device).require_grad();
    let weight = random(case.weight_dims(), 2, &device).require_grad();
    let y = match ours {
        true => FeatureMap::from_images(x.clone())
            .conv2d(weight.clone(), None, case.stride, case.padding)
            .to_nchw(),
        false => {
            let options = ConvOptions::new([case.stride; 2], [case.padding; 2], [1, 1], 1);
            module::conv2d(x.clone(), weight.clone(), None, options)
        }
    };
    let probe = random(y.dims(), 3, &device);
    let grads = (y.clone() * probe).sum().backward();
    let grad =
        |tensor: &Tensor<4>| Tensor::from_inner(tensor.grad(&grads).expect("the gradient was asked for"));
    [y, grad(&x), grad(&weight)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn output_and_gradients_equal_burns(case in cases()) {
        with_every_instruction_set(|| with_threads(case.threads, || {
            let expected = run(&case, false);
            for (what, (actual, expected)) in ["output", "input gradient", "weight gradient"].iter().zip(run(&case, true).iter().zip(&expected)) {
                assert_same(&format!("{what} of {case:?}"), actual, expected, TOLERANCE);
            }
        }));
    }

    #[test]
    fn output_equals_the_slow_twins(case in cases()) {
        let device = Device::flex();
        let (x, weight) = (random(case.x_dims(), 4, &device), random(case.weight_dims(), 5, &device));
        let expected = slow::conv2d(case.x_dims(), &values(&x), case.weight_dims(), &values(&weight), case.stride, case.padding);
        with_every_instruction_set(|| with_threads(case.threads, || {
            let y = FeatureMap::from_images(x.clone()).conv2d(weight.clone(), None, case.stride, case.padding).to_nchw();
            assert_close(&format!("{case:?}"), &values(&y), &expected, TOLERANCE);
        }));
    }

    #[test]
    fn folded_convolution_with_residual_and_relu_equals_the_parts(case in cases()) {
        let device = Device::flex();
        let (x, weight) = (random(case.x_dims(), 6, &device), random(case.weight_dims(), 7, &device));
        let [gamma, beta, mean] = [8, 9, 10].map(|seed| random([case.outputs], seed, &device));
        let variance = random([case.outputs], 11, &device).abs() + 0.1;
        with_every_instruction_set(|| with_threads(case.threads, || {
            let x = FeatureMap::from_images(x.clone());
            let y = x.clone().conv2d(weight.clone(), None, case.stride, case.padding);
            let residual = FeatureMap::from_images(random(y.dims(), 12, &device));
            let args = (gamma.clone(), beta.clone(), mean.clone(), variance.clone());
            let expected = y.batch_norm_eval(args.0.clone(), args.1.clone(), args.2.clone(), args.3.clone(), 1e-5, Some(residual.clone()), true);
            let [gamma, beta, mean, variance] = [args.0, args.1, args.2, args.3].map(|tensor| values(&tensor));
            let norm = Norm { gamma: &gamma, beta: &beta, mean: &mean, variance: &variance, epsilon: 1e-5 };
            let folded = FoldedConv::fold(case.weight_dims(), &values(&weight), norm, case.stride, case.padding);
            let actual = folded.forward(&map_of(&x.to_nchw()), Some(&map_of(&residual.to_nchw())), true);
            assert_same(&format!("{case:?}"), &tensor_of(&actual), &expected.to_nchw(), TOLERANCE);
        }));
    }
}

#[test]
fn gradients_equal_finite_differences() {
    let case = Case {
        n: 2,
        height: 5,
        width: 6,
        inputs: 3,
        outputs: 4,
        kernel: 3,
        stride: 2,
        padding: 1,
        threads: 1,
    };
    let [_, x_grad, weight_grad] = run(&case, true);
    let device = Device::flex();
    let (x, weight) =
        (values(&random(case.x_dims(), 1, &device)), values(&random(case.weight_dims(), 2, &device)));
    let loss = |x: &[f32], weight: &[f32]| -> f64 {
        let y = slow::conv2d(case.x_dims(), x, case.weight_dims(), weight, case.stride, case.padding);
        let probe = crate::support::floats(y.len(), 3);
        // Same probe as in `run`, laid out the same way: [N, C, H, W].
        y.iter().zip(&probe).map(|(y, probe)| f64::from(*y) * f64::from(*probe)).sum()
    };
    // The loss is linear in each operand, so a large step costs no accuracy.
    let slope = |at: usize, values: &[f32], loss: &dyn Fn(&[f32]) -> f64| -> f32 {
        let moved = |by: f32| {
            let mut moved = values.to_vec();
            moved[at] += by;
            loss(&moved)
        };
        ((moved(0.5) - moved(-0.5)) / 1.0) as f32
    };
    let x_slopes: Vec<f32> = (0..x.len()).map(|at| slope(at, &x, &|x| loss(x, &weight))).collect();
    let weight_slopes: Vec<f32> =
        (0..weight.len()).map(|at| slope(at, &weight, &|weight| loss(&x, weight))).collect();
    assert_close("input gradient", &values(&x_grad), &x_slopes, TOLERANCE);
    assert_close("weight gradient", &values(&weight_grad), &weight_slopes, TOLERANCE);
}

#[test]
fn bias_is_added_and_gets_the_summed_gradient() {
    let device = Device::flex().autodiff();
    let x = FeatureMap::from_images(random([3, 5, 7, 6], 1, &device));
    let weight = random([20, 5, 3, 3], 2, &device);
    let bias = random([20], 3, &device).require_grad();
    let without = x.clone().conv2d(weight.clone(), None, 1, 1).to_nchw();
    let y = x.conv2d(weight, Some(bias.clone()), 1, 1).to_nchw();
    let expected = without + bias.clone().reshape([1, 20, 1, 1]);
    assert_same("output", &y, &expected, TOLERANCE);
    let probe = random(y.dims(), 4, &device);
    let grads = (y * probe.clone()).sum().backward();
    let expected: Tensor<1> = probe.inner().swap_dims(0, 1).reshape([20, -1]).sum_dim(1).reshape([20]);
    assert_same("bias gradient", &bias.grad(&grads).expect("the bias is tracked"), &expected, TOLERANCE);
}

#[test]
fn weight_gradient_is_the_same_bit_for_bit_with_any_number_of_threads() {
    let case = Case {
        n: 37,
        height: 9,
        width: 12,
        inputs: 17,
        outputs: 48,
        kernel: 3,
        stride: 1,
        padding: 1,
        threads: 1,
    };
    with_every_instruction_set(|| {
        let one = with_threads(1, || run(&case, true).map(|tensor| values(&tensor)));
        for threads in 2..5 {
            let several = with_threads(threads, || run(&case, true).map(|tensor| values(&tensor)));
            assert!(one == several, "{threads} threads");
        }
    });
}

#[test]
fn an_image_gives_the_same_bits_alone_and_in_a_batch() {
    let device = Device::flex();
    let images = random([9, 32, 12, 12], 1, &device);
    let folded = folded(&random([48, 32, 3, 3], 2, &device), &random([48], 3, &device), 1, 1);
    let run = |images: Tensor<4>| tensor_of(&folded.forward(&map_of(&images), None, true));
    with_every_instruction_set(|| {
        let together = run(images.clone());
        for image in 0..9 {
            let alone = run(images.clone().narrow(0, image, 1));
            let expected = together.clone().narrow(0, image, 1);
            assert!(values(&alone) == values(&expected), "image {image}");
        }
    });
}
