//! Photos: a table of probabilities per face, the annotated picture, JSON.
//! In: paths. Out: what was asked for; a damaged photo among several does not stop the others.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use fer_data::Labels;
use image::RgbImage;
use serde_json::{Value, json};

use super::Streams;
use super::outputs::{Outputs, create, name, picture_path, save_picture};
use crate::classify::Classify;
use crate::cli::WatchArgs;
use crate::error::LiveError;
use crate::overlay::{OverlayOptions, draw};
use crate::pipeline::Analyzer;
use crate::reading::Reading;
use crate::source::read_photo;

/// Reads photos one after the other.
pub(super) fn run(
    args: &WatchArgs,
    paths: &[PathBuf],
    classifier: Arc<dyn Classify>,
    stop: &AtomicBool,
    streams: &mut Streams<'_>,
) -> Result<(), LiveError> {
    if args.save_video.is_some() {
        return Err(LiveError::Config(
            "--save-video is for videos and cameras: for photos use --save-picture".into(),
        ));
    }
    let labels = classifier.labels().clone();
    let detector = args.common.detector.photo().build()?;
    let mut analyzer =
        Analyzer::new(detector, classifier, args.common.finder_options(), args.common.smooth_options());
    let mut outputs = Outputs::create(args, &labels)?;
    let left = Arc::default();
    let mut json_file =
        args.json.as_deref().map(|path| create(path, &left).map(|file| (file, path))).transpose()?;
    let mut documents = Vec::new();
    let mut failure = None;
    for (path, idx) in paths.iter().zip(0..).take_while(|_| !stop.load(Ordering::Relaxed)) {
        let read = read_photo(path).and_then(|picture| Ok((analyzer.analyze_photo(&picture)?, picture)));
        match read {
            Ok((mut reading, picture)) => {
                reading.frame = idx;
                outputs.rows(&name(path), &reading)?;
                documents.push(document(path, &picture, &reading, &labels));
                if !writes_to_stdout(args) && !args.quiet {
                    streams.say(&table(path, &picture, &reading, &labels));
                }
                if let Some(target) = &args.save_picture {
                    save_annotated(target, path, paths.len(), picture, &reading, &labels)?;
                }
            }
            Err(error) if paths.len() == 1 => return Err(error),
            Err(error) => {
                streams.notice(&error.to_string());
                failure = Some(error);
            }
        }
    }
    if let Some((file, path)) = &mut json_file {
        let written = serde_json::to_writer_pretty(&mut *file, &documents)
            .map_err(std::io::Error::from)
            .and_then(|()| writeln!(file))
            .and_then(|()| file.flush());
        written.map_err(|error| LiveError::Write { path: name(path), reason: error.to_string() })?;
    }
    failure.map_or(Ok(()), Err)
}

fn writes_to_stdout(args: &WatchArgs) -> bool {
    [&args.csv, &args.jsonl, &args.json].into_iter().flatten().any(|path| path.as_os_str() == "-")
}

/// The photo's faces as a table, one line a face.
fn table(path: &Path, picture: &RgbImage, reading: &Reading, labels: &Labels) -> String {
    let n_faces = reading.faces.len();
    let faces = match n_faces {
        0 => "no face found".to_owned(),
        1 => "1 face".to_owned(),
        _ => format!("{n_faces} faces"),
    };
    let mut text = format!("{}: {}×{}, {faces}", path.display(), picture.width(), picture.height());
    if n_faces == 0 {
        return text;
    }
    let columns: Vec<String> = labels.names().iter().map(|label| format!(" {label:>8}")).collect();
    text += &format!("\n{:>4}  {:<22}{}  apparent expression", "face", "box", columns.concat());
    for face in &reading.faces {
        let b = &face.face_box;
        let place = format!("{:.0},{:.0} {:.0}×{:.0}", b.x, b.y, b.width, b.height);
        let cells: Vec<String> = face
            .probabilities
            .iter()
            .zip(labels.names())
            .map(|(p, label)| format!(" {p:>width$.3}", width = label.chars().count().max(8)))
            .collect();
        let label = face.label.map_or("uncertain", |label| labels.name(label));
        text += &format!("\n{:>4}  {place:<22}{}  {label}", face.track, cells.concat());
    }
    text
}

fn document(path: &Path, picture: &RgbImage, reading: &Reading, labels: &Labels) -> Value {
    let faces = reading.faces.iter().map(|face| {
        let probabilities: serde_json::Map<String, Value> = labels
            .names()
            .iter()
            .zip(&face.probabilities)
            .map(|(label, &p)| (label.clone(), json!((f64::from(p) * 1e6).round() / 1e6)))
            .collect();
        json!({
            "face": face.track,
            "box": face.face_box,
            "probabilities": probabilities,
            "label": face.label.map(|label| labels.name(label)),
            "confidence": (f64::from(face.confidence) * 1e6).round() / 1e6,
        })
    });
    json!({
        "input": path.display().to_string(),
        "width": picture.width(),
        "height": picture.height(),
        "faces": faces.collect::<Vec<Value>>(),
    })
}

/// Writes the annotated picture to `target`, or of several photos into the folder `target`.
fn save_annotated(
    target: &Path,
    photo: &Path,
    n_photos: usize,
    mut picture: RgbImage,
    reading: &Reading,
    labels: &Labels,
) -> Result<(), LiveError> {
    draw(reading, labels, &mut picture, &OverlayOptions::default());
    let path = picture_path(target, photo, n_photos);
    if path != target {
        std::fs::create_dir_all(target)
            .map_err(|error| LiveError::Write { path: name(target), reason: error.to_string() })?;
    }
    save_picture(&picture, &path)
}
