//! Wrong lengths and shapes are refused at the door, with what was found and what was expected.

use burn::Tensor;
use burn::tensor::Device;
use fer_kernels::{FoldedConv, Norm, set_threads, threads};
use fer_tensors::FeatureMap;

use crate::support::{folded, map_of, random, values};

const EPSILON: f64 = 1e-5;

/// The message that `work` panics with.
fn refusal<R>(work: impl FnOnce() -> R + std::panic::UnwindSafe) -> String {
    let payload = std::panic::catch_unwind(work).err().expect("it should have been refused");
    let fixed = payload.downcast_ref::<&str>().map(|message| (*message).to_owned());
    payload.downcast_ref::<String>().cloned().or(fixed).expect("a panic with a message")
}

fn map(dims: [usize; 4]) -> FeatureMap {
    FeatureMap::from_images(random(dims, 1, &Device::flex()))
}

fn vector(len: usize) -> Tensor<1> {
    random([len], 2, &Device::flex())
}

#[test]
fn statistics_of_a_wrong_length_are_refused() {
    // One pixel of three channels: a scale of two values would leave memory unwritten.
    for wrong in 0..4 {
        let of = |which| vector(if which == wrong { 2 } else { 3 });
        let message =
            refusal(|| map([1, 3, 1, 1]).batch_norm_eval(of(0), of(1), of(2), of(3), EPSILON, None, false));
        let name = ["gamma", "beta", "mean", "variance"][wrong];
        assert_eq!(
            message.split_once('\n').map_or(message.as_str(), |(first, _)| first),
            format!(
                "assertion `left == right` failed: batch norm, {name}: found 2 values, expected one for each of 3 channels"
            )
        );
    }
    for [gamma, beta] in [[2, 3], [3, 2], [4, 3], [3, 6]] {
        let message =
            refusal(|| map([1, 3, 2, 2]).batch_norm_train(vector(gamma), vector(beta), EPSILON, None, false));
        assert!(message.contains("expected one for each of 3 channels"), "{message}");
    }
}

#[test]
fn a_residual_of_the_same_length_and_another_shape_is_refused() {
    let ones = || Tensor::<1>::ones([4], &Device::flex());
    let residual = || Some(map([1, 4, 6, 2]));
    let messages = [
        refusal(|| {
            map([1, 4, 3, 4]).batch_norm_eval(ones(), ones(), ones(), ones(), EPSILON, residual(), true)
        }),
        refusal(|| map([1, 4, 3, 4]).batch_norm_train(ones(), ones(), EPSILON, residual(), true)),
    ];
    for message in messages {
        assert!(message.contains("found a map of [1, 4, 6, 2], expected [1, 4, 3, 4]"), "{message}");
    }
    let folded = folded(&random([4, 4, 1, 1], 3, &Device::flex()), &ones(), 1, 0);
    let residual = map_of(&map([1, 4, 6, 2]).to_nchw());
    let message =
        refusal(move || folded.forward(&map_of(&map([1, 4, 3, 4]).to_nchw()), Some(&residual), true));
    assert!(message.contains("a residual of [1, 6, 2, 4], expected [1, 3, 4, 4]"), "{message}");
}

#[test]
fn a_residual_that_could_be_broadcast_is_refused() {
    let ones = || Tensor::<1>::ones([4], &Device::flex());
    let residual = || Some(map([1, 4, 1, 1]));
    let message = refusal(|| map([2, 4, 3, 3]).batch_norm_train(ones(), ones(), EPSILON, residual(), true));
    assert!(message.contains("found a map of [1, 4, 1, 1], expected [2, 4, 3, 3]"), "{message}");
}

#[test]
fn convolutions_of_other_channels_or_biases_are_refused() {
    let device = Device::flex();
    let weight = || random([5, 3, 3, 3], 3, &device);
    let refused = [
        refusal(|| map([1, 4, 6, 6]).conv2d(weight(), None, 1, 1)),
        refusal(|| map([1, 3, 6, 6]).conv2d(weight(), Some(vector(3)), 1, 1)),
        refusal(|| map([1, 3, 2, 6]).conv2d(weight(), None, 1, 0)),
        refusal(|| map([1, 3, 6, 6]).conv2d(weight(), None, 0, 1)),
        refusal(|| folded(&weight(), &vector(3), 1, 1)),
        refusal(|| {
            let (five, four) = ([1.0; 5], [1.0; 4]);
            let norm = Norm { gamma: &five, beta: &five, mean: &four, variance: &five, epsilon: 1e-5 };
            FoldedConv::fold(weight().dims(), &values(&weight()), norm, 1, 1)
        }),
    ];
    let expected = [
        "the input has 4 channels, the weight expects 3",
        "found 3 values, expected one for each of 5 channels",
        "smaller than the 3×3 kernel",
        "stride 0",
        "found 3 values, expected one for each of 5 channels",
        "mean: found 4 values, expected one for each of 5 channels",
    ];
    for (message, expected) in refused.iter().zip(expected) {
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn an_empty_batch_has_no_statistics() {
    let message = refusal(|| map([0, 3, 2, 2]).batch_norm_train(vector(3), vector(3), EPSILON, None, false));
    assert!(message.contains("no pixels to take statistics of in [0, 3, 2, 2]"), "{message}");
}

#[test]
fn the_number_of_threads_may_be_asked_for_again_but_not_changed() {
    assert_eq!(set_threads(0), Ok(()));
    assert_eq!(set_threads(0), Ok(()), "a second call");
    assert_eq!(set_threads(threads()), Ok(()));
    let error = set_threads(threads() + 1).expect_err("the pool runs already");
    assert_eq!((error.expected, error.found), (threads() + 1, threads()));
}
