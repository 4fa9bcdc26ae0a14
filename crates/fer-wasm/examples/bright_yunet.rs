//! A network with YuNet's interface that takes a white square for a face, and a drawn face with one on it: YuNet's own
//! file is not ours.
//! In: an output folder. Out: `bright.onnx` and `face.png`, 320×320.

#[path = "../../fer-vision/tests/it/bright_yunet.rs"]
mod bright_yunet;

use std::{fs, path::Path, time::Duration};

use anyhow::bail;
use bright_yunet::{Bright, bright_yunet};
use fer_drawn::Scene;
use image::imageops::{FilterType, crop_imm, resize};
use image::{Rgb, RgbImage};

/// Side of the picture, a whole number of the network's squares of 32 pixels, of which one is around (176, 176).
const SIDE: u32 = 320;

/// Side of the face's box: the network says 160×224, which fer-vision makes 211.
const FACE: f32 = 190.0;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder] = arguments.as_slice() else { bail!("expected FOLDER") };
    let folder = Path::new(folder);
    fs::create_dir_all(folder)?;
    fs::write(folder.join("bright.onnx"), bright_yunet(Bright::default()))?;
    Ok(face().save(folder.join("face.png"))?)
}

/// A face around (176, 176), a little dark, with a white square on its middle.
fn face() -> RgbImage {
    let (scene, time) = (Scene::new(3, 1, 1280, 960), Duration::ZERO);
    let truth = &scene.truth(time)[0];
    let scale = truth.width / FACE;
    let (shown, before) = (scale * SIDE as f32, scale * 176.0);
    let (left, top) = (truth.x + truth.width / 2.0 - before, truth.y + truth.height / 2.0 - before);
    let part = crop_imm(&scene.frame(time), left as u32, top as u32, shown as u32, shown as u32).to_image();
    let mut picture = resize(&part, SIDE, SIDE, FilterType::Triangle);
    for (x, y, Rgb(pixel)) in picture.enumerate_pixels_mut() {
        let is_square = x / 32 == 5 && y / 32 == 5;
        *pixel = if is_square { [255; 3] } else { pixel.map(|value| value / 4 * 3) };
    }
    picture
}
