//! Readings on pictures.

use std::time::Duration;

use fer_data::Labels;
use fer_stream::{OverlayOptions, draw};
use fer_vision::{FaceReading, Reading, Timings};
use image::{Rgb, RgbImage};

use crate::fakes::{face_box, sure_of};

fn reading(places: &[(f32, f32, f32)]) -> Reading {
    let face = |(&(x, y, side), track)| FaceReading {
        track,
        face_box: face_box(x, y, side, 30.0),
        held: false,
        face_score: None,
        probabilities: sure_of(3, 0.9),
        smooth: sure_of(3, 0.9),
        label: Some(3),
        confidence: 0.9,
    };
    let faces = places.iter().zip(1..).map(face).collect();
    Reading { frame: 0, timestamp: Duration::ZERO, faces, timings: Timings::default(), n_dropped: 0 }
}

fn drawn(size: (u32, u32), places: &[(f32, f32, f32)], options: &OverlayOptions) -> RgbImage {
    let mut picture = RgbImage::from_pixel(size.0, size.1, Rgb([90, 90, 90]));
    draw(&reading(places), &Labels::fer2013(), &mut picture, options);
    picture
}

/// How many pixels are no longer as they were.
fn n_painted(picture: &RgbImage) -> usize {
    picture.pixels().filter(|pixel| pixel.0 != [90, 90, 90]).count()
}

#[test]
fn a_frame_without_faces_stays_as_it_is() {
    assert_eq!(n_painted(&drawn((320, 240), &[], &OverlayOptions::default())), 0);
}

#[test]
fn boxes_only_paints_only_the_boxes() {
    let options =
        OverlayOptions { boxes_only: true, status: "30 fps".to_owned(), ..OverlayOptions::default() };
    let picture = drawn((640, 480), &[(100.0, 100.0, 200.0)], &options);
    // A frame of 2 pixels around 200×200.
    assert_eq!(n_painted(&picture), 200 * 200 - 196 * 196);
}

#[test]
fn a_mirrored_picture_has_its_boxes_mirrored() {
    let options = OverlayOptions { boxes_only: true, mirror: true, ..OverlayOptions::default() };
    let picture = drawn((640, 480), &[(100.0, 100.0, 200.0)], &options);
    assert_ne!(picture.get_pixel(640 - 300, 150).0, [90, 90, 90]);
    assert_eq!(picture.get_pixel(320, 240).0, [90, 90, 90]);
}

#[test]
fn faces_anywhere_are_drawn_at_any_size() {
    let places = [(-50.0, -40.0, 120.0), (250.0, 180.0, 300.0), (1e6, 5.0, 10.0), (10.0, 10.0, 1.0)];
    for size in [(16, 16), (320, 240), (240, 320), (1920, 1080)] {
        let options = OverlayOptions { status: "30 fps  12 ms".to_owned(), ..OverlayOptions::default() };
        assert!(n_painted(&drawn(size, &places, &options)) > 0);
    }
}

#[test]
fn text_is_at_least_a_twentieth_of_the_picture_and_fits_it() {
    // The plate of the title is as high as the text: 11 pixels at 320×240, 36 at 1920×1080.
    for (size, least) in [((320, 240), 11), ((1920, 1080), 36)] {
        let side = size.1 as f32 / 3.0;
        let picture = drawn(size, &[(size.0 as f32 / 3.0, side, side)], &OverlayOptions::default());
        let above =
            (0..side as u32).filter(|&y| picture.get_pixel(size.0 / 3 + 5, y).0 != [90, 90, 90]).count();
        assert!(above >= least, "{above} rows");
        assert!(above <= 2 * least, "{above} rows");
    }
}

/// A picture without two equal neighbours.
fn patterned(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| Rgb([(x * 7 + y * 13) as u8, (x * 31) as u8, (y * 29) as u8]))
}

#[test]
fn a_hidden_face_is_squares_and_the_rest_of_the_picture_stays() {
    for (place, mirror) in
        [((200.0, 150.0, 120.0), false), ((200.0, 150.0, 120.0), true), ((-40.0, 400.0, 120.0), false)]
    {
        let mut picture = patterned(640, 480);
        let reading = reading(&[place]);
        let options =
            OverlayOptions { boxes_only: true, hide_faces: true, mirror, ..OverlayOptions::default() };
        draw(&reading, &Labels::fer2013(), &mut picture, &options);
        let mut before = patterned(640, 480);
        if mirror {
            image::imageops::flip_horizontal_in_place(&mut before);
        }
        let left = if mirror { 640.0 - place.0 - place.2 } else { place.0 };
        // A quarter of the box beyond it, and at most a square more.
        let (near, far) = (0.25 * place.2, 0.25 * place.2 + 31.0);
        let within = |x: f32, y: f32, beyond: f32| {
            (left - beyond..left + place.2 + beyond).contains(&x)
                && (place.1 - beyond..place.1 + place.2 + beyond).contains(&y)
        };
        let mut colors = std::collections::HashSet::new();
        for (x, y, pixel) in picture.enumerate_pixels() {
            let (x, y) = (x as f32 + 0.5, y as f32 + 0.5);
            if within(x, y, near) {
                colors.insert(pixel.0);
            } else if !within(x, y, far) {
                assert_eq!(pixel, before.get_pixel(x as u32, y as u32), "{x} {y}");
            }
        }
        // Of thousands of colours: those of the squares, and of the box.
        assert!(colors.len() <= 8 * 8 + 1, "{}", colors.len());
    }
}
