//! Readings as tables and as a video.

use std::time::Duration;

use fer_data::Labels;
use fer_live::reading::{FaceReading, Reading, Timings};
use fer_live::record::{CsvRecorder, JsonlRecorder, VideoRecorder, csv_header, csv_rows, json_rows};
use image::{Rgb, RgbImage};
use insta::assert_snapshot;

use crate::fakes::{face_box, sure_of};

fn face(track: u64, held: bool, label: Option<usize>) -> FaceReading {
    FaceReading {
        track,
        face_box: face_box(12.0, 34.5, 80.0, 23.0),
        held,
        probabilities: sure_of(3, 0.7),
        smooth: sure_of(3, 0.64),
        label,
        confidence: 0.64,
    }
}

fn reading(faces: Vec<FaceReading>) -> Reading {
    let timestamp = Duration::from_micros(1_234_567);
    Reading { frame: 37, timestamp, faces, timings: Timings::default(), n_dropped: 0 }
}

fn text(rows: &[Vec<String>]) -> String {
    rows.iter().map(|row| row.join(",") + "\n").collect()
}

#[test]
fn the_columns_are_those_of_the_manual() {
    assert_snapshot!(csv_header(&Labels::fer2013()).join(","), @"input,frame,timestamp_ms,success,track,x,y,w,h,score,angry,disgust,fear,happy,neutral,sad,surprise,smooth_angry,smooth_disgust,smooth_fear,smooth_happy,smooth_neutral,smooth_sad,smooth_surprise,label,confidence");
}

#[test]
fn every_face_is_a_row_and_an_uncertain_one_has_no_label() {
    let rows = csv_rows(
        "clip.mp4",
        &reading(vec![face(1, false, Some(3)), face(2, false, None)]),
        &Labels::fer2013(),
    );
    assert_snapshot!(text(&rows), @r"
    clip.mp4,37,1234.567,1,1,12.00,34.50,80.00,80.00,23.00,0.050000,0.050000,0.050000,0.700000,0.050000,0.050000,0.050000,0.060000,0.060000,0.060000,0.640000,0.060000,0.060000,0.060000,happy,0.640000
    clip.mp4,37,1234.567,1,2,12.00,34.50,80.00,80.00,23.00,0.050000,0.050000,0.050000,0.700000,0.050000,0.050000,0.050000,0.060000,0.060000,0.060000,0.640000,0.060000,0.060000,0.060000,,0.640000
    ");
}

#[test]
fn a_frame_without_a_face_is_a_row_without_success_and_so_is_one_with_only_held_faces() {
    let header = csv_header(&Labels::fer2013());
    for faces in [vec![], vec![face(1, true, Some(3))]] {
        let rows = csv_rows("clip.mp4", &reading(faces), &Labels::fer2013());
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].len(), header.len());
        assert_eq!(rows[0][..5], ["clip.mp4", "37", "1234.567", "0", ""]);
    }
}

#[test]
fn json_lines_say_the_same_as_the_csv() {
    let reading = reading(vec![face(1, false, Some(3)), face(2, false, None)]);
    let labels = Labels::fer2013();
    for (object, cells) in
        json_rows("clip.mp4", &reading, &labels).iter().zip(csv_rows("clip.mp4", &reading, &labels))
    {
        for (key, cell) in csv_header(&labels).iter().zip(cells) {
            let value = &object[key.as_str()];
            match (value.as_f64(), cell.parse::<f64>()) {
                (Some(value), Ok(cell)) => assert!((value - cell).abs() < 1e-9, "{key}: {value} {cell}"),
                _ => assert_eq!(value.as_str().unwrap_or(""), cell, "{key}"),
            }
        }
    }
    let empty = json_rows("clip.mp4", &Reading { faces: vec![], ..reading }, &labels);
    assert_snapshot!(empty[0], @r#"{"frame":37,"input":"clip.mp4","success":0,"timestamp_ms":1234.567}"#);
}

#[test]
fn a_program_that_is_killed_leaves_whole_rows() {
    let folder = tempfile::tempdir().unwrap();
    let (csv, jsonl) = (folder.path().join("a.csv"), folder.path().join("a.jsonl"));
    let file = |path| std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    let labels = Labels::fer2013();
    let mut table = CsvRecorder::new(file(&csv), &labels, "a.csv").unwrap();
    let mut lines = JsonlRecorder::new(file(&jsonl), &labels, "a.jsonl");
    for n in 1..=5 {
        table.record("x", &reading(vec![face(1, false, None)])).unwrap();
        lines.record("x", &reading(vec![face(1, false, None)])).unwrap();
        // What is on disk while the program still runs is what a killed one leaves.
        let rows = std::fs::read_to_string(&csv).unwrap();
        assert_eq!(rows.lines().count(), 1 + n);
        assert!(rows.ends_with('\n'));
        assert_eq!(std::fs::read_to_string(&jsonl).unwrap().lines().count(), n);
    }
}

pub(crate) fn moving(index: u32, width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb([(x * 3 + index * 5) as u8, (y * 5) as u8, ((x + y) / 2) as u8])
    })
}

