//! YuNet's detector, around a network of its interface that takes bright squares for faces.

use std::error::Error;

use fer_vision::yunet::{YuNetDetector, YuNetOptions};
use fer_vision::{DetectFaces, FaceBox};
use image::{Rgb, RgbImage};

use crate::bright_yunet::{Bright, bright_yunet};

fn detector(search_side: u32) -> YuNetDetector {
    let options = YuNetOptions { search_side, ..YuNetOptions::default() };
    YuNetDetector::from_onnx(bright_yunet(Bright::default()), options).unwrap()
}

/// What is said of a file, with its causes.
fn refusal(onnx: Vec<u8>) -> String {
    let Err(error) = YuNetDetector::from_onnx(onnx, YuNetOptions::default()) else {
        return "none".to_owned();
    };
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        said = format!("{said}: {error}");
        cause = error.source();
    }
    said
}

/// A white square of `scale` × 32 pixels in the dark, in `scale` times 320×240.
fn picture(scale: u32) -> RgbImage {
    let is_bright = |x: u32, y: u32| x / (32 * scale) == 4 && y / (32 * scale) == 3;
    RgbImage::from_fn(320 * scale, 240 * scale, |x, y| Rgb([if is_bright(x, y) { 255 } else { 0 }; 3]))
}

#[test]
fn faces_are_found_in_the_full_pictures_pixels_at_every_size() {
    for (scale, search_side) in [(1, 320), (2, 320), (3, 320), (1, 640)] {
        let faces = detector(search_side).find(&picture(scale)).unwrap();
        assert_eq!(faces.len(), 1, "{scale}, {search_side}: {faces:?}");
        let FaceBox { x, y, width, height, score } = faces[0].face_box;
        let by = scale as f32;
        for (found, expected) in [(x, 64.0), (y, 0.0), (width, 160.0), (height, 224.0)] {
            assert!((found - expected * by).abs() < 0.1, "{faces:?}");
        }
        assert!(score > 0.99);
        let eyes = [faces[0].landmarks.right_eye, faces[0].landmarks.left_eye];
        assert_eq!(eyes, [(112.0 * by, 96.0 * by), (176.0 * by, 128.0 * by)]);
        assert!((faces[0].landmarks.tilt() - 0.5_f32.atan()).abs() < 1e-6);
    }
}

#[test]
fn boxes_are_made_square_and_know_their_landmarks() {
    let mut yunet = detector(320);
    let boxes = yunet.detect(&picture(2)).unwrap();
    assert_eq!(boxes.len(), 1);
    assert_eq!(boxes[0].center(), (288.0, 224.0));
    // 1.1 times the mean of 320 and 448.
    assert!((boxes[0].width - 422.4).abs() < 0.1 && boxes[0].width == boxes[0].height, "{boxes:?}");
    let near = FaceBox { x: boxes[0].x + 20.0, ..boxes[0] };
    assert_eq!(yunet.landmarks(&near).unwrap().right_eye, (224.0, 192.0));
    assert_eq!(yunet.landmarks(&FaceBox { x: boxes[0].x + 300.0, ..boxes[0] }), None);
    assert_eq!(yunet.detect(&RgbImage::new(640, 480)).unwrap(), []);
    assert_eq!(yunet.landmarks(&near), None, "the last picture has no face");
    assert_eq!(yunet.detect(&RgbImage::new(0, 0)).unwrap(), []);
}

#[test]
fn what_is_no_onnx_file_or_another_network_is_refused_with_what_was_found() {
    assert!(refusal(b"no network, just words".to_vec()).contains("no whole ONNX file"));
    assert!(refusal(Vec::new()).contains("found 0 shapes"));
    assert!(refusal(vec![0; 5 << 20]).contains("expected at most 4194304 bytes, found 5242880"));
    for (wrong, expected) in [
        (Bright { renamed: Some("scores"), ..Bright::default() }, "expected an output cls_8, found scores"),
        (Bright { layer: Some("Softplus"), ..Bright::default() }, "Softplus"),
        (
            Bright { n_points: Some(8), ..Bright::default() },
            "kps_8: expected [1, 32, 10] values, found [1, 32, 8]",
        ),
    ] {
        let said = refusal(bright_yunet(wrong));
        assert!(said.contains(expected), "{wrong:?}: {said}");
    }
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_refused() {
    let whole = bright_yunet(Bright::default());
    for length in 0..whole.len() {
        assert_ne!(refusal(whole[..length].to_vec()), "none", "cut after {length} of {} bytes", whole.len());
    }
}

/// Found by `scripts/fuzz`: a text that says it is gigabytes long made the engine abort.
#[test]
fn a_text_longer_than_its_message_is_refused() {
    let found = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/yunet");
    let files: Vec<_> = std::fs::read_dir(found).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 4, "{files:?}");
    for file in files {
        let said = refusal(std::fs::read(&file).unwrap());
        assert!(said.contains("cut off"), "{}: {said}", file.display());
    }
}

#[test]
fn no_damaged_byte_makes_it_panic() {
    let whole = bright_yunet(Bright::default());
    let mut n_refused = 0;
    for (idx, flip) in (0..whole.len()).step_by(3).flat_map(|idx| [0x01, 0x80, 0xff].map(|flip| (idx, flip)))
    {
        let mut damaged = whole.clone();
        damaged[idx] ^= flip;
        n_refused += usize::from(refusal(damaged) != "none");
    }
    assert!(n_refused > whole.len() / 6, "only {n_refused} were refused");
}

#[test]
fn options_out_of_range_are_refused() {
    for (threshold, search_side, expected) in
        [(1.5, 320, "0 to 1"), (f32::NAN, 320, "0 to 1"), (0.8, 8, "32 to 4096")]
    {
        let options = YuNetOptions { threshold, search_side };
        let refused = YuNetDetector::from_onnx(bright_yunet(Bright::default()), options);
        assert!(refused.err().unwrap().to_string().contains(expected));
    }
}
