//! Weights in the order the kernels read them.
//! In: `[O, I, kh, kw]`. Out: panels of two vectors of output channels, zero-filled.

use rayon::prelude::*;

use super::gather::{Class, Gather};
use super::{ConvShape, PANEL};
use crate::lanes::parallel::several_threads;
use crate::lanes::scratch::AlignedBuffer;
use crate::lanes::simd::LANES;

/// Where a weight lies in `[O, I, kh, kw]`, seen from a gather's own outputs and inputs.
#[derive(Debug, Clone, Copy)]
pub(super) struct WeightStrides {
    output: usize,
    input: usize,
    kernel_width: usize,
}

impl WeightStrides {
    /// A forward gather writes O channels and reads I.
    pub(super) fn forward(shape: &ConvShape) -> Self {
        let taps = shape.kernel[0] * shape.kernel[1];
        Self { output: shape.input[2] * taps, input: taps, kernel_width: shape.kernel[1] }
    }

    /// The input gradient writes I channels and reads O.
    pub(super) fn input_grad(shape: &ConvShape) -> Self {
        let forward = Self::forward(shape);
        Self { output: forward.input, input: forward.output, ..forward }
    }
}

/// Weights in the order the kernel reads them: class, panel, block, tap, input channel, output channel.
#[derive(Clone)]
pub(super) struct PackedWeight {
    floats: std::sync::Arc<AlignedBuffer>,
    len: usize,
}

impl PackedWeight {
    /// Packs `[O, I, kh, kw]`; missing channels of the last block and panel are zero.
    pub(super) fn new(plan: &Gather, weight: &[f32], strides: WeightStrides) -> Self {
        let mut floats = AlignedBuffer::zeroed(plan.weights_len);
        let mut rest = floats.floats(plan.weights_len);
        let mut panels = Vec::new();
        for class in &plan.classes {
            for panel in 0..plan.n_panels() {
                let len = class.offsets.len() * plan.layout.block() * plan.panel_vectors(panel) * LANES;
                let (packed, after) = rest.split_at_mut(len);
                panels.push((class, panel, packed));
                rest = after;
            }
        }
        let pack = |(class, panel, packed): (&Class, usize, &mut [f32])| {
            pack_panel(plan, class, panel, weight, strides, packed)
        };
        if several_threads() && plan.weights_len > 1 << 14 {
            panels.into_par_iter().for_each(pack);
        } else {
            panels.into_iter().for_each(pack);
        }
        Self { floats: std::sync::Arc::new(floats), len: plan.weights_len }
    }
}

impl PackedWeight {
    /// All panels, for a gather whose weights are `len` floats.
    pub(super) fn floats(&self, len: usize) -> &[f32] {
        assert_eq!(self.len, len, "conv2d: the weight was packed for another convolution");
        self.floats.as_slice(self.len)
    }

    /// The panels of a gather with one class, `panel_len` floats each; the last may be shorter.
    pub(super) fn panels(&self, panel_len: usize) -> rayon::slice::Chunks<'_, f32> {
        self.floats.as_slice(self.len).par_chunks(panel_len)
    }
}

/// Reads the weight in its own order as far as possible, and scatters into the panel, which fits the cache.
fn pack_panel(
    plan: &Gather,
    class: &Class,
    panel: usize,
    weight: &[f32],
    strides: WeightStrides,
    packed: &mut [f32],
) {
    let (block, width) = (plan.layout.block(), plan.panel_vectors(panel) * LANES);
    let n_taps = class.taps.len();
    let outputs = panel * PANEL..(panel * PANEL + width).min(plan.output[2]);
    for (lane, output) in outputs.enumerate() {
        for input in 0..plan.layout.image[2] {
            let from = &weight[output * strides.output + input * strides.input..];
            let to = (input / block * n_taps * block + input % block) * width + lane;
            for (tap_idx, [ky, kx]) in class.taps.iter().enumerate() {
                packed[to + tap_idx * block * width] = from[ky * strides.kernel_width + kx];
            }
        }
    }
}
