//! How many faces of a folder of photographs are found, and how many boxes are none.
//! In: a folder with photographs and `reference.json` (`{"photo": {"size": [w, h], "faces": [[x, y, w, h]]}}`), a
//! model, and YuNet's file or another cascade's (.xml) to try that detector instead. Out: what is missed, what is none, and the counts.
//!
//! `cargo run --release -p fer-live --example photo_faces -- FOLDER MODEL [YUNET.onnx | CASCADE.xml]`

#![allow(clippy::print_stdout)] // A table is what it is for.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, bail};
use fer_live::face_detector::{DetectorKind, DetectorOptions};
use fer_model::Predictor;
use fer_vision::{Analyzer, FaceBox, FaceReading, Finder, FinderOptions, SmoothOptions};

/// A box is a face of the reference when they share this much of what both cover: detectors disagree
/// about foreheads and chins by a third.
const LEAST_IOU: f32 = 0.25;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<PathBuf> = std::env::args().skip(1).map(PathBuf::from).collect();
    let (folder, model, file) = match arguments.as_slice() {
        [folder, model] => (folder, model, None),
        [folder, model, file] => (folder, model, Some(file.clone())),
        _ => bail!("expected a folder, a model, and YuNet's or a cascade's file where that is the detector"),
    };
    let (cascade, yunet): (Option<PathBuf>, Option<PathBuf>) = match file {
        Some(file) if file.extension().is_some_and(|ending| ending == "xml") => (Some(file), None),
        file => (None, file),
    };
    let kind = if yunet.is_some() { DetectorKind::Yunet } else { DetectorKind::Haar };
    let predictor = Predictor::load(model)?;
    let options = DetectorOptions { kind, yunet, cascade, ..DetectorOptions::default() };
    let detector = options.photo(predictor.face_threshold() > 0.0).build()?;
    let crop_factor = predictor.card().input.crop_factor;
    println!("faces below a score of {} are none", predictor.face_threshold());
    let finder = Finder::new(detector, FinderOptions { crop_factor, ..FinderOptions::default() });
    let mut analyzer = Analyzer::new(finder, Arc::new(predictor), SmoothOptions::default());
    let path = folder.join("reference.json");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let reference: BTreeMap<String, serde_json::Value> = serde_json::from_str(&text)?;
    let (mut n_faces, mut n_found, mut n_none) = (0, 0, 0);
    for (name, expected) in &reference {
        let expected: Vec<[f32; 4]> = serde_json::from_value(expected["faces"].clone())?;
        let photo = image::open(folder.join(name)).with_context(|| name.clone())?.to_rgb8();
        let mut left = analyzer.analyze_photo(&photo)?.faces;
        n_faces += expected.len();
        for [x, y, width, height] in expected {
            let face = FaceBox { x, y, width, height, score: 1.0 };
            let iou = |found: &FaceReading| found.face_box.iou(&face);
            let best = left.iter().enumerate().max_by(|a, b| iou(a.1).total_cmp(&iou(b.1)));
            match best.filter(|(_, found)| iou(found) >= LEAST_IOU) {
                Some((idx, _)) => {
                    n_found += 1;
                    let found = left.remove(idx);
                    println!("{name}: found {}", shown(&found));
                }
                None => println!("{name}: missed {x:.0},{y:.0} {width:.0}×{height:.0}"),
            }
        }
        n_none += left.len();
        for none in &left {
            println!("{name}: no face at {}", shown(none));
        }
    }
    println!(
        "{} photographs: {n_found} of {n_faces} faces found ({:.1} %), {n_none} boxes are none",
        reference.len(),
        100.0 * f64::from(n_found) / n_faces as f64
    );
    Ok(())
}

fn shown(face: &FaceReading) -> String {
    let place = face.face_box;
    let score = face.face_score.map_or_else(String::new, |score| format!(", face score {score:.4}"));
    format!(
        "{:.0},{:.0} {:.0}×{:.0}, detector {:.1}{score}",
        place.x, place.y, place.width, place.height, place.score
    )
}
