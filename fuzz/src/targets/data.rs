//! Data sets: tables, plain and compressed; FER+'s votes; folders of pictures.
//! In: bytes as a file. Out: what the loader says.

use std::{fs, path::PathBuf};

use fer_data::{LoadOptions, load_learning};
use tempfile::TempDir;

use super::{Door, Target, words};
use crate::{plan::memory_folder, seeds};

const WORDS: &[&[u8]] = &[
    b"emotion",
    b"pixels",
    b"Usage",
    b"Training",
    b"PublicTest",
    b"PrivateTest",
    b",",
    b"\"",
    b"\r\n",
    b" ",
    b"\xef\xbb\xbf",
    b"neutral",
    b"NF",
    b"fer0000001.png",
    b"10",
    b"0.5",
];

/// The start of every compressed format.
const MAGIC: &[&[u8]] = &[
    b"\x1f\x8b\x08",
    b"\xfd7zXZ\0",
    b"\x28\xb5\x2f\xfd",
    b"PK\x03\x04",
    b"\x21\x01\x28",
    b"\x21\x01\x16",
    b"\0\0",
    b"YZ",
];

pub(super) const CSV: Target = Target {
    name: "csv",
    door: "FER-2013's table",
    seeds: || [vec![seeds::fer2013()], seeds::short_tables()].concat(),
    words: WORDS,
    open: || table("table.csv", false),
    on_request: false,
};

pub(super) const COMPRESSED: Target = Target {
    name: "compressed",
    door: "a compressed table",
    seeds: || {
        let tables = [vec![seeds::fer2013()], seeds::short_tables()].concat();
        tables.iter().flat_map(|table| seeds::compressed(table)).collect()
    },
    words: MAGIC,
    open: || table("table.csv.gz", true),
    on_request: false,
};

pub(super) const FERPLUS: Target = Target {
    name: "ferplus",
    door: "FER+'s table of votes",
    seeds: || vec![seeds::ferplus()],
    words: WORDS,
    open: ferplus,
    on_request: false,
};

pub(super) const FOLDER: Target = Target {
    name: "folder",
    door: "a picture in a folder of classes",
    seeds: seeds::pictures,
    words: super::pictures::WORDS,
    open: folder,
    on_request: false,
};

fn scratch() -> TempDir {
    tempfile::tempdir_in(memory_folder()).expect("there is room for a folder")
}

/// Loads an input as a table, strictly and leaving bad rows out.
fn table(name: &'static str, skip_bad: bool) -> Door {
    let scratch = scratch();
    Box::new(move |bytes| {
        let path = scratch.path().join(name);
        fs::write(&path, bytes).map_err(|error| error.to_string())?;
        let options = LoadOptions { skip_bad, validation_fraction: Some(0.5), ..LoadOptions::default() };
        Ok(words(load_learning(&path, &options)))
    })
}

fn ferplus() -> Door {
    let scratch = scratch();
    let faces = scratch.path().join("fer2013.csv");
    let written = fs::write(&faces, seeds::fer2013());
    Box::new(move |bytes| {
        written.as_ref().map_err(ToString::to_string)?;
        let votes = scratch.path().join("fer2013new.csv");
        fs::write(&votes, bytes).map_err(|error| error.to_string())?;
        let options = LoadOptions { ferplus: Some(votes), drop_non_faces: true, ..LoadOptions::default() };
        let loaded = load_learning(&faces, &options).map(|learning| learning.train.by_ferplus_votes());
        Ok(words(loaded))
    })
}

fn folder() -> Door {
    let scratch = scratch();
    let place = |split: &str, class: &str| -> PathBuf { scratch.path().join(split).join(class) };
    for (split, class) in
        [("train", "happy"), ("train", "sad"), ("validation", "happy"), ("validation", "sad")]
    {
        fs::create_dir_all(place(split, class)).expect("there is room for a folder");
        let face = image::DynamicImage::ImageLuma8(seeds::face(1));
        fs::write(place(split, class).join("a.png"), seeds::encoded(&face, image::ImageFormat::Png))
            .expect("there is room for a face");
    }
    let damaged = place("train", "happy").join("b.jpg");
    Box::new(move |bytes| {
        fs::write(&damaged, bytes).map_err(|error| error.to_string())?;
        Ok(words(load_learning(scratch.path(), &LoadOptions::default())))
    })
}
