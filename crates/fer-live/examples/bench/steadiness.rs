//! How steady the shown label is, and what that costs in time.
//! In: one drawn frame under fresh noise, again and again; a step from one expression to another.
//! Out: label changes per minute, raw and shown; the delay of a change.

use std::time::Duration;

use fer_data::argmax;
use fer_drawn::Scene;
use fer_vision::{FaceBox, Found, FoundFace, Frame, SmoothOptions, Smoother};
use image::RgbImage;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::{BenchArgs, RATE, time_of};

/// Deviation of the noise in grey values: a webcam in a dim room.
const NOISE: f32 = 12.0;

pub(super) fn run(args: &BenchArgs) -> anyhow::Result<()> {
    let model = args.model()?;
    println!("seed  raw changes/min  shown changes/min  uncertain");
    for seed in args.common.seed..args.common.seed + 6 {
        let picture = Scene::new(seed, 1, 640, 480).frame(Duration::from_secs_f64(0.4 + 3.2 * seed as f64));
        let mut analyzer = args.analyzer(&model)?;
        let mut changes = Changes::default();
        let mut rng = StdRng::seed_from_u64(seed);
        for index in 0..args.frames {
            let timestamp = time_of(index);
            let frame = Frame { picture: noisy(&picture, &mut rng), timestamp, index };
            if let Some(face) = analyzer.analyze(&frame)?.faces.first() {
                changes.count(&face.probabilities, face.label);
            }
        }
        let minutes = args.frames as f64 / RATE / 60.0;
        let uncertain = 100.0 * changes.n_uncertain as f64 / changes.n.max(1) as f64;
        let per_minute = |n: u32| f64::from(n) / minutes;
        println!(
            "{seed:>4}  {:>15.1}  {:>17.1}  {uncertain:>7.1} %",
            per_minute(changes.raw),
            per_minute(changes.shown)
        );
    }
    let options = args.common.smooth_options();
    println!("delay of a change of label at {RATE} frames/s, after a step from one expression to another:");
    for sureness in [0.9, 0.7, 0.5] {
        let delay =
            step_delay(options, sureness).map_or_else(|| "never".to_owned(), |ms| format!("{ms:.0} ms"));
        println!("  raw probability {sureness} → {delay}");
    }
    Ok(())
}

/// What has changed so far.
#[derive(Default)]
struct Changes {
    n: u32,
    raw: u32,
    shown: u32,
    n_uncertain: u32,
    last_raw: Option<usize>,
    last_shown: Option<usize>,
}

impl Changes {
    fn count(&mut self, probabilities: &[f32], label: Option<usize>) {
        let raw = argmax(probabilities);
        if self.n > 0 {
            self.raw += u32::from(raw != self.last_raw);
            self.shown += u32::from(label != self.last_shown && self.n > 3);
        }
        self.n += 1;
        self.n_uncertain += u32::from(label.is_none());
        (self.last_raw, self.last_shown) = (raw, label);
    }
}

/// The picture under noise that is different in every frame.
fn noisy(picture: &RgbImage, rng: &mut StdRng) -> RgbImage {
    let mut noisy = picture.clone();
    for value in noisy.iter_mut() {
        // The sum of three even spreads is bell-shaped, with a deviation of half its half-width.
        let spread: f32 = (0..3).map(|_| rng.random_range(-1.0f32..1.0)).sum();
        *value = (f32::from(*value) + spread * NOISE).round().clamp(0.0, 255.0) as u8;
    }
    noisy
}

/// Time from a step of the raw probabilities to the step of the label, in ms.
fn step_delay(options: SmoothOptions, sureness: f32) -> Option<f64> {
    let rest = (1.0 - sureness) / 6.0;
    let row =
        |label: usize| (0..7).map(|idx| if idx == label { sureness } else { rest }).collect::<Vec<f32>>();
    let mut smoother = Smoother::new(options);
    let mut settle = |index: u64, label: usize| {
        let face_box = FaceBox { x: 0.0, y: 0.0, width: 10.0, height: 10.0, score: 1.0 };
        let face = FoundFace { track: 1, face_box, is_weak: false, crop: Some(fer_data::Face::blank(0)) };
        let timestamp = time_of(index);
        let found = Found { frame: index, timestamp, faces: vec![face], alive: vec![1] };
        smoother.settle(found, vec![row(label).into()], 0.0).faces[0].label
    };
    (0..90).for_each(|index| {
        settle(index, 3);
    });
    (90..390).find(|&index| settle(index, 6) == Some(6)).map(|index| (index - 90) as f64 / RATE * 1000.0)
}
