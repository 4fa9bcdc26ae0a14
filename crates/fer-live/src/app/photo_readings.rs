//! Photos: a table of probabilities per face, the annotated picture, JSON.
//! In: paths. Out: what was asked for; a damaged photo among several does not stop the others.
#![expect(clippy::disallowed_methods, reason = "a shot says when it was taken")]

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use fer_base::{chain, terminal};
use fer_data::Labels;
use fer_stream::StreamError;
use fer_stream::pipeline::Shot;
use fer_stream::record::Recorded;
use fer_vision::{Analyzer, Frame, Reading};
use image::RgbImage;

use super::Streams;
use super::output_files::{Records, name, picture_path, save_picture};
use super::screen::Screen;
use crate::cli::WatchArgs;
use crate::error::LiveError;
use crate::source::read_photo;

/// Reads photos one after the other.
pub(super) fn run(
    args: &WatchArgs,
    paths: &[PathBuf],
    mut analyzer: Analyzer,
    labels: &Labels,
    stop: &AtomicBool,
    streams: &mut Streams<'_>,
) -> Result<(), LiveError> {
    if args.save_video.is_some() {
        return Err(LiveError::Config(
            "--save-video is for videos and cameras: for photos use --save-picture".into(),
        ));
    }
    let mut records = Records::create(args, labels)?;
    let mut failure = None;
    for (path, idx) in paths.iter().zip(0..).take_while(|_| !stop.load(Ordering::Relaxed)) {
        let read = read_photo(path)
            .and_then(|picture| Ok((analyzer.analyze_photo(&picture).map_err(StreamError::from)?, picture)));
        match read {
            Ok((mut reading, picture)) => {
                reading.frame = idx;
                let entry = Recorded { input: &name(path), size: picture.dimensions(), reading: &reading };
                records.reading(&entry)?;
                if !writes_to_stdout(args) && !args.quiet {
                    streams.say(&table(path, &picture, &reading, labels));
                }
                if let Some(target) = &args.save_picture {
                    save_annotated(target, path, paths.len(), &records.annotated(picture, &reading))?;
                } else if paths.len() == 1 && wants_window(args) {
                    let frame = Frame { picture, timestamp: Duration::ZERO, index: idx };
                    let shot = Shot { frame, reading, captured: Instant::now() };
                    for snapshot in Screen::open(args, labels)?.hold(shot, stop)? {
                        streams.notice(&format!("wrote {}", snapshot.display()));
                    }
                }
            }
            Err(error) if paths.len() == 1 => return Err(error.into()),
            Err(error) => {
                streams.notice(&chain(&error));
                failure = Some(error);
            }
        }
    }
    records.finish()?;
    failure.map_or(Ok(()), |error| Err(error.into()))
}

/// A person in front of a display sees the photo; a script, or whoever wants files, is not held up.
fn wants_window(args: &WatchArgs) -> bool {
    let is_seen = std::io::stdout().is_terminal() && Screen::is_possible();
    is_seen && !args.headless && args.records.files.is_empty()
}

fn writes_to_stdout(args: &WatchArgs) -> bool {
    args.records.files.iter().any(|(_, path)| path.as_os_str() == "-")
}

/// The photo's faces as a table, one line a face.
fn table(path: &Path, picture: &RgbImage, reading: &Reading, labels: &Labels) -> String {
    let n_faces = reading.faces.len();
    let faces = match n_faces {
        0 => "no face found".to_owned(),
        1 => "1 face".to_owned(),
        _ => format!("{n_faces} faces"),
    };
    let path = name(path);
    let mut text = format!("{}: {}×{}, {faces}", terminal::line(&path), picture.width(), picture.height());
    if n_faces == 0 {
        return text;
    }
    let labels: Vec<_> = labels.names().iter().map(|label| terminal::line(label)).collect();
    let columns: Vec<String> = labels.iter().map(|label| format!(" {label:>8}")).collect();
    text += &format!("\n{:>4}  {:<22}{}  apparent expression", "face", "box", columns.concat());
    for face in &reading.faces {
        let b = &face.face_box;
        let place = format!("{:.0},{:.0} {:.0}×{:.0}", b.x, b.y, b.width, b.height);
        let cells: Vec<String> = face
            .probabilities
            .iter()
            .zip(&labels)
            .map(|(p, label)| format!(" {p:>width$.3}", width = label.chars().count().max(8)))
            .collect();
        let label = face.label.map_or("uncertain", |label| &*labels[label]);
        text += &format!("\n{:>4}  {place:<22}{}  {label}", face.track, cells.concat());
    }
    text
}

/// Writes the annotated picture to `target`, or of several photos into the folder `target`.
fn save_annotated(
    target: &Path,
    photo: &Path,
    n_photos: usize,
    picture: &RgbImage,
) -> Result<(), StreamError> {
    let path = picture_path(target, photo, n_photos);
    if path != target {
        std::fs::create_dir_all(target)
            .map_err(|error| StreamError::write_for(name(target), "the folder cannot be made", error))?;
    }
    save_picture(picture, &path)
}

#[cfg(test)]
mod tests {
    use fer_vision::{FaceBox, FaceReading, Timings};

    use super::*;

    #[test]
    fn names_of_photos_and_labels_do_not_reach_the_terminal_raw() {
        let face = FaceReading {
            track: 1,
            face_box: FaceBox { x: 0.0, y: 0.0, width: 9.0, height: 9.0, score: 1.0 },
            held: false,
            face_score: None,
            probabilities: vec![0.25, 0.75],
            smooth: vec![0.25, 0.75],
            label: Some(1),
            confidence: 0.75,
        };
        let (timestamp, timings) = (Duration::ZERO, Timings::default());
        let reading = Reading { frame: 0, timestamp, faces: vec![face], timings, n_dropped: 0 };
        let labels = Labels::custom(["cat", "\u{1b}[31m\rdog"].map(str::to_owned).to_vec());
        let text = table(Path::new("\u{1b}[31m\r.png"), &RgbImage::new(9, 9), &reading, &labels);
        assert!(text.starts_with("\\u{1b}[31m\\r.png: 9×9, 1 face\n"), "{text}");
        assert!(text.ends_with("0.750  \\u{1b}[31m\\rdog"), "{text}");
        assert!(!text.contains(['\u{1b}', '\r']), "{text:?}");
    }
}
