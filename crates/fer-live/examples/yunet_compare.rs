//! Our YuNet against the boxes that OpenCV's found, on a folder of photographs.
//! In: YuNet's file; a folder with photographs and `reference.json` (`{"photo": {"size": [w, h], "faces": [[x, y, w, h]]}}`,
//! threshold 0.8, longest side 1280). Out: every box that is off by more than a pixel, and the largest difference.
//!
//! `cargo run --release -p fer-live --example yunet_compare -- FILE.onnx FOLDER`

#![allow(clippy::print_stdout)] // A table is what it is for.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, bail, ensure};
use fer_vision::yunet::{YuNetDetector, YuNetFace, YuNetOptions};

/// The longest side of the reference's searches.
const SEARCH_SIDE: u32 = 1_280;

/// Half a pixel is the reference's rounding; the rest is left to two decoders of JPEG (docs/reports/live.md).
const MOST: f64 = 1.0;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<PathBuf> = std::env::args().skip(1).map(PathBuf::from).collect();
    let [model, folder] = arguments.as_slice() else { bail!("expected YuNet's file and a folder") };
    let onnx = std::fs::read(model).with_context(|| model.display().to_string())?;
    let options = YuNetOptions { search_side: SEARCH_SIDE, ..YuNetOptions::default() };
    let mut yunet = YuNetDetector::from_onnx(onnx, options)?;
    let path = folder.join("reference.json");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let reference: BTreeMap<String, serde_json::Value> = serde_json::from_str(&text)?;
    let (mut n_faces, mut n_equal, mut n_found, mut worst) = (0, 0, 0, 0.0_f64);
    for (name, expected) in &reference {
        let expected: Vec<[f64; 4]> = serde_json::from_value(expected["faces"].clone())?;
        let photo = image::open(folder.join(name)).with_context(|| name.clone())?.to_rgb8();
        let found = yunet.find(&photo)?;
        n_faces += expected.len();
        n_found += found.len();
        if found.len() != expected.len() {
            println!("{name}: {} faces, expected {}", found.len(), expected.len());
        }
        for face in &expected {
            let off = found.iter().map(|found| difference(found, face)).fold(f64::INFINITY, f64::min);
            if off <= MOST {
                n_equal += 1;
                worst = worst.max(off);
            } else {
                println!("{name}: {face:?} is off by {off:.2}; found {found:?}");
            }
        }
    }
    println!(
        "{} photographs: {n_equal} of {n_faces} boxes equal, the largest difference {worst:.2}",
        reference.len()
    );
    ensure!(n_equal == n_faces && n_found == n_faces, "not all boxes are equal, or others were found");
    Ok(())
}

/// The largest difference of a side or a corner's place, in pixels.
fn difference(found: &YuNetFace, [x, y, width, height]: &[f64; 4]) -> f64 {
    let place = found.face_box;
    [(place.x, x), (place.y, y), (place.width, width), (place.height, height)]
        .into_iter()
        .map(|(found, expected)| (f64::from(found) - expected).abs())
        .fold(0.0, f64::max)
}
