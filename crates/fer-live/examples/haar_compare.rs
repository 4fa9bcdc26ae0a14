//! Our evaluation of the Haar cascade against OpenCV's, on pictures given by name.
//! In: photographs. Out: every search that differs, and times at two sizes; for docs/reports/live.md.
//!
//! `cargo run --release -p fer-live --example haar_compare -- PHOTO…`
#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
#![allow(clippy::print_stdout)] // A table is what it is for.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context;
use fer_live::face_detector::{DetectorKind, DetectorOptions};
use fer_live::opencv::{OpenCvCascade, be_silent, use_threads};
use fer_vision::haar::{Cascade, CascadeSearch, Hit, Search, SearchCascade};
use image::imageops::{FilterType, resize};
use image::{GrayImage, RgbImage};

/// Longest sides the pictures are searched at.
const SIDES: [u32; 6] = [77, 101, 320, 500, 640, 1_024];

/// Step between sizes, neighbours, smallest and largest side: coarse, raw, fine, between two steps.
const SEARCHES: [(f64, u32, u32, u32); 6] = [
    (1.1, 2, 24, 0),
    (1.1, 0, 24, 0),
    (1.07, 4, 31, 64),
    (1.05, 1, 20, 200),
    (1.3, 1, 60, 60),
    (2.0, 0, 0, 0),
];

fn main() -> anyhow::Result<()> {
    be_silent();
    use_threads(1)?;
    let photos: Vec<(String, RgbImage)> = std::env::args()
        .skip(1)
        .map(|path| {
            let photo = image::open(PathBuf::from(&path)).with_context(|| path.clone())?;
            Ok((path, photo.to_rgb8()))
        })
        .collect::<anyhow::Result<_>>()?;
    let mut ours = CascadeSearch::new(Cascade::frontal_face());
    let mut theirs = OpenCvCascade::new(None)?;
    compare_searches(&photos, &mut ours, &mut theirs)?;
    compare_detectors(&photos)?;
    for size in [(320, 240), (640, 480), (1_280, 720)] {
        compare_times(&photos, size, &mut ours, &mut theirs)?;
    }
    Ok(())
}

fn compare_searches(
    photos: &[(String, RgbImage)],
    ours: &mut CascadeSearch,
    theirs: &mut OpenCvCascade,
) -> anyhow::Result<()> {
    let (mut n_searches, mut n_places, mut n_differ) = (0, 0, 0);
    for (name, photo) in photos {
        let gray = image::imageops::grayscale(photo);
        for side in SIDES {
            let small = to_longest_side(&gray, side);
            for (scale_factor, min_neighbours, min, max) in SEARCHES {
                let search =
                    Search { scale_factor, min_neighbours, min_size: (min, min), max_size: (max, max) };
                let expected = theirs.search(&small, &search)?;
                let found = ours.search(&small, &search)?;
                n_searches += 1;
                n_places += expected.len();
                if found != expected {
                    n_differ += 1;
                    println!("{name} at {side}, {search:?}: {}", difference(&found, &expected));
                }
            }
        }
    }
    println!("{n_searches} searches, {n_places} places, {n_differ} searches differ");
    Ok(())
}

fn difference(found: &[Hit], expected: &[Hit]) -> String {
    let only = |these: &[Hit], those: &[Hit]| -> Vec<Hit> {
        these.iter().copied().filter(|hit| !those.contains(hit)).collect()
    };
    format!("only ours {:?}, only OpenCV's {:?}", only(found, expected), only(expected, found))
}

/// Whole detectors, with everything around the cascade, as live and for photographs.
fn compare_detectors(photos: &[(String, RgbImage)]) -> anyhow::Result<()> {
    let live = DetectorOptions::default();
    for (what, options) in [("live", live.clone()), ("photo", live.photo(true))] {
        let mut ours = options.build()?;
        let mut theirs = DetectorOptions { kind: DetectorKind::OpenCv, ..options }.build()?;
        let (mut n_faces, mut n_differ) = (0, 0);
        for (name, photo) in photos {
            let (found, expected) = (ours.detect(photo)?, theirs.detect(photo)?);
            n_faces += expected.len();
            if found != expected {
                n_differ += 1;
                println!("{name}, {what}: ours {found:?}, OpenCV's {expected:?}");
            }
        }
        println!("detector, {what}: {n_faces} faces in {} photographs, {n_differ} differ", photos.len());
    }
    Ok(())
}

fn compare_times(
    photos: &[(String, RgbImage)],
    (width, height): (u32, u32),
    ours: &mut CascadeSearch,
    theirs: &mut OpenCvCascade,
) -> anyhow::Result<()> {
    let search = Search { scale_factor: 1.1, min_neighbours: 3, min_size: (24, 24), max_size: (0, 0) };
    let mut times = Vec::new();
    for (_, photo) in photos {
        let gray = resize(&image::imageops::grayscale(photo), width, height, FilterType::Triangle);
        let (mut our_best, mut their_best) = (f64::INFINITY, f64::INFINITY);
        for _ in 0..3 {
            their_best = their_best.min(milliseconds(|| theirs.search(&gray, &search).map(drop))?);
            our_best = our_best.min(milliseconds(|| ours.search(&gray, &search).map(drop))?);
        }
        times.push((our_best, their_best));
    }
    let median = |value: &dyn Fn(&(f64, f64)) -> f64| {
        let mut values: Vec<f64> = times.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    };
    println!(
        "{width}×{height}: OpenCV {:.2} ms, ours {:.2} ms, median ratio {:.2}",
        median(&|times| times.1),
        median(&|times| times.0),
        median(&|times| times.1 / times.0),
    );
    Ok(())
}

fn milliseconds(work: impl FnOnce() -> Result<(), fer_vision::VisionError>) -> anyhow::Result<f64> {
    let started = Instant::now();
    work()?;
    Ok(started.elapsed().as_secs_f64() * 1e3)
}

fn to_longest_side(gray: &GrayImage, side: u32) -> GrayImage {
    let scale = f64::from(side) / f64::from(gray.width().max(gray.height()));
    let scaled = |length: u32| (f64::from(length) * scale).round().max(1.0) as u32;
    resize(gray, scaled(gray.width()), scaled(gray.height()), FilterType::Triangle)
}
