//! What happens to a convolution's sums before they are written.
//! In: a vector of sums. Out: the same with bias, residual and ReLU.
#![allow(unsafe_code)] // Runs inside the kernels, on their pointers.

use crate::lanes::simd::Lanes;

/// What happens to a sum before it is written.
#[derive(Debug, Clone, Copy, Default)]
pub struct Epilogue<'a> {
    /// Added per output channel.
    pub bias: Option<&'a [f32]>,
    /// Added per element: the shape of the output.
    pub residual: Option<&'a [f32]>,
    /// Clip at zero; NaN stays NaN.
    pub relu: bool,
}

impl Epilogue<'_> {
    /// Panics unless bias and residual fit an output of `out_len` floats and `n_channels` channels.
    pub(super) fn check(&self, out_len: usize, n_channels: usize) {
        if let Some(residual) = self.residual {
            let found = residual.len();
            assert_eq!(found, out_len, "conv2d: a residual of {found} floats for an output of {out_len}");
        }
        if let Some(bias) = self.bias {
            let found = bias.len();
            assert_eq!(
                found, n_channels,
                "conv2d: a bias of {found} values for {n_channels} output channels"
            );
        }
    }

    /// The value to write for a sum: `lanes` channels from `channel` on, at position `at` of the output.
    ///
    /// # Safety
    ///
    /// The instruction set of `L` is there, [`Epilogue::check`] passed, and the lanes are inside the output.
    #[inline(always)]
    pub(super) unsafe fn finish<L: Lanes>(&self, sum: L, channel: usize, at: usize, lanes: usize) -> L {
        let mut value = sum;
        // SAFETY: the caller's promise.
        unsafe {
            if let Some(bias) = self.bias {
                value = value.add(L::load_first(bias.as_ptr().add(channel), lanes));
            }
            if let Some(residual) = self.residual {
                value = value.add(L::load_first(residual.as_ptr().add(at), lanes));
            }
        }
        if self.relu { value.relu() } else { value }
    }
}
