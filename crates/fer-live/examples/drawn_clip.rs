//! Drawn people as a clip for programs that want a file.
//! In: a file ending in .y4m (what Chromium's fake camera takes), .mp4, .jpg or .png, seconds, people, seed.
//! Out: 640×480 at 15 frames per second; of a picture the frame at that second.

use std::{fs::File, io::BufWriter, io::Write, path::Path, time::Duration};

use anyhow::{Context, bail};
use fer_drawn::Scene;
use fer_stream::record::VideoRecorder;
use image::RgbImage;

const WIDTH: u32 = 640;
const HEIGHT: u32 = 480;
const RATE: u32 = 15;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, seconds, n_people, seed] = arguments.as_slice() else {
        bail!("expected FILE SECONDS PEOPLE SEED");
    };
    let seconds: u32 = seconds.parse().context("SECONDS is a whole number")?;
    let scene = Scene::new(seed.parse()?, n_people.parse()?, WIDTH, HEIGHT);
    let times = (0..seconds * RATE).map(|frame| Duration::from_secs(1) * frame / RATE);
    match Path::new(path).extension().and_then(|extension| extension.to_str()) {
        Some("y4m") => write_y4m(path, times.map(|time| scene.frame(time))),
        Some("mp4") => {
            let mut recorder = VideoRecorder::create(Path::new(path))?;
            for time in times {
                recorder.record(&scene.frame(time), time)?;
            }
            Ok(recorder.finish()?)
        }
        Some("jpg" | "png") => Ok(scene.frame(Duration::from_secs(seconds.into())).save(path)?),
        _ => bail!("{path}: expected a name that ends in .y4m, .mp4, .jpg or .png"),
    }
}

/// YUV4MPEG2 with 4:2:0 planes.
fn write_y4m(path: &str, pictures: impl Iterator<Item = RgbImage>) -> anyhow::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(file, "YUV4MPEG2 W{WIDTH} H{HEIGHT} F{RATE}:1 Ip A1:1 C420jpeg")?;
    for picture in pictures {
        file.write_all(b"FRAME\n")?;
        file.write_all(&planes(&picture))?;
    }
    Ok(file.flush()?)
}

/// Luma, then both colour differences at half size (BT.601, limited range as Chromium's fake camera assumes).
fn planes(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::with_capacity((WIDTH * HEIGHT * 3 / 2) as usize);
    let channels = |x, y| picture.get_pixel(x, y).0.map(f32::from);
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            let [r, g, b] = channels(x, y);
            bytes.push((16.0 + 0.257 * r + 0.504 * g + 0.098 * b).round() as u8);
        }
    }
    for [from_r, from_g, from_b] in [[-0.148, -0.291, 0.439], [0.439, -0.368, -0.071]] {
        for y in (0..HEIGHT).step_by(2) {
            for x in (0..WIDTH).step_by(2) {
                let [r, g, b] = channels(x, y);
                bytes.push((128.0 + from_r * r + from_g * g + from_b * b).round() as u8);
            }
        }
    }
    bytes
}
