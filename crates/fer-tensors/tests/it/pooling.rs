//! 2×2 pooling and the mean over the image, with gradients.

use burn::Tensor;
use burn::tensor::ops::{AvgPoolOptions, MaxPoolOptions};
use burn::tensor::{Device, module};
use fer_tensors::FeatureMap;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use crate::support::{assert_same, random, with_every_instruction_set, with_threads};

#[derive(Debug, Clone, Copy)]
enum Pooling {
    Max,
    Mean,
    Global,
    Weighted,
}

/// Output and input gradient.
fn run(pooling: Pooling, dims: [usize; 4], ours: bool) -> [Tensor<4>; 2] {
    let device = Device::flex().autodiff();
    // Rounded to tenths, so that blocks hold equal values and the choice between them shows.
    let x = ((random(dims, 1, &device) * 10.0).round() / 10.0).require_grad();
    let map = FeatureMap::from_images(x.clone());
    let weights = random([dims[1], dims[2], dims[3]], 3, &device);
    let unsqueeze = |means: Tensor<2>| means.unsqueeze_dims(&[2, 3]);
    let y = match (pooling, ours) {
        (Pooling::Max, true) => map.max_pool2().to_nchw(),
        (Pooling::Max, false) => module::max_pool2d(x.clone(), MaxPoolOptions::new([2, 2])),
        (Pooling::Mean, true) => map.avg_pool2().to_nchw(),
        (Pooling::Mean, false) => module::avg_pool2d(x.clone(), AvgPoolOptions::new([2, 2])),
        (Pooling::Global, true) => unsqueeze(map.global_avg_pool()),
        (Pooling::Global, false) => module::adaptive_avg_pool2d(x.clone(), [1, 1]),
        (Pooling::Weighted, true) => unsqueeze(map.weighted(weights).global_avg_pool()),
        (Pooling::Weighted, false) => module::adaptive_avg_pool2d(x.clone() * weights.unsqueeze(), [1, 1]),
    };
    let grads = (y.clone() * random(y.dims(), 2, &device)).sum().backward();
    [y, Tensor::from_inner(x.grad(&grads).expect("tracked"))]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, rng_seed: RngSeed::Fixed(3), ..ProptestConfig::default() })]

    #[test]
    fn output_and_gradient_equal_burns(
        n in 1..5usize, channels in 1..70usize, height in 2..20usize, width in 2..20usize, threads in 1..4usize,
    ) {
        let dims = [n, channels, height, width];
        for pooling in [Pooling::Max, Pooling::Mean, Pooling::Global, Pooling::Weighted] {
            with_every_instruction_set(|| with_threads(threads, || {
                let (actual, expected) = (run(pooling, dims, true), run(pooling, dims, false));
                assert_same(&format!("{pooling:?} of {dims:?}"), &actual[0], &expected[0], 1e-6);
                assert_same(&format!("gradient of {pooling:?} of {dims:?}"), &actual[1], &expected[1], 1e-6);
            }));
        }
    }
}
