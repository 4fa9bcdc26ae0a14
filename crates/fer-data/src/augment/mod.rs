//! A training face → the same face seen a little differently, never the same twice.
//! In: a face, an [`Augment`] and a generator. Out: a face.

mod degrade;
mod erase;
mod geometry;
mod tone;

use rand::{Rng, RngExt, SeedableRng, rngs::ChaCha8Rng};
use serde::{Deserialize, Serialize};

use crate::Face;

pub use degrade::{blurred, compressed, degrade, noisy, through};
pub use erase::erase;
pub use geometry::{Warp, resample};
pub use tone::tone;

/// How training faces are varied; the default varies nothing.
///
/// All geometric steps are joined into one bilinear resample, which repeats the edge outside the
/// face: a shift is the random crop of a face padded so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Augment {
    /// Probability of a mirror image, `0..=1`.
    pub flip: f32,
    /// Probability of turning upside down, `0..=1`.
    pub vertical_flip: f32,
    /// Rotation about the centre, uniform in ± degrees, `0..=180`.
    pub rotation_degrees: f32,
    /// Magnification by a factor uniform in 1 ± this, `0..=0.9`.
    pub scale: f32,
    /// Shift along each axis, uniform in ± this share of the side, `0..=1`.
    pub shift: f32,
    /// Brightness added, uniform in ± this many deviations of the training pixels, `0..=4`.
    pub brightness: f32,
    /// Contrast about the mean grey, a factor uniform in 1 ± this, `0..=1`: an offset of a
    /// deviation from the mean changes by up to this many deviations.
    pub contrast: f32,
    /// Probability of noise, blur, a lower resolution or JPEG ([`degrade`]), `0..=1`.
    pub degrade: f32,
    /// Probability of painting one random rectangle with the mean grey, `0..=1`.
    pub erase: f32,
    /// Smallest and largest area of that rectangle, as shares of the face, `0 < least ≤ most ≤ 1`.
    pub erase_area: [f32; 2],
}

impl Default for Augment {
    fn default() -> Self {
        Self {
            flip: 0.0,
            vertical_flip: 0.0,
            rotation_degrees: 0.0,
            scale: 0.0,
            shift: 0.0,
            brightness: 0.0,
            contrast: 0.0,
            degrade: 0.0,
            erase: 0.0,
            erase_area: [0.02, 0.33],
        }
    }
}

impl Augment {
    /// What `configs/fer2013-small.toml` asks for.
    #[must_use]
    pub fn fer2013() -> Self {
        Self {
            flip: 0.5,
            rotation_degrees: 15.0,
            scale: 0.15,
            shift: 0.12,
            brightness: 0.3,
            contrast: 0.3,
            erase: 0.25,
            ..Self::default()
        }
    }

    /// Checks every value against its range.
    ///
    /// # Errors
    /// A sentence that names the setting, its range and its value.
    pub fn validate(&self) -> Result<(), String> {
        let ranges = [
            ("flip", self.flip, 1.0),
            ("vertical_flip", self.vertical_flip, 1.0),
            ("rotation_degrees", self.rotation_degrees, 180.0),
            ("scale", self.scale, 0.9),
            ("shift", self.shift, 1.0),
            ("brightness", self.brightness, 4.0),
            ("contrast", self.contrast, 1.0),
            ("degrade", self.degrade, 1.0),
            ("erase", self.erase, 1.0),
        ];
        for (name, value, most) in ranges {
            if !(0.0..=most).contains(&value) {
                return Err(format!("augment.{name} is {value}, expected 0 to {most}"));
            }
        }
        let [least, most] = self.erase_area;
        if !(least > 0.0 && least <= most && most <= 1.0) {
            return Err(format!(
                "augment.erase_area is [{least}, {most}], expected shares 0 < least ≤ most ≤ 1"
            ));
        }
        Ok(())
    }

    /// A varied copy of a face. Expects values that pass [`Augment::validate`].
    pub fn apply(&self, face: &Face, rng: &mut impl Rng) -> Face {
        let mut face = resample(face, &self.geometry(rng));
        if self.brightness > 0.0 || self.contrast > 0.0 {
            tone(&mut face, 1.0 + plus_minus(self.contrast, rng), plus_minus(self.brightness, rng));
        }
        if chance(self.degrade, rng) {
            face = degrade(&face, rng);
        }
        if chance(self.erase, rng) {
            erase(&mut face, self.erase_area, rng);
        }
        face
    }

    /// All geometric steps as one map from a place in the new face to its place in the old one.
    fn geometry(&self, rng: &mut impl Rng) -> Warp {
        let mut map = Warp::IDENTITY;
        if self.shift > 0.0 {
            map = map.then(&Warp::shift(plus_minus(self.shift, rng), plus_minus(self.shift, rng)));
        }
        if self.scale > 0.0 {
            map = map.then(&Warp::magnify(1.0 + plus_minus(self.scale, rng)));
        }
        if self.rotation_degrees > 0.0 {
            map = map.then(&Warp::rotate(plus_minus(self.rotation_degrees, rng)));
        }
        if chance(self.flip, rng) {
            map = map.then(&Warp::FLIP);
        }
        if chance(self.vertical_flip, rng) {
            map = map.then(&Warp::VERTICAL_FLIP);
        }
        map
    }
}

/// The generator of one sample in one epoch: the same three numbers give the same variation,
/// whatever the order or the thread in which samples are made.
#[must_use]
pub fn rng_for(seed: u64, epoch: u64, index: u64) -> ChaCha8Rng {
    // ChaCha hashes its key, so the three numbers can be the key as they are.
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&epoch.to_le_bytes());
    key[16..24].copy_from_slice(&index.to_le_bytes());
    ChaCha8Rng::from_seed(key)
}

fn plus_minus(most: f32, rng: &mut impl Rng) -> f32 {
    if most > 0.0 { rng.random_range(-most..=most) } else { 0.0 }
}

fn chance(probability: f32, rng: &mut impl Rng) -> bool {
    probability > 0.0 && rng.random::<f32>() < probability
}
