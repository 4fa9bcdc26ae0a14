//! Draws what the generator makes, for people to look at.
//! In: a folder, optionally a first seed. Out: contact sheets of portraits and faces, and a clip's frames.
//! Run: `cargo run --release -p fer-data --example draw_sheet -- OUT [FIRST_SEED]`.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result};
use fer_data::{
    Emotion,
    drawn::{self, Expression, Person, Pose, Scene},
};
use image::{RgbImage, imageops};

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().context("say where to write: draw_sheet OUT [FIRST_SEED]")?;
    let first: u64 = arguments.next().map_or(Ok(1), |seed| seed.parse()).context("the seed is a whole number")?;
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder.join("clip")).with_context(|| folder.display().to_string())?;
    portraits(first, 6, 240).save(folder.join("portraits.png"))?;
    faces(first, 6).save(folder.join("faces.png"))?;
    clip(first, &folder.join("clip"))
}

/// One row a person, one column an expression.
fn portraits(first: u64, n_people: u64, side: u32) -> RgbImage {
    let mut sheet = RgbImage::new(side * Emotion::COUNT as u32, side * n_people as u32);
    for row in 0..n_people {
        let person = Person::new(first + row);
        for emotion in Emotion::ALL {
            let portrait = drawn::portrait(&person, &Expression::of(emotion, 1.0), &Pose::default(), side);
            let x = i64::from(side) * emotion.index() as i64;
            imageops::replace(&mut sheet, &portrait, x, i64::from(side) * row as i64);
        }
    }
    sheet
}

/// The same for 48×48 faces, four times enlarged.
fn faces(first: u64, n_people: usize) -> RgbImage {
    let side = 192;
    let mut sheet = RgbImage::new(side * Emotion::COUNT as u32, side * n_people as u32);
    for row in 0..n_people {
        for emotion in Emotion::ALL {
            let face = drawn::face(first, row, emotion).to_gray();
            let large = imageops::resize(&face, side, side, imageops::FilterType::CatmullRom);
            let large = image::DynamicImage::ImageLuma8(large).to_rgb8();
            let x = i64::from(side) * emotion.index() as i64;
            imageops::replace(&mut sheet, &large, x, i64::from(side) * row as i64);
        }
    }
    sheet
}

/// Two frames a second for 25 seconds.
fn clip(seed: u64, folder: &Path) -> Result<()> {
    let scene = Scene::new(seed, 1, 640, 480);
    for i in 0..50 {
        let frame = scene.frame(Duration::from_millis(500 * i));
        frame.save(folder.join(format!("{i:03}.png")))?;
    }
    Ok(())
}