#[test]
fn pictures_the_encoder_cannot_take_are_refused_with_their_size() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.mp4");
    let mut video = VideoRecorder::create(&path).unwrap();
    let error = video.record(&moving(0, 5000, 20), Duration::ZERO).unwrap_err().to_string();
    assert!(
        error.ends_with("out.mp4: pictures of 5000×20 cannot be encoded, expected 16×16 to 3840×2160"),
        "{error}"
    );
    let mut video = VideoRecorder::create(&path).unwrap();
    video.record(&moving(0, 64, 48), Duration::ZERO).unwrap();
    let error = video.record(&moving(0, 32, 48), Duration::from_millis(40)).unwrap_err().to_string();
    assert!(error.ends_with("a picture is 32×48, expected 64×48 as the first one was"), "{error}");
}

#[cfg(feature = "opencv")]
mod read_back {
    use std::path::Path;

    use fer_live::frame::Frame;
    use fer_live::source::{SourceOptions, open};

    use super::*;

    fn frames(path: &Path) -> Vec<Frame> {
        let mut source =
            open(&path.display().to_string(), &SourceOptions::new(std::time::Instant::now())).unwrap();
        std::iter::from_fn(|| source.next_frame().unwrap()).collect()
    }

    /// Times of a phone's video: 24 and 60 frames a second in turn, and a gap.
    fn uneven_times() -> Vec<Duration> {
        let mut time = 0;
        let step = |i: u64| match i {
            50 => 500_000,
            _ if (i / 20).is_multiple_of(2) => 41_667,
            _ => 16_667,
        };
        (0..100)
            .map(|i| {
                let now = Duration::from_micros(time);
                time += step(i);
                now
            })
            .collect()
    }

    fn record(path: &Path, size: (u32, u32), times: &[Duration]) -> VideoRecorder {
        let mut video = VideoRecorder::create(path).unwrap();
        for (&time, index) in times.iter().zip(0..) {
            video.record(&moving(index, size.0, size.1), time).unwrap();
        }
        video
    }

    fn assert_times(frames: &[Frame], times: &[Duration]) {
        for (frame, expected) in frames.iter().zip(times) {
            let off = frame.timestamp.abs_diff(*expected);
            assert!(
                off < Duration::from_millis(1),
                "frame {}: {:?} {expected:?}",
                frame.index,
                frame.timestamp
            );
        }
    }

    #[test]
    fn a_video_keeps_size_colours_and_uneven_times() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.mp4");
        let times = uneven_times();
        record(&path, (160, 120), &times).finish().unwrap();
        let frames = frames(&path);
        assert_eq!(frames.len(), 100);
        assert_times(&frames, &times);
        let expected = moving(99, 160, 120);
        let off: f64 =
            frames[99].picture.iter().zip(expected.iter()).map(|(a, b)| f64::from(a.abs_diff(*b))).sum();
        // A sixth of the columns wrap from white to black in one pixel, which halved colour planes blur.
        assert!(off / expected.len() as f64 <= 16.0, "mean difference {}", off / expected.len() as f64);
    }

    #[test]
    fn a_picture_with_odd_sides_gains_a_pixel() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.mp4");
        record(&path, (161, 121), &uneven_times()[..5]).finish().unwrap();
        assert_eq!(frames(&path)[0].picture.dimensions(), (162, 122));
    }

    #[test]
    fn a_video_whose_writer_was_killed_is_whole_up_to_its_last_second() {
        let folder = tempfile::tempdir().unwrap();
        let (path, left) = (folder.path().join("out.mp4"), folder.path().join("left.mp4"));
        let times: Vec<Duration> = (0..100).map(|i| Duration::from_millis(40 * i)).collect();
        let video = record(&path, (160, 120), &times);
        // What is on disk while the writer lives is what it leaves when it is killed; and a write may be torn.
        let bytes = std::fs::read(&path).unwrap();
        for n_bytes in [bytes.len(), bytes.len() - 1000] {
            std::fs::write(&left, &bytes[..n_bytes]).unwrap();
            let mut source =
                open(&left.display().to_string(), &SourceOptions::new(std::time::Instant::now())).unwrap();
            let mut n = 0;
            while let Ok(Some(_)) = source.next_frame() {
                n += 1;
            }
            assert!(n >= 45, "{n} of 100 frames");
        }
        drop(video);
    }
}

#[test]
fn a_recording_that_was_killed_in_its_first_moments_holds_what_came_before() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("live.mp4"), folder.path().join("as-killed.mp4"));
    let mut video = VideoRecorder::create(&path).unwrap();
    for frame in 0..10_u64 {
        video.record(&RgbImage::new(64, 64), Duration::from_millis(33 * frame)).unwrap();
        if frame == 1 || frame == 9 {
            std::fs::copy(&path, &copy).unwrap();
            let boxes = std::fs::read(&copy).unwrap();
            let n_fragments = boxes.windows(4).filter(|name| name == b"moof").count();
            assert_eq!(n_fragments, if frame == 1 { 1 } else { 2 }, "after frame {frame}");
        }
    }
}
