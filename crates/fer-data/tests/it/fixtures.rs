//! Made-up faces, files and folders.

use std::{
    fs,
    path::{Path, PathBuf},
};

use fer_data::{
    DataError, Emotion, Face, Labels, LoadOptions, Sample, Samples, Source, Split, augment::rng_for, export,
};
use rand::RngExt;
use tempfile::TempDir;

/// A face of random pixels: no two seeds give the same.
pub(crate) fn noise(seed: u64) -> Face {
    let mut rng = rng_for(seed, 0, 0);
    let mut face = Face::blank(0);
    face.pixels_mut().iter_mut().for_each(|pixel| *pixel = rng.random());
    face
}

/// A face of smooth shades: light above, dark to the right, a bright spot in the middle.
pub(crate) fn shaded() -> Face {
    let mut face = Face::blank(0);
    for (i, pixel) in face.pixels_mut().iter_mut().enumerate() {
        let [x, y] = [i % 48, i / 48].map(|at| at as f32 / 47.0 - 0.5);
        *pixel = (130.0 - 60.0 * y - 40.0 * x + 60.0 * (-8.0 * (x * x + y * y)).exp()) as u8;
    }
    face
}

/// `per_class` random faces of every expression, in turn.
pub(crate) fn samples(split: Split, per_class: usize) -> Samples {
    let samples = (0..per_class * Emotion::FER2013.len()).map(|i| Sample {
        face: noise((split as u64) << 32 | i as u64),
        label: i % Emotion::FER2013.len(),
        votes: None,
        source: Source::Drawn { seed: 0, index: i },
    });
    Samples { split, labels: Labels::fer2013(), samples: samples.collect() }
}

/// Labels and faces, without where they came from.
pub(crate) fn content(samples: &Samples) -> Vec<(usize, Face)> {
    samples.samples.iter().map(|s| (s.label, s.face.clone())).collect()
}

/// The same, in an order that does not depend on the loader's.
pub(crate) fn sorted(samples: &Samples) -> Vec<(usize, Face)> {
    let mut content = content(samples);
    content.sort_by(|a, b| (a.0, a.1.pixels()).cmp(&(b.0, b.1.pixels())));
    content
}

/// A CSV file of both learning splits and test, in a folder that goes when dropped.
pub(crate) fn csv_file(per_class: usize) -> (TempDir, PathBuf, [Samples; 3]) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("fer2013.csv");
    let splits = Split::ALL.map(|split| samples(split, per_class));
    export::write_csv(&path, &splits.each_ref()).expect("a CSV file");
    (folder, path, splits)
}

/// A CSV file with this text.
pub(crate) fn csv_text(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("fer2013.csv");
    fs::write(&path, text).expect("a CSV file");
    (folder, path)
}

/// The pixels of a CSV row, all of one value.
pub(crate) fn pixels(value: u8) -> String {
    vec![value.to_string(); 48 * 48].join(" ")
}

/// Writes a face as an image file; the extension says the format.
pub(crate) fn put(path: &Path, face: &Face) {
    fs::create_dir_all(path.parent().expect("a file in a folder")).expect("a folder");
    face.to_gray().save(path).expect("an image");
}

/// Writes a small data set of `classes` with the given split folders, two faces each.
pub(crate) fn put_classes(root: &Path, splits: &[&str], classes: &[&str]) {
    let mut seed = 0;
    for split in splits {
        for class in classes {
            for name in ["a_2.png", "a_10.png"] {
                put(&root.join(split).join(class).join(name), &noise(seed));
                seed += 1;
            }
        }
    }
}

/// The error's text, with causes, the temporary folder replaced by `…`.
pub(crate) fn told<T: std::fmt::Debug>(result: Result<T, DataError>, root: &Path) -> String {
    let error = anyhow::Error::new(result.expect_err("an error"));
    format!("{error:#}").replace(&root.display().to_string(), "…")
}

pub(crate) fn skip_bad() -> LoadOptions {
    LoadOptions { skip_bad: true, ..LoadOptions::default() }
}
