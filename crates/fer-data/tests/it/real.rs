//! FER-2013 itself, where `FER2013_DIR` names a folder with `fer2013.csv` (plain or compressed), and
//! perhaps `fer2013/` (Kaggle's folders), `fer2013/index.csv` (which file is which row) and
//! `ferplus/fer2013new.csv`. Without it these tests say so and pass.

// A skipped test says so.
#![allow(clippy::print_stderr)]

use std::{
    collections::HashMap,
    env, fs,
    path::{Path, PathBuf},
};

use fer_data::{Face, LoadOptions, Samples, Source, Split, audit::audit, load_learning};

/// The first of the names that stands in `FER2013_DIR`.
fn real(names: &[&str]) -> Option<PathBuf> {
    let folder = env::var_os("FER2013_DIR").map(PathBuf::from);
    let found =
        folder.and_then(|folder| names.iter().map(|name| folder.join(name)).find(|path| path.exists()));
    if found.is_none() {
        eprintln!("skipped: FER2013_DIR names no folder with {}", names.join(" or "));
    }
    found
}

fn csv() -> Option<PathBuf> {
    real(&["fer2013.csv", "fer2013.csv.zst", "fer2013.csv.xz", "fer2013.csv.gz", "icml_face_data.csv"])
}

#[test]
fn fer2013_has_its_known_counts() {
    let Some(path) = csv() else { return };
    let learning = load_learning(&path, &LoadOptions::default()).expect("FER-2013");
    assert_eq!(learning.train.counts(), [3995, 436, 4097, 7215, 4965, 4830, 3171]);
    assert_eq!(learning.validation.counts(), [467, 56, 496, 895, 607, 653, 415]);
    let audit = audit(&path, None).expect("an audit");
    assert_eq!(audit.copies.across[0].n, 280, "PublicTest images that also stand in Training");
    let pixels = audit.training_pixels.expect("training faces");
    assert!((pixels.mean - 129.4742).abs() < 1e-4 && (pixels.deviation - 65.0269).abs() < 1e-4, "{pixels:?}");
}

#[test]
fn fer2013_is_the_same_from_csv_and_from_folders() {
    let (Some(csv), Some(folder), Some(index)) = (csv(), real(&["fer2013"]), real(&["fer2013/index.csv"]))
    else {
        return;
    };
    let rows = load_learning(&csv, &LoadOptions::default()).expect("FER-2013 as CSV");
    let files = load_learning(&folder, &LoadOptions::default()).expect("FER-2013 as folders");
    assert_eq!(files.train.counts(), rows.train.counts());
    assert_eq!(files.validation.counts(), rows.validation.counts());
    let file_of_row = index_of(&index);
    for (rows, files) in [(&rows.train, &files.train), (&rows.validation, &files.validation)] {
        same_faces(rows, files, &folder, &file_of_row);
    }
}

/// Row (from 1) to file, for the rows whose file was found by equal pixels.
fn index_of(index: &Path) -> HashMap<usize, PathBuf> {
    let text = fs::read_to_string(index).expect("the index");
    let lines = text.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
    lines
        .map(|columns| (columns[0].parse::<usize>().expect("a row") + 1, PathBuf::from(columns[4])))
        .collect()
}

/// Every row's face and label are those of its file, but for what JPEG loses.
fn same_faces(rows: &Samples, files: &Samples, folder: &Path, file_of_row: &HashMap<usize, PathBuf>) {
    let by_file: HashMap<&Path, &fer_data::Sample> = files
        .samples
        .iter()
        .filter_map(|sample| match &sample.source {
            Source::File(path) => Some((path.strip_prefix(folder).expect("below the folder"), sample)),
            _ => None,
        })
        .collect();
    assert_eq!(by_file.len(), rows.len());
    let (mut sum, mut worst) = (0.0, 0.0_f64);
    for row in &rows.samples {
        let Source::CsvRow(number) = row.source else { panic!("a row of the CSV file") };
        let file = by_file[file_of_row[&number].as_path()];
        assert_eq!(file.label, row.label, "row {number}");
        let difference = mean_difference(&file.face, &row.face);
        sum += difference;
        worst = worst.max(difference);
    }
    let mean = sum / rows.len() as f64;
    eprintln!("mean difference {mean:.3} grey levels, worst face {worst:.3}");
    // JPEG of quality 95 loses about one level a pixel.
    assert!(mean < 1.5 && worst < 4.0, "mean {mean}, worst {worst}");
}

fn mean_difference(a: &Face, b: &Face) -> f64 {
    let sum: u32 = a.pixels().iter().zip(b.pixels()).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
    f64::from(sum) / 2304.0
}

#[test]
fn fer_plus_joins_by_row_and_agrees_with_the_labels() {
    let (Some(csv), Some(votes)) = (csv(), real(&["ferplus/fer2013new.csv", "fer2013new.csv"])) else {
        return;
    };
    let found = audit(&csv, Some(&votes)).expect("an audit").ferplus;
    let facts: Vec<_> = found.iter().map(|of| (of.split, of.non_faces, of.unnamed)).collect();
    assert_eq!(facts[..2], [(Split::Train, 150, 148), (Split::Validation, 11, 10)]);
    // Joined a row off, labels would agree in about one of six.
    assert!(found.iter().all(|of| of.agreement > 0.6), "{found:?}");
    let options = LoadOptions { ferplus: Some(votes), drop_non_faces: true, ..LoadOptions::default() };
    let learning = load_learning(&csv, &options).expect("FER-2013 with votes");
    assert_eq!((learning.train.len(), learning.validation.len()), (28709 - 150, 3589));
}
