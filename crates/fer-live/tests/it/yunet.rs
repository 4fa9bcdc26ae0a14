//! The program with YuNet, around a network of its interface that takes bright squares for faces.

use std::path::{Path, PathBuf};
use std::process::Command;

use image::{Rgb, RgbImage};

use crate::bright_yunet::{Bright, bright_yunet};
use crate::program::{refused, run, text};

/// The network, and a picture of a white square of 32 pixels in the dark.
fn network_and_photo(folder: &Path) -> (PathBuf, PathBuf) {
    let (network, photo) = (folder.join("bright.onnx"), folder.join("square.png"));
    std::fs::write(&network, bright_yunet(Bright::default())).unwrap();
    let is_bright = |x: u32, y: u32| x / 32 == 4 && y / 32 == 3;
    let picture = RgbImage::from_fn(320, 240, |x, y| Rgb([if is_bright(x, y) { 255 } else { 0 }; 3]));
    picture.save(&photo).unwrap();
    (network, photo)
}

#[test]
fn the_program_finds_faces_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let (network, photo) = network_and_photo(folder.path());
    let options =
        ["--input", text(&photo), "--detector", "yunet", "--detector-model", text(&network), "--json", "-"];
    for align in [&[][..], &["--align"]] {
        let output = run(&[&options[..], align].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let faces = document[0]["faces"].as_array().unwrap();
        assert_eq!(faces.len(), 1, "{document}");
        // 1.1 times the mean of 160 and 224.
        assert!((faces[0]["box"]["width"].as_f64().unwrap() - 211.2).abs() < 0.1, "{document}");
    }
}

#[test]
fn another_file_is_refused_with_the_name_of_the_right_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.onnx");
    std::fs::write(&path, "no network").unwrap();
    for (file, cause) in [(text(&path), "no whole ONNX file"), ("no-such.onnx", "No such file")] {
        let options = ["--input", "drawn", "--headless", "--detector", "yunet", "--detector-model", file];
        let (code, said) = refused(&options);
        assert_eq!(code, 2, "{said}");
        assert!(said.contains("face_detection_yunet_2023mar.onnx of opencv_zoo"), "{said}");
        assert!(said.contains(file) && said.contains(cause), "{said}");
    }
}

#[test]
fn level_eyes_are_refused_of_a_detector_that_finds_none() {
    let (code, said) = refused(&["--input", "drawn", "--headless", "--align"]);
    assert_eq!(code, 2);
    assert!(said.contains("--detector yunet"), "{said}");
}

#[test]
fn the_doctor_says_where_the_file_is_to_be_had_and_whether_it_is_the_published_one() {
    let folder = tempfile::tempdir().unwrap();
    let (network, photo) = network_and_photo(folder.path());
    let told = |options: &[&str]| {
        let mut doctor = Command::new(env!("CARGO_BIN_EXE_fer-live"));
        let output = doctor.args(["doctor", "--device", "cpu"]).args(options).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<&str> = text.lines().skip_while(|line| !line.contains("yunet")).take(2).collect();
        lines.join("\n")
    };
    let without = told(&[]);
    assert!(without.starts_with("  yunet") && without.contains("opencv_zoo"), "{without}");
    let other = told(&["--detector-model", text(&network)]);
    assert!(other.starts_with("! yunet") && other.contains("SHA-256 is not that of"), "{other}");
    let none = told(&["--detector-model", text(&photo)]);
    assert!(none.starts_with("! yunet") && none.contains("no whole ONNX file"), "{none}");
}
