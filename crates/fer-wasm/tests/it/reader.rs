//! Pictures and streams through a reader of the shipped model.

use std::{fs, path::Path, time::Duration};

use fer_drawn::Scene;
use fer_vision::ms;
use fer_wasm::{PageReader, rgb};

fn tiny(file: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/tiny");
    fs::read(folder.join(file)).expect("the shipped model is there")
}

fn reader() -> PageReader {
    PageReader::new(&tiny("card.json"), &tiny("weights.safetensors")).expect("the shipped model loads")
}

#[test]
fn a_face_is_followed_through_a_stream_and_a_new_stream_knows_nobody() {
    let reader = reader();
    let scene = Scene::new(3, 1, 640, 480);
    for _ in 0..2 {
        let mut stream = reader.stream().expect("a detector");
        for frame in 0..6_u32 {
            let time = Duration::from_millis(66) * frame;
            let reading = stream.read(scene.frame(time), ms(time)).expect("read");
            assert_eq!((reading.frame, reading.timestamp), (u64::from(frame), time));
            let [face] = reading.faces.as_slice() else { panic!("frame {frame}: {reading:?}") };
            assert_eq!(face.track, 1);
            assert_eq!(
                face.label.is_some(),
                frame >= 2 && face.confidence >= 0.45,
                "frame {frame}: {face:?}"
            );
        }
    }
}

#[test]
fn a_photo_is_read_alone_whatever_came_before() {
    let mut reader = reader();
    let picture = Scene::new(3, 2, 640, 480).frame(Duration::from_secs(3));
    let first = reader.photo(&picture).expect("read");
    assert_eq!(first.faces.iter().map(|face| face.track).collect::<Vec<_>>(), [1, 2]);
    reader.photo(&Scene::empty(3, 640, 480).frame(Duration::ZERO)).expect("read");
    assert_eq!(reader.photo(&picture).expect("read"), first);
}

#[test]
fn the_reader_says_what_the_server_says_of_its_model() {
    let model = reader().describe();
    let labels = model["labels"].as_array().expect("labels").len();
    assert_eq!(labels, 7);
    assert_eq!(model["columns"].as_array().expect("columns").len(), 10 + 2 * labels + 2);
    assert_eq!(model["card"]["architecture"], "tiny");
}

#[test]
fn a_canvas_pixels_become_a_picture_without_alpha() {
    let picture = rgb(&[1, 2, 3, 0, 4, 5, 6, 255], 2, 1).expect("two pixels");
    assert_eq!(picture.as_raw(), &[1, 2, 3, 4, 5, 6]);
    let error = rgb(&[0; 7], 2, 1).expect_err("a byte is missing").to_string();
    assert_eq!(error, "a picture of 2×1: 7 bytes, expected 4 for each pixel");
}

#[test]
fn a_damaged_model_is_refused() {
    let mut weights = tiny("weights.safetensors");
    weights[100_000] ^= 1;
    let error = PageReader::new(&tiny("card.json"), &weights).err().expect("refused").to_string();
    assert!(error.contains("SHA-256"), "{error}");
}
