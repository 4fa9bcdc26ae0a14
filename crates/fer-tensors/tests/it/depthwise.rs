//! Depthwise convolution: forward and both gradients, against Burn's grouped convolution.

use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, module};
use fer_kernels::FoldedDepthwise;
use fer_tensors::FeatureMap;

use crate::support::{
    assert_close, assert_same, map_of, random, tensor_of, values, with_every_instruction_set, with_threads,
};

/// Sums of nine products, of the weight's gradient of a few thousand, in another order.
const TOLERANCE: f32 = 1e-5;

/// `[N, C, H, W]` and the stride: odd and even sides, single pixels, channels around a vector.
const CASES: [([usize; 4], usize); 8] = [
    ([2, 16, 6, 6], 1),
    ([1, 1, 5, 7], 1),
    ([3, 19, 7, 4], 2),
    ([2, 48, 24, 24], 2),
    ([1, 33, 1, 1], 1),
    ([1, 5, 1, 2], 2),
    ([2, 8, 2, 1], 1),
    ([9, 40, 13, 12], 1),
];

#[test]
fn each_channel_is_convolved_with_its_own_kernel_as_burn_does() {
    with_every_instruction_set(|| {
        for (dims, stride) in CASES {
            let n_channels = dims[1];
            let plain = Device::flex();
            let (x, weight) = (random(dims, 1, &plain), random([n_channels, 1, 3, 3], 2, &plain));
            let options = ConvOptions::new([stride, stride], [1, 1], [1, 1], n_channels);
            let expected = module::conv2d(x.clone(), weight.clone(), None, options);
            let found = FeatureMap::from_images(x.clone()).depthwise(weight.clone(), stride).to_nchw();
            assert_same(&format!("{dims:?} /{stride}"), &found, &expected, TOLERANCE);
            let folded = FoldedDepthwise::new(n_channels, &values(&weight), stride).forward(&map_of(&x));
            assert_same(&format!("folded {dims:?} /{stride}"), &tensor_of(&folded), &expected, TOLERANCE);
        }
    });
}

#[test]
fn gradients_are_burns_with_any_number_of_threads() {
    for (dims, stride) in CASES {
        let n_channels = dims[1];
        let device = Device::flex().autodiff();
        let x = random(dims, 3, &device).require_grad();
        let weight = random([n_channels, 1, 3, 3], 4, &device).require_grad();
        let options = ConvOptions::new([stride, stride], [1, 1], [1, 1], n_channels);
        let out = module::conv2d(x.clone(), weight.clone(), None, options);
        let of_output = random(out.dims(), 5, &device);
        let grads = (out * of_output.clone()).sum().backward();
        let expected = [x.grad(&grads).unwrap(), weight.grad(&grads).unwrap()].map(|grad| values(&grad));
        for threads in [1, 3] {
            let found = with_threads(threads, || {
                let out = FeatureMap::from_images(x.clone()).depthwise(weight.clone(), stride).to_nchw();
                let grads = (out * of_output.clone()).sum().backward();
                [x.grad(&grads).unwrap(), weight.grad(&grads).unwrap()].map(|grad| values(&grad))
            });
            for ((what, found), expected) in ["input", "weight"].into_iter().zip(&found).zip(&expected) {
                assert_close(&format!("{what} of {dims:?} /{stride}"), found, expected, TOLERANCE);
            }
        }
    }
}

#[test]
#[should_panic(expected = "a weight of [4, 1, 3, 3] for 5 channels")]
fn a_weight_of_other_channels_is_refused() {
    let device = Device::flex();
    let x = random([1, 5, 4, 4], 1, &device);
    drop(FeatureMap::from_images(x).depthwise(random([4, 1, 3, 3], 2, &device), 1));
}

#[test]
#[should_panic(expected = "stride 3, expected 1 or 2")]
fn a_stride_of_three_is_refused() {
    let device = Device::flex();
    let x = random([1, 4, 6, 6], 1, &device);
    drop(FeatureMap::from_images(x).depthwise(random([4, 1, 3, 3], 2, &device), 3));
}
