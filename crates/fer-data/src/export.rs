//! Samples → folders of PNG files, a FER-2013 CSV file, or a contact sheet.
//! In: samples of any split. Out: what the loaders read, without loss.

use std::{fmt::Write as _, fs, path::Path};

use fer_base::{OutputError, atomic};
use image::GrayImage;
use rayon::prelude::*;

use crate::{
    Emotion, Samples,
    face::{PIXELS, SIDE},
};

/// Writes `root/<split>/<class>/<number>.png` for every sample, whole or not at all; `root` must
/// not exist yet, or be empty.
///
/// # Errors
/// [`OutputError`] when `root` holds something already, or cannot be written.
pub fn write_folders(root: &Path, splits: &[&Samples]) -> Result<(), OutputError> {
    atomic::folder(root, |part| write_part(part, splits))
}

fn write_part(part: &Path, splits: &[&Samples]) -> Result<(), OutputError> {
    for samples in splits {
        let folder = part.join(samples.split.name());
        for class in samples.labels.names() {
            let class = folder.join(class);
            fs::create_dir_all(&class).map_err(OutputError::at(&class))?;
        }
        samples.samples.par_iter().enumerate().try_for_each(|(i, sample)| {
            let path = folder.join(samples.labels.name(sample.label)).join(format!("{i:05}.png"));
            let saved = sample.face.to_gray().save(&path);
            saved.map_err(|error| OutputError { path, source: std::io::Error::other(error) })
        })?;
    }
    Ok(())
}

/// Writes `emotion,pixels,Usage` rows of the splits one after the other, as in `fer2013.csv`.
///
/// # Errors
/// [`OutputError`] when a label is none of FER-2013's seven expressions, or the file cannot be written.
pub fn write_csv(path: &Path, splits: &[&Samples]) -> Result<(), OutputError> {
    let n: usize = splits.iter().map(|samples| samples.len()).sum();
    let mut text = String::with_capacity(32 + n * 4 * PIXELS);
    text.push_str("emotion,pixels,Usage\n");
    for samples in splits {
        for sample in &samples.samples {
            let name = samples.labels.name(sample.label);
            let code =
                Emotion::from_name(name).and_then(Emotion::fer2013_code).ok_or_else(|| OutputError {
                    path: path.to_owned(),
                    source: std::io::Error::other(format!(
                        "class `{name}` has no FER-2013 code; write folders"
                    )),
                })?;
            let mut separator = ',';
            text.push_str(&code.to_string());
            for pixel in sample.face.pixels() {
                write!(text, "{separator}{pixel}").expect("a String takes all text");
                separator = ' ';
            }
            writeln!(text, ",{}", samples.split.fer2013_usage()).expect("a String takes all text");
        }
    }
    atomic::save(path, text.as_bytes())
}

/// A picture with a row of up to `columns` faces for every label, in label order.
#[must_use]
pub fn contact_sheet(samples: &Samples, columns: usize) -> GrayImage {
    let side = SIDE as u32;
    let mut sheet = GrayImage::new(side * columns as u32, side * samples.labels.len() as u32);
    for label in 0..samples.labels.len() {
        let row = samples.samples.iter().filter(|sample| sample.label == label).take(columns);
        for (column, sample) in row.enumerate() {
            let (x, y) = (column as i64 * i64::from(side), label as i64 * i64::from(side));
            image::imageops::replace(&mut sheet, &sample.face.to_gray(), x, y);
        }
    }
    sheet
}
