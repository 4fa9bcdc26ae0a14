//! Colours and how they mix.
//! In: hexadecimal colours. Out: [`Ink`], and tiny-skia's colour with an opacity.

use tiny_skia::Color;

/// An opaque colour, sRGB parts in `0..=1`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ink(pub(crate) [f32; 3]);

impl Ink {
    /// The colour of `0xRRGGBB`.
    pub(crate) const fn hex(rgb: u32) -> Self {
        let (r, g, b) = ((rgb >> 16) & 255, (rgb >> 8) & 255, rgb & 255);
        Self([r as f32 / 255.0, g as f32 / 255.0, b as f32 / 255.0])
    }

    /// This colour, `t` of the way to the other.
    pub(crate) fn mix(self, other: Self, t: f32) -> Self {
        let mut parts = self.0;
        for (part, goal) in parts.iter_mut().zip(other.0) {
            *part += (goal - *part) * t;
        }
        Self(parts)
    }

    /// Times a factor, kept below white.
    pub(crate) fn times(self, factor: f32) -> Self {
        Self(self.0.map(|part| (part * factor).clamp(0.0, 1.0)))
    }

    /// The colour in shade: darker, and a little redder and bluer, as skin and cloth turn in soft light.
    pub(crate) fn shade(self, amount: f32) -> Self {
        let [r, g, b] = self.0;
        self.mix(Self([r * 0.50, g * 0.36, b * 0.40]), amount)
    }

    /// The colour in light: brighter and a little warmer.
    pub(crate) fn light(self, amount: f32) -> Self {
        self.mix(Self::hex(0x00FF_F6E6), amount)
    }

    /// The colour at an opacity in `0..=1`.
    pub(crate) fn at(self, opacity: f32) -> Color {
        let [r, g, b] = self.0.map(|part| part.clamp(0.0, 1.0));
        Color::from_rgba(r, g, b, opacity.clamp(0.0, 1.0)).unwrap_or(Color::TRANSPARENT)
    }

    /// Luma in `0..=1`, BT.601.
    pub(crate) fn luma(self) -> f32 {
        0.299 * self.0[0] + 0.587 * self.0[1] + 0.114 * self.0[2]
    }
}
