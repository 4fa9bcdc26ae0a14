//! A small residual network, trained by our kernels and by Burn's own operations.

use burn::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::loss::cross_entropy_with_logits;
use burn::tensor::ops::{AvgPoolOptions, ConvOptions, MaxPoolOptions};
use burn::tensor::{DType, Device, Int, module};
use fer_tensors::FeatureMap;

use crate::support::{assert_close, random, values};

const EPSILON: f64 = 1e-5;

/// Stem 1 → 16, a block 16 → 32 of stride 2 with shortcut, mean, head: every operation takes part.
struct Weights {
    convs: [Tensor<4>; 4],
    norms: [(Tensor<1>, Tensor<1>); 4],
    head: Tensor<2>,
}

impl Weights {
    fn new(device: &Device) -> Self {
        let conv = |dims: [usize; 4], seed| {
            random(dims, seed, device) * (3.0 / (dims[1] * dims[2] * dims[3]) as f32).sqrt()
        };
        let norm = |channels| (Tensor::ones([channels], device), Tensor::zeros([channels], device));
        Self {
            convs: [
                conv([16, 1, 3, 3], 1),
                conv([32, 16, 3, 3], 2),
                conv([32, 32, 3, 3], 3),
                conv([32, 16, 1, 1], 4),
            ],
            norms: [norm(16), norm(32), norm(32), norm(32)],
            head: random([32, 7], 5, device) * 0.2,
        }
    }

    fn tracked(self) -> Self {
        Self {
            convs: self.convs.map(Tensor::require_grad),
            norms: self.norms.map(|(gamma, beta)| (gamma.require_grad(), beta.require_grad())),
            head: self.head.require_grad(),
        }
    }
}

fn ours(weights: &Weights, images: Tensor<4>) -> Tensor<2> {
    let conv = |x: FeatureMap, idx: usize, stride| {
        x.conv2d(weights.convs[idx].clone(), None, stride, weights.convs[idx].dims()[2] / 2)
    };
    let norm = |x: FeatureMap, idx: usize, residual, relu| {
        let (gamma, beta) = weights.norms[idx].clone();
        x.batch_norm_train(gamma, beta, EPSILON, residual, relu).0
    };
    let x = norm(conv(FeatureMap::from_images(images), 0, 1), 0, None, true).max_pool2();
    let shortcut = norm(conv(x.clone().avg_pool2(), 3, 1), 3, None, false);
    let x = norm(conv(x, 1, 2), 1, None, true);
    norm(conv(x, 2, 1), 2, Some(shortcut), true).global_avg_pool().matmul(weights.head.clone())
}

fn burns(weights: &Weights, images: Tensor<4>) -> Tensor<2> {
    let conv = |x: Tensor<4>, idx: usize, stride| {
        let padding = weights.convs[idx].dims()[2] / 2;
        module::conv2d(
            x,
            weights.convs[idx].clone(),
            None,
            ConvOptions::new([stride; 2], [padding; 2], [1, 1], 1),
        )
    };
    let norm = |x: Tensor<4>, idx: usize| {
        let (gamma, beta) = weights.norms[idx].clone();
        module::batch_norm_train(x, gamma, beta, EPSILON).output
    };
    let x = module::max_pool2d(relu(norm(conv(images, 0, 1), 0)), MaxPoolOptions::new([2, 2]));
    let shortcut = norm(conv(module::avg_pool2d(x.clone(), AvgPoolOptions::new([2, 2])), 3, 1), 3);
    let x = relu(norm(conv(x, 1, 2), 1));
    let x = relu(norm(conv(x, 2, 1), 2) + shortcut);
    module::adaptive_avg_pool2d(x, [1, 1]).flatten::<2>(1, 3).matmul(weights.head.clone())
}

/// Losses of 20 steps of plain gradient descent.
fn losses(forward: impl Fn(&Weights, Tensor<4>) -> Tensor<2>) -> Vec<f32> {
    let device = Device::flex().autodiff();
    let mut weights = Weights::new(&device).tracked();
    let images = random([14, 1, 20, 20], 6, &device);
    let labels = Tensor::<1, Int>::from_data([0, 1, 2, 3, 4, 5, 6, 0, 1, 2, 3, 4, 5, 6], &device);
    let one_hot: Tensor<2> = labels.one_hot(7).float();
    let mut losses = Vec::new();
    for _ in 0..20 {
        let loss = cross_entropy_with_logits(forward(&weights, images.clone()), one_hot.clone());
        losses.push(loss.clone().into_scalar::<f32>());
        let grads = loss.backward();
        fn step<const D: usize>(tensor: &Tensor<D>, grads: &burn::tensor::Gradients) -> Tensor<D> {
            let grad = tensor.grad(grads).expect("every weight takes part");
            Tensor::from_inner(tensor.clone().inner() - grad * 0.5)
        }
        weights = Weights {
            convs: std::array::from_fn(|idx| step(&weights.convs[idx], &grads)),
            norms: std::array::from_fn(|idx| {
                let (gamma, beta) = &weights.norms[idx];
                (step(gamma, &grads), step(beta, &grads))
            }),
            head: step(&weights.head, &grads),
        }
        .tracked();
    }
    losses
}

#[test]
fn twenty_training_steps_give_burns_losses() {
    let (ours, burns) = (losses(ours), losses(burns));
    assert!(ours[19] < 0.8 * ours[0], "the network does not learn: {ours:?}");
    assert_close("losses", &ours, &burns, 1e-4);
}

#[test]
fn numbers_other_than_f32_take_burns_operations_and_agree() {
    let device = Device::flex();
    let weights = Weights::new(&device);
    let double = Weights {
        convs: weights.convs.clone().map(|tensor| tensor.cast(DType::F64)),
        norms: weights.norms.clone().map(|(gamma, beta)| (gamma.cast(DType::F64), beta.cast(DType::F64))),
        head: weights.head.clone().cast(DType::F64),
    };
    let images = random([5, 1, 20, 20], 7, &device);
    let expected = ours(&weights, images.clone());
    let actual = ours(&double, images.cast(DType::F64));
    assert_eq!(actual.dtype(), DType::F64);
    assert_close("logits", &values(&actual), &values(&expected), 1e-5);
}
