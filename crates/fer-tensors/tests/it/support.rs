//! Random tensors, comparisons, and the lock under which a test may choose instruction sets.
//! In: shapes and seeds. Out: tensors on Flex.

use std::sync::{Mutex, MutexGuard, PoisonError};

use burn::Tensor;
use burn::tensor::{Device, TensorData};
use fer_kernels::{FoldedConv, InstructionSet, Map};
use rand::{RngExt, SeedableRng, rngs::StdRng};

/// Standard-normal-like values in [-1, 1), the same for the same seed.
pub(crate) fn floats(len: usize, seed: u64) -> Vec<f32> {
    let mut rng = StdRng::seed_from_u64(seed);
    (0..len).map(|_| rng.random_range(-1.0..1.0)).collect()
}

pub(crate) fn random<const D: usize>(shape: [usize; D], seed: u64, device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(floats(shape.iter().product(), seed), shape), device)
}

pub(crate) fn values<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    tensor.to_data().iter().collect()
}

/// A tensor `[N, C, H, W]` as fer-kernels' map.
pub(crate) fn map_of(tensor: &Tensor<4>) -> Map {
    let [n, channels, height, width] = tensor.dims();
    Map::new([n, height, width, channels], values(&tensor.clone().permute([0, 2, 3, 1])))
}

/// A map as a tensor `[N, C, H, W]` on Flex.
pub(crate) fn tensor_of(map: &Map) -> Tensor<4> {
    let floats = TensorData::new(map.floats().to_vec(), map.dims());
    Tensor::<4>::from_data(floats, &Device::flex()).permute([0, 3, 1, 2])
}

/// A folded convolution of a weight `[O, I, k, k]` and a bias `[O]`.
pub(crate) fn folded(weight: &Tensor<4>, bias: &Tensor<1>, stride: usize, padding: usize) -> FoldedConv {
    FoldedConv::new(weight.dims(), &values(weight), values(bias), stride, padding)
}

/// Panics unless the two agree within `tolerance`, relative to the largest magnitude where that is above 1.
#[track_caller]
pub(crate) fn assert_close(what: &str, actual: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(actual.len(), expected.len(), "{what}: lengths");
    let scale = expected.iter().fold(1.0f32, |largest, value| largest.max(value.abs()));
    for (idx, (actual, expected)) in actual.iter().zip(expected).enumerate() {
        let difference = (actual - expected).abs() / scale;
        assert!(
            difference <= tolerance,
            "{what}: element {idx} is {actual}, expected {expected} (scale {scale})"
        );
    }
}

#[track_caller]
pub(crate) fn assert_same<const D: usize>(
    what: &str,
    actual: &Tensor<D>,
    expected: &Tensor<D>,
    tolerance: f32,
) {
    assert_eq!(actual.dims(), expected.dims(), "{what}: shapes");
    assert_close(what, &values(actual), &values(expected), tolerance);
}

static INSTRUCTION_SETS: Mutex<()> = Mutex::new(());

/// Runs `test` once with every instruction set of this machine, one after the other.
pub(crate) fn with_every_instruction_set(test: impl Fn()) {
    let _guard: MutexGuard<()> = INSTRUCTION_SETS.lock().unwrap_or_else(PoisonError::into_inner);
    for set in InstructionSet::available() {
        set.select().expect("available sets can be selected");
        test();
    }
}

/// A rayon pool of its own.
pub(crate) fn with_threads<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a small pool").install(work)
}
