//! Draws what the generator makes, for people and for face detectors to look at.
//! In: a folder, a first seed, a number of people. Out: contact sheets, single portraits and clips.
//!
//! `cargo run --release -p fer-drawn --example draw_sheet -- OUT [FIRST_SEED [N_PEOPLE]]` writes
//! `portraits.png`, `faces.png`, `scene.png`, and per person `portraits/SEED-TONE-EXPRESSION.png`,
//! `clips/SEED-TONE-FRAME.png` (20 seconds, five frames a second) and `rooms/SEED.png`.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result};
use fer_data::Emotion;
use fer_drawn::{self as drawn, Expression, Person, Pose, Scene};
use image::{RgbImage, imageops};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder =
        Path::new(arguments.first().context("say where to write: draw_sheet OUT [FIRST_SEED [N_PEOPLE]]")?);
    let number = |i: usize, usual: u64| {
        arguments.get(i).map_or(Ok(usual), |text| text.parse().context("not a whole number"))
    };
    let (first, n_people) = (number(1, 1)?, number(2, 6)?);
    for part in ["portraits", "clips", "rooms"] {
        std::fs::create_dir_all(folder.join(part)).with_context(|| folder.display().to_string())?;
    }
    sheet(n_people.min(6), 160, |row, emotion| portrait(first + row, emotion, 160))
        .save(folder.join("portraits.png"))?;
    sheet(n_people.min(6), 192, |row, emotion| enlarged_face(first, row as usize, emotion))
        .save(folder.join("faces.png"))?;
    Scene::new(first, 3, 960, 540).frame(Duration::from_millis(5_500)).save(folder.join("scene.png"))?;
    for seed in first..first + n_people {
        single_portraits(seed, folder)?;
        clip(seed, folder)?;
        Scene::empty(seed, 640, 480).frame(Duration::ZERO).save(folder.join(format!("rooms/{seed}.png")))?;
    }
    Ok(())
}

/// One row a person, one column an expression.
fn sheet(n_people: u64, side: u32, draw: impl Fn(u64, Emotion) -> RgbImage) -> RgbImage {
    let mut sheet = RgbImage::new(side * Emotion::COUNT as u32, side * n_people as u32);
    for row in 0..n_people {
        for emotion in Emotion::ALL {
            let x = i64::from(side) * emotion.index() as i64;
            imageops::replace(&mut sheet, &draw(row, emotion), x, i64::from(side) * row as i64);
        }
    }
    sheet
}

fn portrait(seed: u64, emotion: Emotion, side: u32) -> RgbImage {
    drawn::portrait(&Person::new(seed), &Expression::of(emotion, 1.0), &Pose::default(), side)
}

/// A 48×48 face, four times enlarged.
fn enlarged_face(seed: u64, index: usize, emotion: Emotion) -> RgbImage {
    let face = drawn::face(seed, index, emotion).to_gray();
    let large = imageops::resize(&face, 192, 192, imageops::FilterType::CatmullRom);
    image::DynamicImage::ImageLuma8(large).to_rgb8()
}

fn single_portraits(seed: u64, folder: &Path) -> Result<()> {
    let tone = Person::new(seed).tone();
    for emotion in Emotion::ALL {
        let file = folder.join(format!("portraits/{seed}-{tone}-{emotion}.png"));
        portrait(seed, emotion, 480).save(file)?;
    }
    Ok(())
}

fn clip(seed: u64, folder: &Path) -> Result<()> {
    let scene = Scene::new(seed, 1, 640, 480);
    let tone = scene.people().next().map_or(0, Person::tone);
    for i in 0..100 {
        let frame = scene.frame(Duration::from_millis(200 * i));
        frame.save(folder.join(format!("clips/{seed}-{tone}-{i:03}.png")))?;
    }
    Ok(())
}
