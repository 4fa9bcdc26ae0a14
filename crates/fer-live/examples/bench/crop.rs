//! Which crop factor reads drawn expressions best.
//! In: drawn scenes. Out: top-1 and mean log-probability of the true expression per factor.

use std::sync::Arc;
use std::time::Duration;

use fer_data::{Face, argmax};
use fer_drawn::Scene;
use fer_vision::{FaceBox, crop};
use image::RgbImage;

use super::{BenchArgs, is_at};

/// Frames are this far apart, so that each shows another moment of an expression.
const STEP: Duration = Duration::from_millis(400);

/// A shown expression at least this strong has a right answer.
const CLEAR: f32 = 0.8;

pub(super) fn run(args: &BenchArgs) -> anyhow::Result<()> {
    let classifier = args.model()?.classifier;
    let mut detector = args.common.detector.options().build()?;
    let mut seen: Vec<(Arc<RgbImage>, FaceBox, usize)> = Vec::new();
    for seed in 0..args.frames / 20 {
        let scene = Scene::new(seed, 2, 640, 480);
        for step in 0..20 {
            let time = STEP * step;
            let picture = Arc::new(scene.frame(time));
            for found in detector.detect(&picture)? {
                let truth = scene.truth(time);
                let person = truth.iter().find(|truth| is_at(truth, &found));
                let clear = person.filter(|person| person.intensity >= CLEAR);
                let label = clear.and_then(|person| classifier.labels().index_of(person.emotion.name()));
                seen.extend(label.map(|label| (Arc::clone(&picture), found, label)));
            }
        }
    }
    println!("{} faces\nfactor  top-1   mean log p", seen.len());
    for factor in (14..=30).map(|twentieth| twentieth as f32 / 20.0) {
        let faces: Vec<Face> = seen.iter().map(|(picture, place, _)| crop(picture, place, factor)).collect();
        let rows = classifier.classify(&faces)?;
        let (mut n_right, mut log_sum) = (0, 0.0);
        for (row, (_, _, label)) in rows.iter().zip(&seen) {
            n_right += u32::from(argmax(&row.probabilities) == Some(*label));
            log_sum += f64::from(row.probabilities[*label].max(1e-6).ln());
        }
        let n = seen.len().max(1) as f64;
        println!("{factor:>6.2}  {:>5.1} %  {:>8.3}", 100.0 * f64::from(n_right) / n, log_sum / n);
    }
    Ok(())
}
