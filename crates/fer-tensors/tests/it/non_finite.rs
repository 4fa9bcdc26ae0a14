//! NaN, infinities, negative zero and denormals go through every operation as they go through Burn's.
//!
//! Winograd's algorithm, and gathers that read zeros around an image, multiply values that Burn's operations do not: there
//! a NaN may show in a few more elements. Nowhere may it show in fewer.

use burn::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::ops::{ConvOptions, MaxPoolOptions};
use burn::tensor::{Device, TensorData, module};
use fer_tensors::FeatureMap;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use crate::support::{
    floats, folded, map_of, random, tensor_of, values, with_every_instruction_set, with_threads,
};

const EPSILON: f64 = 1e-5;

/// The largest difference of two finite values, relative to the larger one or to 1.
const TOLERANCE: f32 = 2e-4;

/// Some kind of number that arithmetic treats specially.
fn special() -> impl Strategy<Value = f32> {
    prop_oneof![
        Just(f32::NAN),
        Just(-f32::NAN),
        Just(f32::INFINITY),
        Just(f32::NEG_INFINITY),
        Just(-0.0),
        Just(0.0),
        Just(f32::from_bits(1)),
        Just(-f32::MIN_POSITIVE / 2.0),
    ]
}

/// Where specials stand, as fractions of a tensor's length, and which ones.
fn specials() -> impl Strategy<Value = Vec<(f64, f32)>> {
    proptest::collection::vec((0.0..1.0f64, special()), 1..6)
}

/// Values in [-1, 1) with some specials among them.
fn spiked<const D: usize>(
    dims: [usize; D],
    seed: u64,
    specials: &[(f64, f32)],
    device: &Device,
) -> Tensor<D> {
    let mut values = floats(dims.iter().product(), seed);
    let len = values.len();
    for (at, value) in specials {
        values[(at * len as f64) as usize] = *value;
    }
    Tensor::from_data(TensorData::new(values, dims), device)
}

/// How much of the two results must agree.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Agreement {
    /// NaN, infinities and finite values in the same places.
    Exact,
    /// Ours may be non-finite where Burn's is not, but never the other way round.
    NoFewer,
}

#[track_caller]
fn assert_alike(what: &str, actual: &[f32], expected: &[f32], agreement: Agreement) {
    assert_eq!(actual.len(), expected.len(), "{what}: lengths");
    for (idx, (actual, expected)) in actual.iter().zip(expected).enumerate() {
        let alike = match (actual.is_finite(), expected.is_finite()) {
            (true, true) => (actual - expected).abs() <= TOLERANCE * expected.abs().max(1.0),
            (true, false) => false,
            (false, true) => agreement == Agreement::NoFewer,
            (false, false) if agreement == Agreement::NoFewer => true,
            (false, false) => actual.is_nan() == expected.is_nan() && (actual.is_nan() || actual == expected),
        };
        assert!(alike, "{what}: element {idx} is {actual}, Burn's is {expected}");
    }
}

