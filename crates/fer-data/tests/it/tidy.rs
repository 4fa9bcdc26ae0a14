//! The house rules that a machine can check, over the whole workspace.

use std::fs;
use std::path::{Path, PathBuf};

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Files below a folder with one of the endings, built and fetched ones left out.
fn files(folder: &Path, endings: &[&str], found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !["target", "runs", "node_modules", ".git", "datasets"].contains(&name.as_str()) {
            files(&path, endings, found);
        } else if path.extension().is_some_and(|ending| endings.iter().any(|wanted| ending == *wanted)) {
            found.push(path);
        }
    }
}

fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    files(&workspace().join("crates"), &["rs"], &mut found);
    let below = |path: &PathBuf| {
        let short = path.strip_prefix(workspace()).unwrap().to_string_lossy().into_owned();
        (short, fs::read_to_string(path).unwrap())
    };
    let sources: Vec<_> = found.iter().map(below).filter(|(path, _)| path.contains("/src/")).collect();
    assert!(sources.len() > 100, "the sources were found");
    sources
}

#[track_caller]
fn none(breaches: Vec<&String>, rule: &str) {
    assert!(breaches.is_empty(), "{rule}: {breaches:?}");
}

#[test]
fn every_source_opens_with_in_and_out() {
    let sources = sources();
    let breaches = sources.iter().filter(|(_, text)| {
        let head: Vec<&str> = text.lines().take_while(|line| line.starts_with("//!")).collect();
        !(head.len() >= 2 && head.join("\n").contains("In:") && head.join("\n").contains("Out:"))
    });
    none(breaches.map(|(path, _)| path).collect(), "`//! …`, `//! In: … Out: …`");
}

#[test]
fn no_source_has_a_name_that_says_nothing() {
    let sources = sources();
    let empty = ["utils.rs", "util.rs", "common.rs", "helpers.rs", "misc.rs"];
    let breaches = sources.iter().filter(|(path, _)| empty.iter().any(|name| path.ends_with(name)));
    none(breaches.map(|(path, _)| path).collect(), "a file is named after its idea");
}

#[test]
fn only_its_owner_spells_an_expression() {
    let sources = sources();
    let breaches = sources
        .iter()
        .filter(|(path, text)| text.contains("\"surprise\"") && !path.ends_with("fer-data/src/emotion.rs"));
    none(breaches.map(|(path, _)| path).collect(), "expressions are named by emotion.rs alone");
}

#[test]
fn crates_know_only_what_they_may() {
    let sources = sources();
    let names = |folder: &'static str, word: &'static str| {
        move |(path, text): &&(String, String)| path.contains(folder) && text.contains(word)
    };
    none(
        sources.iter().filter(names("fer-data/src", "use burn")).map(|s| &s.0).collect(),
        "no Burn in fer-data",
    );
    none(
        sources
            .iter()
            .filter(|(path, text)| {
                (text.contains("use opencv::") || text.contains(" opencv::")) && !path.contains("src/opencv/")
            })
            .map(|s| &s.0)
            .collect(),
        "OpenCV is named in fer-live/src/opencv alone",
    );
    none(
        sources.iter().filter(names("fer-live/src", "fer_train")).map(|s| &s.0).collect(),
        "fer-live knows nothing of training",
    );
    none(
        sources
            .iter()
            .filter(|(path, text)| text.contains("TcpListener::bind") && !path.contains("fer-web/src/"))
            .map(|s| &s.0)
            .collect(),
        "only fer-web listens",
    );
}

#[test]
fn nothing_is_left_to_do_in_passing() {
    let sources = sources();
    let breaches = sources.iter().filter(|(_, text)| text.contains("TODO") || text.contains("FIXME"));
    none(breaches.map(|(path, _)| path).collect(), "what is left goes to the issue tracker");
}

/// No licence of a public expression data set allows its photographs to be passed on.
#[test]
fn no_photographs_are_in_the_repository() {
    let mut found = Vec::new();
    files(&workspace(), &["jpg", "jpeg", "tif", "tiff", "bmp", "webp", "gif"], &mut found);
    assert!(found.is_empty(), "{found:?}");
    let mut drawn = Vec::new();
    files(&workspace(), &["png"], &mut drawn);
    drawn.retain(|path| !path.starts_with(workspace().join("docs/images")));
    assert!(drawn.is_empty(), "pictures of drawn faces are in docs/images: {drawn:?}");
}
