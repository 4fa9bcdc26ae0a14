//! Crops whose eyes are level, though the face is not.

use std::time::Duration;

use fer_data::Face;
use fer_drawn::Scene;
use fer_vision::{DetectFaces, FaceBox, Finder, FinderOptions, Landmarks, VisionError, crop, crop_turned};
use image::RgbImage;

/// A drawn scene, and the box of its face.
fn scene() -> (RgbImage, FaceBox) {
    let scene = Scene::new(5, 1, 320, 240);
    let time = Duration::from_millis(900);
    let truth = scene.truth(time)[0];
    // Whole pixels and an even side, so that the crop's centre is the box's.
    let side = (truth.width / 2.0).round() * 2.0;
    let face_box = FaceBox { x: truth.x.round(), y: truth.y.round(), width: side, height: side, score: 1.0 };
    (scene.frame(time), face_box)
}

/// The picture turned clockwise about the centre of a box; each pixel is its nearest one.
fn turned(picture: &RgbImage, face_box: &FaceBox, tilt: f32) -> RgbImage {
    let (center_x, center_y) = face_box.center();
    let last = (picture.width() as f32 - 1.0, picture.height() as f32 - 1.0);
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let (right, down) = (x as f32 + 0.5 - center_x, y as f32 + 0.5 - center_y);
        let from_x = center_x + tilt.cos() * right + tilt.sin() * down - 0.5;
        let from_y = center_y - tilt.sin() * right + tilt.cos() * down - 0.5;
        *picture.get_pixel(from_x.round().clamp(0.0, last.0) as u32, from_y.round().clamp(0.0, last.1) as u32)
    })
}

/// Mean difference of grey values.
fn difference(a: &Face, b: &Face) -> f32 {
    let differences = a.pixels().iter().zip(b.pixels()).map(|(&a, &b)| f32::from(a.abs_diff(b)));
    differences.sum::<f32>() / a.pixels().len() as f32
}

/// One face, with eyes on a line of this tilt.
struct Tilted(FaceBox, f32);

impl DetectFaces for Tilted {
    fn detect(&mut self, _: &RgbImage) -> Result<Vec<FaceBox>, VisionError> {
        Ok(vec![self.0])
    }

    fn landmarks(&self, face: &FaceBox) -> Option<Landmarks> {
        let (x, y) = face.center();
        let (right, down) = (20.0 * self.1.cos(), 20.0 * self.1.sin());
        let (right_eye, left_eye) = ((x - right, y - down), (x + right, y + down));
        let nose = (x, y);
        Some(Landmarks { right_eye, left_eye, nose, right_mouth: nose, left_mouth: nose })
    }

    fn sure_score(&self) -> f32 {
        0.5
    }
}

#[test]
fn a_turned_face_is_upright_in_its_crop() {
    let (picture, face_box) = scene();
    let upright = crop(&picture, &face_box, 1.0);
    assert_eq!(crop_turned(&picture, &face_box, 1.0, 0.0).pixels(), upright.pixels(), "not turned at all");
    for degrees in [-35.0_f32, -15.0, 10.0, 30.0] {
        let tilt = degrees.to_radians();
        let tilted = turned(&picture, &face_box, tilt);
        let aligned = difference(&crop_turned(&tilted, &face_box, 1.0, tilt), &upright);
        let other_way = difference(&crop_turned(&tilted, &face_box, 1.0, -tilt), &upright);
        let plain = difference(&crop(&tilted, &face_box, 1.0), &upright);
        // Turned twice, its pixels are not those it had; turned the wrong way, its features are elsewhere.
        assert!(
            2.0 * aligned < plain && plain < other_way,
            "{degrees}°: {aligned} aligned, {plain} as it is, {other_way} turned the other way"
        );
    }
}

#[test]
fn the_finder_levels_the_eyes_when_it_is_asked_to() {
    let (picture, face_box) = scene();
    let tilt = 25.0_f32.to_radians();
    let tilted = turned(&picture, &face_box, tilt);
    let cut = |align: bool| {
        let options = FinderOptions { align, ..FinderOptions::default() };
        let mut finder = Finder::new(Box::new(Tilted(face_box, tilt)), options);
        finder.find_photo(&tilted).unwrap().faces[0].crop.clone().unwrap()
    };
    let factor = FinderOptions::default().crop_factor;
    assert_eq!(cut(false).pixels(), crop(&tilted, &face_box, factor).pixels());
    assert_eq!(cut(true).pixels(), crop_turned(&tilted, &face_box, factor, tilt).pixels());
    assert!(!FinderOptions::default().align, "off until it is measured");
}