/// What both sides computed, with names.
type Results = Vec<(&'static str, Vec<f32>)>;

#[track_caller]
fn assert_all_alike(actual: &Results, expected: &Results, agreement: Agreement) {
    for ((what, actual), (_, expected)) in actual.iter().zip(expected) {
        assert_alike(what, actual, expected, agreement);
    }
}

/// Batch norm with given statistics, residual, ReLU, and the gradients of input and residual.
fn evaluate(dims: [usize; 4], of_x: &[(f64, f32)], of_residual: &[(f64, f32)], ours: bool) -> Results {
    let device = Device::flex().autodiff();
    let x = spiked(dims, 1, of_x, &device).require_grad();
    let residual = spiked(dims, 2, of_residual, &device).require_grad();
    let [gamma, beta, mean] = [3, 4, 5].map(|seed| random([dims[1]], seed, &device));
    let variance = random([dims[1]], 6, &device).abs() + 0.1;
    let y = if ours {
        let residual = Some(FeatureMap::from_images(residual.clone()));
        let x = FeatureMap::from_images(x.clone());
        x.batch_norm_eval(gamma, beta, mean, variance, EPSILON, residual, true).to_nchw()
    } else {
        relu(module::batch_norm(x.clone(), gamma, beta, mean, variance, EPSILON) + residual.clone())
    };
    // Burn's own mask: a NaN in the output lets its gradient through.
    let probe = random(dims, 7, &device);
    let grads = (y.clone() * probe).sum().backward();
    let grad = |tensor: &Tensor<4>| values(&tensor.grad(&grads).expect("tracked"));
    vec![("output", values(&y)), ("input gradient", grad(&x)), ("residual gradient", grad(&residual))]
}

/// Batch norm with the batch's statistics and ReLU, and the gradient of the input.
fn train(dims: [usize; 4], of_x: &[(f64, f32)], ours: bool) -> Results {
    let device = Device::flex().autodiff();
    let x = spiked(dims, 1, of_x, &device).require_grad();
    let [gamma, beta] = [2, 3].map(|seed| random([dims[1]], seed, &device) + 1.5);
    let (y, mean, variance) = if ours {
        let map = FeatureMap::from_images(x.clone());
        let (y, mean, variance) = map.batch_norm_train(gamma, beta, EPSILON, None, true);
        (y.to_nchw(), mean, variance)
    } else {
        let normalized = module::batch_norm_train(x.clone(), gamma, beta, EPSILON);
        (relu(normalized.output), normalized.mean, normalized.variance)
    };
    let grads = (y.clone() * random(dims, 4, &device)).sum().backward();
    vec![
        ("mean", values(&mean)),
        ("variance", values(&variance)),
        ("output", values(&y)),
        ("input gradient", values(&x.grad(&grads).expect("tracked"))),
    ]
}

/// The maximum of each block, and the gradient of the input.
fn pool(dims: [usize; 4], of_x: &[(f64, f32)], ours: bool) -> Results {
    let device = Device::flex().autodiff();
    let x = spiked(dims, 1, of_x, &device).require_grad();
    let y = if ours {
        FeatureMap::from_images(x.clone()).max_pool2().to_nchw()
    } else {
        module::max_pool2d(x.clone(), MaxPoolOptions::new([2, 2]).with_stride([2, 2]))
    };
    let grads = (y.clone() * random(y.dims(), 2, &device)).sum().backward();
    vec![("output", values(&y)), ("input gradient", values(&x.grad(&grads).expect("tracked")))]
}

/// Images `[n, inputs, side, side]`, output channels, kernel side, stride.
type ConvCase = ([usize; 4], usize, usize, usize);

/// A convolution and its gradients.
fn convolve((dims, outputs, kernel, stride): ConvCase, of_x: &[(f64, f32)], ours: bool) -> Results {
    let device = Device::flex().autodiff();
    let x = spiked(dims, 1, of_x, &device).require_grad();
    let weight = random([outputs, dims[1], kernel, kernel], 2, &device).require_grad();
    let y = if ours {
        FeatureMap::from_images(x.clone()).conv2d(weight.clone(), None, stride, kernel / 2).to_nchw()
    } else {
        let options = ConvOptions::new([stride; 2], [kernel / 2; 2], [1, 1], 1);
        module::conv2d(x.clone(), weight.clone(), None, options)
    };
    let grads = (y.clone() * random(y.dims(), 3, &device)).sum().backward();
    let grad = |tensor: &Tensor<4>| values(&tensor.grad(&grads).expect("tracked"));
    vec![("output", values(&y)), ("input gradient", grad(&x)), ("weight gradient", grad(&weight))]
}

/// A folded convolution with residual and ReLU.
fn fold((dims, outputs, kernel, stride): ConvCase, of_x: &[(f64, f32)], ours: bool) -> Results {
    let device = Device::flex();
    let x = spiked(dims, 1, of_x, &device);
    let weight = random([outputs, dims[1], kernel, kernel], 2, &device);
    let bias = random([outputs], 3, &device);
    let options = ConvOptions::new([stride; 2], [kernel / 2; 2], [1, 1], 1);
    let plain = module::conv2d(x.clone(), weight.clone(), Some(bias.clone()), options);
    let residual = spiked(plain.dims(), 4, of_x, &device);
    let y = if ours {
        let folded = folded(&weight, &bias, stride, kernel / 2);
        tensor_of(&folded.forward(&map_of(&x), Some(&map_of(&residual)), true))
    } else {
        relu(plain + residual)
    };
    vec![("folded output", values(&y))]
}

fn dims() -> impl Strategy<Value = [usize; 4]> {
    (1..4usize, prop_oneof![Just(1usize), Just(16), Just(64), 1..70usize], 2..9usize, 2..9usize)
        .prop_map(|(n, channels, height, width)| [n, channels, height, width])
}

fn conv_cases() -> impl Strategy<Value = ConvCase> {
    let channels = || prop_oneof![Just(16usize), Just(32), 1..40usize];
    (1..3usize, channels(), channels(), 3..9usize, prop_oneof![Just(1usize), Just(3)], 1..3usize).prop_map(
        |(n, inputs, outputs, side, kernel, stride)| ([n, inputs, side, side], outputs, kernel, stride),
    )
}

/// Whether Winograd's algorithm computes the case.
fn is_winograd((dims, outputs, kernel, stride): ConvCase) -> bool {
    dims[1] % 16 == 0 && outputs % 16 == 0 && kernel == 3 && stride == 1
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, rng_seed: RngSeed::Fixed(4), ..ProptestConfig::default() })]

    #[test]
    fn evaluation_equals_burns(dims in dims(), of_x in specials(), of_residual in specials(), threads in 1..4usize) {
        let expected = evaluate(dims, &of_x, &of_residual, false);
        with_every_instruction_set(|| with_threads(threads, || {
            assert_all_alike(&evaluate(dims, &of_x, &of_residual, true), &expected, Agreement::Exact);
        }));
    }

    #[test]
    fn training_equals_burns(dims in dims(), of_x in specials(), threads in 1..4usize) {
        prop_assume!(dims[0] * dims[2] * dims[3] >= 16);
        let expected = train(dims, &of_x, false);
        with_every_instruction_set(|| with_threads(threads, || {
            assert_all_alike(&train(dims, &of_x, true), &expected, Agreement::Exact);
        }));
    }

    #[test]
    fn maxima_equal_burns(dims in dims(), of_x in specials(), threads in 1..4usize) {
        let expected = pool(dims, &of_x, false);
        with_every_instruction_set(|| with_threads(threads, || {
            assert_all_alike(&pool(dims, &of_x, true), &expected, Agreement::Exact);
        }));
    }

    #[test]
    fn convolutions_lose_no_nan(case in conv_cases(), of_x in specials(), threads in 1..4usize) {
        let expected = convolve(case, &of_x, false);
        let folded = fold(case, &of_x, false);
        let forward = if is_winograd(case) { Agreement::NoFewer } else { Agreement::Exact };
        with_every_instruction_set(|| with_threads(threads, || {
            let actual = convolve(case, &of_x, true);
            assert_alike("output", &actual[0].1, &expected[0].1, forward);
            assert_all_alike(&actual, &expected, Agreement::NoFewer);
            assert_all_alike(&fold(case, &of_x, true), &folded, forward);
        }));
    }
}

#[test]
fn a_convolution_whose_weights_became_nan_does_not_answer_with_zeros() {
    let device = Device::flex();
    with_every_instruction_set(|| {
        for inputs in [3, 16] {
            let x = random([2, inputs, 6, 6], 1, &device);
            let nan = || Tensor::<1>::full([16 * inputs * 9], f32::NAN, &device).reshape([16, inputs, 3, 3]);
            let folded = folded(&nan(), &Tensor::zeros([16], &device), 1, 1);
            let y = tensor_of(&folded.forward(&map_of(&x), None, true));
            assert!(values(&y).iter().all(|value| value.is_nan()), "folded, {inputs} channels");
            let ones: Tensor<1> = Tensor::ones([16], &device);
            let y = FeatureMap::from_images(x).conv2d(nan(), None, 1, 1);
            let (y, _, variance) = y.batch_norm_train(ones.clone(), ones, EPSILON, None, true);
            assert!(values(&y.to_nchw()).iter().all(|value| value.is_nan()), "training, {inputs} channels");
            assert!(values(&variance).iter().all(|value| value.is_nan()), "variance, {inputs} channels");
        }
    });
}
