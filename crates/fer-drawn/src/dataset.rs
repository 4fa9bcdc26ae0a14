//! Labelled drawn faces, as FER-2013 has photographed ones.
//! In: seeds. Out: 48×48 [`Face`]s and [`Samples`] of a split.

use fer_data::{Emotion, Face, Labels, Sample, Samples, Source, Split, face::SIDE};
use image::{ImageBuffer, Luma};
use imageproc::kernel::Kernel;
use rayon::prelude::*;

use crate::{
    anatomy::{self, Placement, Pose, Sitter},
    brush::{Canvas, Dice, Ink, Shape},
    person::{Expression, Muscles, Person},
};

/// Pixels drawn per pixel of a face, along each axis.
const OVERSAMPLING: usize = 2;

/// A labelled drawn face, cropped as FER-2013's are, with its own light, pose, blur and noise.
///
/// `seed` and `index` make the person; the expression's strength and the picture's conditions depend on
/// the expression too.
#[must_use]
pub fn face(seed: u64, index: usize, emotion: Emotion) -> Face {
    let person = Person::new(Dice::new(&[seed, index as u64, 0xFACE]).next());
    let dice = &mut Dice::new(&[seed, index as u64, 0xD4A7, emotion.index() as u64]);
    let drawn = drawn(&person, emotion, dice);
    Face::new(Box::new(photographed(&drawn, dice)))
}

/// A split of drawn faces: `per_class` people, each with all seven expressions.
///
/// No person is in two splits. Equal arguments give equal samples.
#[must_use]
pub fn samples(split: Split, per_class: usize, seed: u64) -> Samples {
    let all = (0..per_class * Emotion::FER2013.len()).into_par_iter().map(|i| {
        let (person, emotion) = (i / Emotion::FER2013.len(), Emotion::FER2013[i % Emotion::FER2013.len()]);
        // The splits take turns in the numbering of people, so they share none.
        let index = person * Split::ALL.len() + split as usize;
        Sample {
            face: face(seed, index, emotion),
            label: emotion.index(),
            votes: None,
            source: Source::Drawn { seed, index },
        }
    });
    Samples { split, labels: Labels::fer2013(), samples: all.collect() }
}

/// The face in luma, `0..=1`, `[side, side]`, before camera and light.
struct Drawn {
    luma: Vec<f32>,
    side: usize,
}

fn drawn(person: &Person, emotion: Emotion, dice: &mut Dice) -> Drawn {
    let side = SIDE * OVERSAMPLING;
    let size = side as f32;
    let pose = Pose { tilt: dice.bell(0.09), turn: dice.bell(0.15), nod: dice.bell(0.08) };
    // The eyes of FER-2013's mean face lie 0.42 from the top, 0.36 of the side apart.
    let unit = size * dice.range(0.40, 0.475);
    let origin = [size * (0.5 + dice.bell(0.025)), size * (0.40 + dice.bell(0.025))];
    let place = Placement { origin, unit, pose };
    let slack = Muscles::slack(dice, 0.07);
    let expression = Expression::of(emotion, dice.range(0.65, 1.0));
    let light = if dice.chance(0.5) { dice.range(0.3, 1.0) } else { -dice.range(0.3, 1.0) };
    let mut canvas = Canvas::new(side as u32, side as u32);
    ground(&mut canvas, size, dice);
    anatomy::draw(&mut canvas, &Sitter::new(person, &expression, &slack, place, light));
    let pixmap = canvas.into_pixmap();
    let luma = pixmap
        .data()
        .chunks_exact(4)
        .map(|p| Ink([0, 1, 2].map(|i| f32::from(p[i]) / 255.0)).luma())
        .collect();
    Drawn { luma, side }
}

