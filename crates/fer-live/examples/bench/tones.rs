//! Faces shown, by skin tone and light: what the whole pipeline shows of one drawn person.
//! In: drawn scenes of one person, in full light and in a part of it. Out: a table.

use fer_drawn::{Person, Scene};
use fer_vision::Frame;
use image::RgbImage;

use super::{BenchArgs, is_at, time_of};

/// People: with 9 of a tone, as a quarter of them left, one who is found late moves it by a point.
const N_SCENES: u64 = 384;

/// Shares of the light.
const LIGHTS: [f32; 3] = [1.0, 0.5, 0.25];

#[derive(Clone, Copy, Default)]
struct Tone {
    n_people: u32,
    n_frames: u64,
    n_shown: [u64; LIGHTS.len()],
}

pub(super) fn run(args: &BenchArgs) -> anyhow::Result<()> {
    let model = args.model()?;
    let mut tones = [Tone::default(); Person::TONES];
    for seed in args.common.seed..args.common.seed + N_SCENES {
        let scene = Scene::new(seed, 1, 640, 480);
        let tone = scene.people().next().map_or(0, Person::tone);
        tones[tone].n_people += 1;
        tones[tone].n_frames += args.frames;
        for (light, share) in LIGHTS.into_iter().enumerate() {
            let mut analyzer = args.analyzer(&model)?;
            for index in 0..args.frames {
                let timestamp = time_of(index);
                let picture = dimmed(scene.frame(timestamp), share);
                let reading = analyzer.analyze(&Frame { picture, timestamp, index })?;
                let truth = scene.truth(timestamp);
                let is_shown =
                    reading.faces.iter().any(|face| truth.iter().any(|truth| is_at(truth, &face.face_box)));
                tones[tone].n_shown[light] += u64::from(is_shown);
            }
        }
    }
    println!("tone  people  {}", LIGHTS.map(|share| format!("light × {share:<5}")).join("  "));
    for (tone, row) in tones.iter().enumerate() {
        let shown = row.n_shown.map(|n| format!("{:>11.1} %", 100.0 * n as f64 / row.n_frames.max(1) as f64));
        println!("{tone:>4}  {:>6}  {}", row.n_people, shown.join("  "));
    }
    Ok(())
}

fn dimmed(mut picture: RgbImage, share: f32) -> RgbImage {
    if share < 1.0 {
        picture.iter_mut().for_each(|value| *value = (f32::from(*value) * share).round() as u8);
    }
    picture
}
