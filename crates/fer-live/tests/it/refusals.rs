//! What is refused before anything is lost.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use image::RgbImage;

use crate::program::{clip, program, refused, run, text};

#[test]
fn a_record_never_replaces_its_own_source() {
    let folder = tempfile::tempdir().unwrap();
    let clip = clip(folder.path(), 1, 5);
    let before = std::fs::read(&clip).unwrap();
    for option in ["--csv", "--save-video", "--jsonl"] {
        let (code, said) = refused(&["--input", text(&clip), "--headless", option, text(&clip)]);
        assert_eq!(code, 2, "{said}");
        assert!(said.contains("the input is there too; choose another"), "{said}");
    }
    assert_eq!(std::fs::read(&clip).unwrap(), before);
}

#[test]
fn a_record_never_replaces_the_model_that_reads() {
    let folder = tempfile::tempdir().unwrap();
    let clip = clip(folder.path(), 1, 5);
    let card = crate::program::model().join("card.json");
    let before = std::fs::read(&card).unwrap();
    let (code, said) = refused(&["--input", text(&clip), "--headless", "--jsonl", text(&card)]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("the model is there too; choose another"), "{said}");
    assert_eq!(std::fs::read(&card).unwrap(), before);
}

#[test]
fn a_picture_of_too_many_pixels_is_refused_from_its_header() {
    let folder = tempfile::tempdir().unwrap();
    let bomb = folder.path().join("bomb.pgm");
    std::fs::write(&bomb, b"P5 60000 60000 255\n").unwrap();
    let (code, said) = refused(&["--input", text(&bomb)]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("too large: 60000×60000, expected sides of at most 16384"), "{said}");
}

#[test]
fn a_jpeg_that_is_cut_off_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let photo = folder.path().join("photo.jpg");
    RgbImage::from_fn(200, 200, |x, y| image::Rgb([x as u8, y as u8, 9])).save(&photo).unwrap();
    let bytes = std::fs::read(&photo).unwrap();
    assert!(run(&["--input", text(&photo)]).status.success());
    std::fs::write(&photo, &bytes[..bytes.len() - 100]).unwrap();
    let (code, said) = refused(&["--input", text(&photo)]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("photo.jpg: damaged: the JPEG is cut off"), "{said}");
}

#[test]
fn a_reader_that_has_had_enough_ends_the_run_well() {
    let mut command = program();
    command.args(["--input", "drawn", "--size", "160x120", "--headless", "--quiet", "--csv", "-"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let reader = BufReader::new(child.stdout.take().unwrap());
    assert_eq!(reader.lines().take(3).count(), 3);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn an_empty_stream_is_no_input() {
    for words in [&["--stdin-size", "8x8"][..], &[]] {
        let (code, said) = refused(&[&["--input", "-", "--headless"], words].concat());
        assert_eq!(code, 3, "{said}");
    }
}
