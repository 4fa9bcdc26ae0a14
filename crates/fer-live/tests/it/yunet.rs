//! YuNet's wrapper, around a network of its interface that takes bright squares for faces.

use std::path::PathBuf;

use fer_live::opencv::{YuNet, YuNetOptions, facts};
use fer_vision::DetectFaces;
use image::RgbImage;

use crate::program::{refused, run, text};

/// See `fixtures/bright_yunet.py`.
fn network() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/bright_yunet.onnx")
}

/// OpenCV 4.8 and later want other outputs.
fn is_other_interface() -> bool {
    let version = facts().version;
    let minor = version.strip_prefix("4.").and_then(|rest| rest.split('.').next()?.parse::<u32>().ok());
    let is_other = minor.is_none_or(|minor| minor >= 8);
    if is_other {
        eprintln!("skipped: the test's network is for OpenCV before 4.8, this is {version}");
    }
    is_other
}

/// A white square of `scale` × 64 pixels in the dark, in `scale` times 320×240.
fn picture(scale: u32) -> RgbImage {
    let mut picture = RgbImage::new(320 * scale, 240 * scale);
    for (x, y) in (64 * scale..128 * scale).flat_map(|y| (128 * scale..192 * scale).map(move |x| (x, y))) {
        picture.put_pixel(x, y, image::Rgb([255; 3]));
    }
    picture
}

#[test]
fn boxes_are_mapped_to_the_full_picture_and_made_square() {
    if is_other_interface() {
        return;
    }
    let mut yunet = YuNet::new(YuNetOptions::new(network())).unwrap();
    let faces = yunet.detect(&picture(2)).unwrap();
    assert_eq!(faces.len(), 1, "{faces:?}");
    let (x, y) = faces[0].center();
    assert!((x - 320.0).abs() < 2.0 && (y - 192.0).abs() < 2.0, "{faces:?}");
    // 192 pixels of the searched size, twice that in the picture, 1.1 times its mean side.
    assert!((faces[0].width - 422.4).abs() < 3.0 && faces[0].width == faces[0].height, "{faces:?}");
    assert!(faces[0].score > 0.99);
    assert_eq!(yunet.detect(&RgbImage::new(640, 480)).unwrap(), []);
}

#[test]
fn the_program_finds_faces_with_it() {
    if is_other_interface() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let photo = folder.path().join("square.png");
    picture(1).save(&photo).unwrap();
    let network = network();
    let options = ["--detector", "yunet", "--detector-model", text(&network), "--json", "-"];
    let output = run(&[&["--input", text(&photo)], &options[..]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document[0]["faces"].as_array().unwrap().len(), 1, "{document}");
}

#[test]
fn another_file_is_refused_with_the_name_of_the_right_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.onnx");
    std::fs::write(&path, "no network").unwrap();
    for file in [text(&path), "no-such.onnx"] {
        let options = ["--input", "drawn", "--headless", "--detector", "yunet", "--detector-model", file];
        let (code, said) = refused(&options);
        assert_eq!(code, 2, "{said}");
        assert!(said.contains("face_detection_yunet_2023mar.onnx of opencv_zoo"), "{said}");
    }
}
