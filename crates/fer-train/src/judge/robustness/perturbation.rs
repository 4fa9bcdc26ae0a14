//! What may befall a face before a network sees it: one row each.
//! In: a face and a generator of its own. Out: the face, worse.
//!
//! A new perturbation is one row of [`PERTURBATIONS`].

use fer_data::augment::{Warp, blurred, compressed, noisy, resample, rng_for, through, tone};
use fer_data::face::{MEAN, SIDE};
use fer_data::{Face, Samples};
use rand::RngExt;
use rand::rngs::ChaCha8Rng;

/// Seed of everything random here. A face's generator depends on it and on the face's position only, so
/// that a new row changes no other row's figures.
pub const SEED: u64 = 1;

/// One way in which faces get worse.
#[derive(Clone, Copy, Debug)]
pub struct Perturbation {
    /// Its name in tables.
    pub name: &'static str,
    /// What it does, in numbers.
    pub what: &'static str,
    /// The face, perturbed; equal generators give equal faces.
    pub apply: fn(&Face, &mut ChaCha8Rng) -> Face,
}

const fn row(
    name: &'static str,
    what: &'static str,
    apply: fn(&Face, &mut ChaCha8Rng) -> Face,
) -> Perturbation {
    Perturbation { name, what, apply }
}

/// Where the eyes are, as shares of the side: left, top, right, bottom.
///
/// The eyes of FER-2013's mean face lie 0.42 from the top, 0.36 of the side apart.
const EYES: [f32; 4] = [0.12, 0.31, 0.88, 0.53];

/// Where the mouth is: below the nose, down to the chin.
const MOUTH: [f32; 4] = [0.2, 0.66, 0.8, 0.96];

/// All perturbations, in the order of tables that rank nothing.
pub const PERTURBATIONS: [Perturbation; 18] = [
    row("brighter", "49 grey levels added", |face, _| toned(face, 1.0, 0.75)),
    row("darker", "49 grey levels taken away", |face, _| toned(face, 1.0, -0.75)),
    row("contrast up", "contrast × 1.6", |face, _| toned(face, 1.6, 0.0)),
    row("contrast down", "contrast × 0.4", |face, _| toned(face, 0.4, 0.0)),
    row("blur", "Gaussian, deviation 1.5 px", |face, _| blurred(face, 1.5)),
    row("noise", "Gaussian, deviation 20 grey levels", |face, rng| noisy(face, 20.0, rng)),
    row("JPEG", "compressed with quality 20", |face, _| compressed(face, 20)),
    row("eyes covered", "a mean-grey band from brows to cheeks", |face, _| cover(face, EYES)),
    row("mouth covered", "a mean-grey box from nose to chin", |face, _| cover(face, MOUTH)),
    row("turned +15°", "rotated clockwise", |face, _| rotated(face, 15.0)),
    row("turned −15°", "rotated anticlockwise", |face, _| rotated(face, -15.0)),
    row("turned +30°", "rotated clockwise", |face, _| rotated(face, 30.0)),
    row("turned −30°", "rotated anticlockwise", |face, _| rotated(face, -30.0)),
    row("shifted", "10 % of the side along both axes, in random directions", |face, rng| {
        jittered(face, 0.1, rng)
    }),
    row("crop × 0.85", "cut too tightly", |face, _| resample(face, &Warp::magnify(1.0 / 0.85))),
    row("crop × 1.2", "cut too widely, the edge repeated", |face, _| {
        resample(face, &Warp::magnify(1.0 / 1.2))
    }),
    row("24 px", "a face 24 pixels wide, scaled up", |face, _| through(face, 24)),
    row("16 px", "a face 16 pixels wide, scaled up", |face, _| through(face, 16)),
];

impl Perturbation {
    /// The samples, every face perturbed.
    #[must_use]
    pub fn all(&self, samples: &Samples) -> Samples {
        let mut perturbed = samples.clone();
        for (sample, position) in perturbed.samples.iter_mut().zip(0..) {
            sample.face = (self.apply)(&sample.face, &mut rng_for(SEED, 0, position));
        }
        perturbed
    }
}

/// The face with a part painted with the mean grey of all faces; the part as shares of the side: left,
/// top, right, bottom.
#[must_use]
pub fn cover(face: &Face, part: [f32; 4]) -> Face {
    let [left, top, right, bottom] = part.map(|share| (share * SIDE as f32).round() as usize);
    let mut covered = face.clone();
    for row in covered.pixels_mut().chunks_exact_mut(SIDE).take(bottom).skip(top) {
        row[left.min(SIDE)..right.min(SIDE)].fill(MEAN as u8);
    }
    covered
}

/// The face turned clockwise, the edge repeated outside.
#[must_use]
pub fn rotated(face: &Face, degrees: f32) -> Face {
    resample(face, &Warp::rotate(degrees))
}

/// Contrast is a factor, brightness is added in deviations of the training pixels.
fn toned(face: &Face, contrast: f32, brightness: f32) -> Face {
    let mut face = face.clone();
    tone(&mut face, contrast, brightness);
    face
}

fn jittered(face: &Face, share: f32, rng: &mut ChaCha8Rng) -> Face {
    let [right, down] = [(); 2].map(|()| if rng.random::<bool>() { share } else { -share });
    resample(face, &Warp::shift(right, down))
}
