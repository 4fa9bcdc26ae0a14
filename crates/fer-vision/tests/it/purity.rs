//! fer-vision stays what runs anywhere: no clock, no file, no thread, no OpenCV.

use std::fs;
use std::path::{Path, PathBuf};

/// What no source file of the crate may name.
const FOREIGN: [&str; 9] = [
    "std::fs",
    "std::thread",
    "std::env",
    "std::net",
    "std::process",
    "Instant",
    "SystemTime",
    "opencv::",
    "println!",
];

#[test]
fn no_file_names_a_clock_a_file_a_thread_or_opencv() {
    let mut folders = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src")];
    let (mut n_files, mut named) = (0, Vec::new());
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                n_files += 1;
                named.extend(foreign_in(&path));
            }
        }
    }
    assert!(n_files >= 10, "only {n_files} source files were found");
    assert_eq!(named, Vec::<String>::new());
}

fn foreign_in(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n");
    FOREIGN
        .iter()
        .filter(|name| code.contains(*name))
        .map(|name| format!("{}: {name}", path.display()))
        .collect()
}

#[test]
fn its_manifest_asks_for_nothing_that_is_not_everywhere() {
    let manifest = include_str!("../../Cargo.toml");
    for name in ["opencv", "tokio", "clap", "rayon", "tempfile"] {
        assert!(!manifest.lines().any(|line| line.starts_with(name)), "{name} is a dependency");
    }
}
