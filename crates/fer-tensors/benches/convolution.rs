//! The 3×3 convolutions of the networks: our kernels, im2col with the `gemm` crate, and Burn's own.
//! In: random maps, batch 32. Out: criterion's figures; a throughput element is one multiply-accumulate.
//! Run with `cargo bench -p fer-kernels`.
#![allow(missing_docs)]

use std::time::Duration;

use burn::Tensor;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Distribution, module};
use criterion::{
    BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use fer_kernels::{FoldedConv, Map};
use fer_tensors::FeatureMap;
use rayon::prelude::*;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const BATCH: usize = 32;

/// Side, input channels, output channels.
const LAYERS: [[usize; 3]; 5] = [[24, 16, 32], [24, 64, 64], [12, 128, 128], [12, 48, 48], [6, 256, 256]];

fn convolution(criterion: &mut Criterion) {
    for [side, inputs, outputs] in LAYERS {
        let mut group = criterion.benchmark_group(format!("{side}x{side} {inputs}-{outputs}"));
        group
            .measurement_time(Duration::from_secs(3))
            .warm_up_time(Duration::from_millis(500))
            .sample_size(20);
        group.throughput(Throughput::Elements((BATCH * side * side * inputs * outputs * 9) as u64));
        forward(&mut group, [side, inputs, outputs]);
        backward(&mut group, [side, inputs, outputs]);
        group.finish();
    }
}

fn random<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), device)
}

fn forward(group: &mut BenchmarkGroup<WallTime>, [side, inputs, outputs]: [usize; 3]) {
    let device = Device::flex();
    let x = random([BATCH, inputs, side, side], &device);
    let weight = random([outputs, inputs, 3, 3], &device);
    let map = own_layout(side, inputs, &device);
    let floats = |tensor: Tensor<4>| tensor.into_data().iter().collect::<Vec<f32>>();
    let folded = FoldedConv::new(weight.dims(), &floats(weight.clone()), vec![0.0; outputs], 1, 1);
    let own = Map::new([BATCH, side, side, inputs], floats(x.clone().permute([0, 2, 3, 1])));
    group.bench_function("ours", |b| b.iter(|| folded.forward(&own, None, false)));
    group.bench_function("ours, weights packed each time", |b| {
        b.iter(|| map.clone().conv2d(weight.clone(), None, 1, 1))
    });
    let pixels: Vec<f32> = x.clone().permute([0, 2, 3, 1]).into_data().iter().collect();
    let taps: Vec<f32> = weight.clone().permute([2, 3, 1, 0]).into_data().iter().collect();
    group.bench_function("im2col and gemm", |b| {
        b.iter(|| im2col_gemm([side, inputs, outputs], &pixels, &taps))
    });
    let options = || ConvOptions::new([1, 1], [1, 1], [1, 1], 1);
    group.bench_function("burn", |b| b.iter(|| module::conv2d(x.clone(), weight.clone(), None, options())));
}

/// A map that an operation of ours has written, so that no permutation is timed.
fn own_layout(side: usize, channels: usize, device: &Device) -> FeatureMap {
    FeatureMap::from_images(random([BATCH, channels, 2 * side, 2 * side], device)).avg_pool2()
}

fn backward(group: &mut BenchmarkGroup<WallTime>, [side, inputs, outputs]: [usize; 3]) {
    let device = Device::flex().autodiff();
    let weight = random([outputs, inputs, 3, 3], &device).require_grad();
    let x = random([BATCH, inputs, side, side], &device).require_grad();
    let options = || ConvOptions::new([1, 1], [1, 1], [1, 1], 1);
    let ours =
        || FeatureMap::from_images(x.clone()).conv2d(weight.clone(), None, 1, 1).to_nchw().sum().backward();
    group.bench_function("training step, ours", |b| b.iter(ours));
    let burns = || module::conv2d(x.clone(), weight.clone(), None, options()).sum().backward();
    group.bench_function("training step, burn", |b| b.iter(burns));
}

/// Images `[n, side, side, inputs]` times taps `[3, 3, inputs, outputs]`: per image a matrix of patches, then one product.
fn im2col_gemm([side, inputs, outputs]: [usize; 3], pixels: &[f32], taps: &[f32]) -> Vec<f32> {
    let mut y = vec![0.0f32; BATCH * side * side * outputs];
    let images = pixels.par_chunks(side * side * inputs).zip(y.par_chunks_mut(side * side * outputs));
    images.for_each_init(Vec::new, |patches: &mut Vec<f32>, (image, y)| {
        patches.resize(side * side * 9 * inputs, 0.0);
        for (pixel, patch) in patches.chunks_exact_mut(9 * inputs).enumerate() {
            for (tap, to) in patch.chunks_exact_mut(inputs).enumerate() {
                let (from_y, from_x) = (pixel / side + tap / 3, pixel % side + tap % 3);
                match (1..=side).contains(&from_y) && (1..=side).contains(&from_x) {
                    true => {
                        to.copy_from_slice(&image[((from_y - 1) * side + from_x - 1) * inputs..][..inputs])
                    }
                    false => to.fill(0.0),
                }
            }
        }
        let (m, k, n) = (side * side, 9 * inputs, outputs);
        let (y, patches, taps) = (y.as_mut_ptr(), patches.as_ptr(), taps.as_ptr());
        #[allow(unsafe_code)]
        // SAFETY: the three matrices are row-major with m × n, m × k and k × n elements, as allocated above.
        unsafe {
            let none = gemm::Parallelism::None;
            gemm::gemm(
                m, n, k, y, 1, n as isize, false, patches, 1, k as isize, taps, 1, n as isize, 0.0, 1.0,
                false, false, false, none,
            );
        }
    });
    y
}

criterion_group!(benches, convolution);
criterion_main!(benches);
