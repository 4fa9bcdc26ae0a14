//! Readings as tables and as a video.

use std::time::Duration;

use fer_data::Labels;
use fer_stream::record::{FORMATS, Format, Recorded, VideoRecorder};
use fer_vision::{FaceReading, Reading, Timings, columns};
use image::{Rgb, RgbImage};
use insta::assert_snapshot;

use crate::fakes::{face_box, sure_of};

fn face(track: u64, held: bool, label: Option<usize>) -> FaceReading {
    FaceReading {
        track,
        face_box: face_box(12.0, 34.5, 80.0, 23.0),
        held,
        face_score: None,
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

fn format(ending: &str) -> Format {
    FORMATS.into_iter().find(|format| format.ending == ending).unwrap()
}

/// What a format makes of one frame.
fn text(ending: &str, input: &str, faces: Vec<FaceReading>) -> String {
    let mut bytes = Vec::new();
    let mut recorder = (format(ending).begin)(Box::new(&mut bytes), &Labels::fer2013()).unwrap();
    recorder.record(&Recorded { input, size: (640, 480), reading: &reading(faces) }).unwrap();
    recorder.finish().unwrap();
    drop(recorder);
    String::from_utf8(bytes).unwrap()
}

/// The cells of a CSV, its header left out.
fn cells(csv: &str) -> Vec<Vec<&str>> {
    csv.lines().skip(1).map(|line| line.split(',').collect()).collect()
}

#[test]
fn the_columns_are_those_of_the_manual() {
    assert_snapshot!(columns(&Labels::fer2013()).join(","), @"input,frame,timestamp_ms,success,track,x,y,w,h,score,angry,disgust,fear,happy,neutral,sad,surprise,smooth_angry,smooth_disgust,smooth_fear,smooth_happy,smooth_neutral,smooth_sad,smooth_surprise,label,confidence");
}

#[test]
fn every_face_is_a_row_and_an_uncertain_one_has_no_label() {
    let text = text("csv", "clip.mp4", vec![face(1, false, Some(3)), face(2, false, None)]);
    assert_snapshot!(text.split_once('\n').unwrap().1, @r"
    clip.mp4,37,1234.567,1,1,12.00,34.50,80.00,80.00,23.00,0.050000,0.050000,0.050000,0.700000,0.050000,0.050000,0.050000,0.060000,0.060000,0.060000,0.640000,0.060000,0.060000,0.060000,happy,0.640000
    clip.mp4,37,1234.567,1,2,12.00,34.50,80.00,80.00,23.00,0.050000,0.050000,0.050000,0.700000,0.050000,0.050000,0.050000,0.060000,0.060000,0.060000,0.640000,0.060000,0.060000,0.060000,,0.640000
    ");
}

#[test]
fn a_frame_without_a_face_is_a_row_without_success_and_so_is_one_with_only_held_faces() {
    for faces in [vec![], vec![face(1, true, Some(3))]] {
        let text = text("csv", "clip.mp4", faces);
        let rows = cells(&text);
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].len(), columns(&Labels::fer2013()).len());
        assert_eq!(rows[0][..5], ["clip.mp4", "37", "1234.567", "0", ""]);
    }
}

#[test]
fn json_lines_say_the_same_as_the_csv() {
    let faces = || vec![face(1, false, Some(3)), face(2, false, None)];
    let (lines, csv) = (text("jsonl", "clip.mp4", faces()), text("csv", "clip.mp4", faces()));
    assert_eq!(lines.lines().count(), 2);
    for (line, cells) in lines.lines().zip(cells(&csv)) {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        for (key, cell) in columns(&Labels::fer2013()).iter().zip(cells) {
            let value = &object[key.as_str()];
            match (value.as_f64(), cell.parse::<f64>()) {
                (Some(value), Ok(cell)) => assert!((value - cell).abs() < 1e-9, "{key}: {value} {cell}"),
                _ => assert_eq!(value.as_str().unwrap_or(""), cell, "{key}"),
            }
        }
    }
    assert_snapshot!(text("jsonl", "clip.mp4", vec![]), @r#"{"frame":37,"input":"clip.mp4","success":0,"timestamp_ms":1234.567}"#);
}

#[test]
fn a_name_that_begins_like_a_formula_is_run_by_no_spreadsheet() {
    for name in ["=cmd.mp4", "+1.jpg", "-2+3.png", "@sum.mp4", "\tcell"] {
        let text = text("csv", name, vec![]);
        assert!(text.lines().nth(1).unwrap().starts_with(&format!("'{name},37,")), "{text}");
    }
    for (name, written) in [("x;=1.jpg", "x;'=1.jpg"), ("=a;b\t-1;+2", "'=a;b\t'-1;'+2")] {
        assert_eq!(cells(&text("csv", name, vec![]))[0][0], written, "cells divided by semicolons or tabs");
    }
    for name in ["-", "clip=1.mp4", "a;b.mp4"] {
        assert_eq!(cells(&text("csv", name, vec![]))[0][0], name);
    }
    assert!(text("jsonl", "=cmd.mp4", vec![]).contains("\"input\":\"=cmd.mp4\""), "no spreadsheet runs JSON");
}

#[test]
fn photos_are_one_json_document() {
    let document = text("json", "a.jpg", vec![face(1, false, Some(3)), face(2, false, None)]);
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert_eq!((&document[0]["width"], &document[0]["height"]), (&640.into(), &480.into()));
    assert_eq!(document[0]["faces"][0]["label"], "happy");
    assert_eq!(document[0]["faces"][1]["label"], serde_json::Value::Null);
    assert_eq!(document[0]["faces"][0]["probabilities"]["happy"], 0.7);
}

#[test]
fn a_program_that_is_killed_leaves_whole_rows() {
    let folder = tempfile::tempdir().unwrap();
    for (ending, n_head) in [("csv", 1), ("jsonl", 0)] {
        let path = folder.path().join(ending);
        let file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
        let mut recorder = (format(ending).begin)(Box::new(file), &Labels::fer2013()).unwrap();
        for n in 1..=5 {
            let reading = reading(vec![face(1, false, None)]);
            recorder.record(&Recorded { input: "x", size: (640, 480), reading: &reading }).unwrap();
            // What is on disk while the program still runs is what a killed one leaves.
            let rows = std::fs::read_to_string(&path).unwrap();
            assert_eq!(rows.lines().count(), n_head + n);
            assert!(rows.ends_with('\n'));
        }
    }
}

#[test]
fn every_format_has_an_ending_of_its_own() {
    let endings: std::collections::BTreeSet<&str> = FORMATS.iter().map(|format| format.ending).collect();
    assert_eq!(endings.len(), FORMATS.len());
}

fn moving(index: u32, width: u32, height: u32) -> RgbImage {
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