/// An out-of-focus background: a gradient and a few soft spots.
fn ground(canvas: &mut Canvas, size: f32, dice: &mut Dice) {
    let grey = |value: f32| Ink([value; 3]);
    let (a, b) = (dice.range(0.05, 0.98), dice.range(0.05, 0.98));
    let all = Shape::rect(0.0, 0.0, size, size);
    canvas.clear(grey(a).at(1.0));
    let end = [size * dice.unit(), size * dice.unit()];
    canvas.fill_between(&all, ([0.0, 0.0], grey(a).at(1.0)), (end, grey(0.5 * (a + b)).at(1.0)), None);
    for _ in 0..3 {
        let at = [size * dice.unit(), size * dice.unit()];
        let radii = [size * dice.range(0.2, 0.6), size * dice.range(0.2, 0.6)];
        canvas.soft(at, radii, 0.0, grey(dice.unit()).at(dice.range(0.2, 0.8)), None);
    }
}

/// What light and camera make of a drawing: 48×48 grey bytes.
fn photographed(drawn: &Drawn, dice: &mut Dice) -> [u8; SIDE * SIDE] {
    let mut small = reduced(drawn);
    let (sin, cos) = (dice.unit() * std::f32::consts::TAU).sin_cos();
    let slope = dice.range(0.0, 0.45);
    let exposure = Exposure::of(&small, dice);
    for (i, value) in small.iter_mut().enumerate() {
        let (x, y) = ((i % SIDE) as f32 / SIDE as f32 - 0.5, (i / SIDE) as f32 / SIDE as f32 - 0.5);
        let lit = 1.0 + slope * 2.0 * (x * cos + y * sin);
        *value = exposure.expose(*value * lit);
    }
    if dice.chance(0.6) {
        blur(&mut small, dice.range(0.0, 0.22));
    }
    let noise = dice.range(0.0, 0.035);
    let mut pixels = [0; SIDE * SIDE];
    for (pixel, value) in pixels.iter_mut().zip(small) {
        *pixel = ((value + dice.bell(noise)) * 255.0).round().clamp(0.0, 255.0) as u8;
    }
    pixels
}

/// How a camera renders brightness: it pulls most pictures to middle grey and to full contrast.
struct Exposure {
    /// What becomes middle grey, and what it becomes.
    from: f32,
    to: f32,
    contrast: f32,
}

impl Exposure {
    /// An exposure for a picture, somewhat off, as real ones are.
    ///
    /// FER-2013's faces have mean grey 129 with a deviation of 33 between pictures, and a deviation
    /// of 54 within a picture; dark faces stay darker and light ones lighter than the mean.
    fn of(values: &[f32], dice: &mut Dice) -> Self {
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        let spread =
            (values.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / values.len() as f32).sqrt();
        let contrast = (0.215 / spread.max(0.02)).clamp(0.6, 2.2) * dice.bell(0.17).exp();
        Self { from: mean, to: 0.505 + 0.35 * (mean - 0.5) + dice.bell(0.085), contrast }
    }

    fn expose(&self, value: f32) -> f32 {
        self.to + (value - self.from) * self.contrast
    }
}

/// The drawing averaged down to 48×48.
fn reduced(drawn: &Drawn) -> [f32; SIDE * SIDE] {
    let mut small = [0.0; SIDE * SIDE];
    for (i, &value) in drawn.luma.iter().enumerate() {
        let (x, y) = (i % drawn.side / OVERSAMPLING, i / drawn.side / OVERSAMPLING);
        small[y * SIDE + x] += value / (OVERSAMPLING * OVERSAMPLING) as f32;
    }
    small
}

/// Mixes every pixel with its four neighbours; `part` of each neighbour's value, at most 0.25.
fn blur(values: &mut [f32; SIDE * SIDE], part: f32) {
    let side = SIDE as u32;
    let sharp =
        ImageBuffer::<Luma<f32>, _>::from_raw(side, side, values.to_vec()).expect("SIDE × SIDE values");
    let weights = [0.0, part, 0.0, part, 1.0 - 4.0 * part, part, 0.0, part, 0.0];
    let mixed =
        imageproc::filter::filter::<_, _, _, Luma<f32>>(&sharp, Kernel::new(&weights, 3, 3), |sum| sum);
    values.copy_from_slice(mixed.as_raw());
}
