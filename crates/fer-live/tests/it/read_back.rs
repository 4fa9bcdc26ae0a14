//! Recorded videos, read back as any other video.
#![expect(clippy::disallowed_methods, reason = "sources count their time from the start")]

use std::path::Path;
use std::time::Duration;

use fer_live::open::open;
use fer_live::source::SourceOptions;
use fer_stream::record::VideoRecorder;
use fer_vision::Frame;
use image::{Rgb, RgbImage};

fn moving(index: u32, width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb([(x * 3 + index * 5) as u8, (y * 5) as u8, ((x + y) / 2) as u8])
    })
}

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
        assert!(off < Duration::from_millis(1), "frame {}: {:?} {expected:?}", frame.index, frame.timestamp);
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
