//! Flips, rotation, magnification and shift, joined into one bilinear resample.
//! In: a face and a [`Warp`]. Out: a face.

use crate::{
    Face,
    face::{PIXELS, SIDE},
};

/// A map from a place in the new face to its place in the old one, both measured from the centre
/// of the face in pixels, x to the right and y down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Warp {
    /// Rows of the matrix: `old = matrix · new + offset`.
    pub matrix: [[f32; 2]; 2],
    /// Added after the matrix, in pixels.
    pub offset: [f32; 2],
}

impl Warp {
    /// Everything stays where it is.
    pub const IDENTITY: Self = Self { matrix: [[1.0, 0.0], [0.0, 1.0]], offset: [0.0, 0.0] };

    /// The mirror image.
    pub const FLIP: Self = Self { matrix: [[-1.0, 0.0], [0.0, 1.0]], offset: [0.0, 0.0] };

    /// Upside down.
    pub const VERTICAL_FLIP: Self = Self { matrix: [[1.0, 0.0], [0.0, -1.0]], offset: [0.0, 0.0] };

    /// Moves the face to the right and down, in shares of the side.
    #[must_use]
    pub fn shift(right: f32, down: f32) -> Self {
        let side = SIDE as f32;
        Self { offset: [-right * side, -down * side], ..Self::IDENTITY }
    }

    /// Magnifies the face about its centre; a factor above 1 makes it larger.
    #[must_use]
    pub fn magnify(factor: f32) -> Self {
        Self { matrix: [[1.0 / factor, 0.0], [0.0, 1.0 / factor]], ..Self::IDENTITY }
    }

    /// Turns the face clockwise about its centre.
    #[must_use]
    pub fn rotate(degrees: f32) -> Self {
        let (sin, cos) = degrees.to_radians().sin_cos();
        Self { matrix: [[cos, sin], [-sin, cos]], ..Self::IDENTITY }
    }

    /// This map, and then `next` on its result.
    #[must_use]
    pub fn then(&self, next: &Self) -> Self {
        let mut joined = Self { matrix: [[0.0; 2]; 2], offset: next.offset };
        for i in 0..2 {
            for k in 0..2 {
                joined.offset[i] += next.matrix[i][k] * self.offset[k];
                for j in 0..2 {
                    joined.matrix[i][j] += next.matrix[i][k] * self.matrix[k][j];
                }
            }
        }
        joined
    }
}

/// One more than 48 × 48 is needed to the right and below; 64 makes an index two shifts.
const STRIDE: usize = 64;

/// Places are counted in 1 / 2^16 pixels.
const ONE: i32 = 1 << 16;

/// Weights of neighbouring pixels sum to 2^11, so that two products of them fit 32 bits.
const WEIGHT_BITS: i32 = 11;

/// The face seen through a map, bilinear, the edge repeated outside.
///
/// Fixed-point twin of the plain formula in the tests, from which it differs by one grey level at
/// most. Offsets stay below 2^14 pixels for every [`Augment`](super::Augment) that is valid.
#[must_use]
pub fn resample(face: &Face, map: &Warp) -> Face {
    if *map == Warp::IDENTITY {
        return face.clone();
    }
    let padded = padded(face);
    let centre = (SIDE as f32 - 1.0) / 2.0;
    let [[xx, xy], [yx, yy]] = map.matrix;
    let (step_x, step_y) = (fixed(xx), fixed(yx));
    let mut resampled = Face::blank(0);
    for (row, line) in resampled.pixels_mut().chunks_exact_mut(SIDE).enumerate() {
        let down = row as f32 - centre;
        let mut x = fixed(xy * down - xx * centre + map.offset[0] + centre);
        let mut y = fixed(yy * down - yx * centre + map.offset[1] + centre);
        for pixel in line {
            *pixel = bilinear(&padded, x, y);
            x += step_x;
            y += step_y;
        }
    }
    resampled
}

fn fixed(pixels: f32) -> i32 {
    (pixels * ONE as f32).round() as i32
}

/// The grey value at a place, given in 1 / 2^16 pixels.
#[inline]
fn bilinear(padded: &[u8; STRIDE * STRIDE], x: i32, y: i32) -> u8 {
    let last = (SIDE as i32 - 1) * ONE;
    let (x, y) = (x.clamp(0, last), y.clamp(0, last));
    let weight = |place: i32| ((place & (ONE - 1)) >> (16 - WEIGHT_BITS)) as u32;
    let (right, below) = (weight(x), weight(y));
    let (left, above) = ((1 << WEIGHT_BITS) - right, (1 << WEIGHT_BITS) - below);
    let corner = ((y >> 16) as usize) * STRIDE + (x >> 16) as usize;
    // The mask changes no index; it lets the compiler see that none is out of bounds.
    let at = |offset: usize| u32::from(padded[(corner + offset) & (STRIDE * STRIDE - 1)]);
    let upper = at(0) * left + at(1) * right;
    let lower = at(STRIDE) * left + at(STRIDE + 1) * right;
    let half = 1 << (2 * WEIGHT_BITS - 1);
    ((upper * above + lower * below + half) >> (2 * WEIGHT_BITS)) as u8
}

/// The face in rows of [`STRIDE`], its last column and row repeated once.
fn padded(face: &Face) -> [u8; STRIDE * STRIDE] {
    let mut padded = [0; STRIDE * STRIDE];
    for (line, row) in padded.chunks_exact_mut(STRIDE).zip(face.pixels().chunks_exact(SIDE)) {
        line[..SIDE].copy_from_slice(row);
        line[SIDE] = row[SIDE - 1];
    }
    let last = &face.pixels()[PIXELS - SIDE..];
    padded[SIDE * STRIDE..SIDE * STRIDE + SIDE].copy_from_slice(last);
    padded[SIDE * STRIDE + SIDE] = last[SIDE - 1];
    padded
}
