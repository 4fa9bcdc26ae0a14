//! An occlusion map drawn over its face.
//! In: a face and its map. Out: a picture; red where the prediction hangs on the face, blue where covering helps.

use fer_data::Face;
use fer_data::face::SIDE;
use image::{Rgb, RgbImage};

use crate::judge::explain::occlusion::OcclusionMap;

/// Pixels of the picture for one of the face.
const ZOOM: usize = 8;

/// How much of the strongest colour covers the face, `0..=1`.
const OPACITY: f32 = 0.65;

/// The face eight times as large; the strongest place of the map has the full colour.
#[must_use]
pub fn heat_picture(face: &Face, map: &OcclusionMap) -> RgbImage {
    let pixels = map.pixels();
    let strongest = pixels.iter().fold(0.0_f32, |most, drop| most.max(drop.abs()));
    let side = (SIDE * ZOOM) as u32;
    RgbImage::from_fn(side, side, |x, y| {
        let place = y as usize / ZOOM * SIDE + x as usize / ZOOM;
        let grey = f32::from(face.pixels()[place]);
        // A flat map colours nothing.
        let strength = if strongest > 0.0 { pixels[place] / strongest } else { 0.0 };
        let colour = if strength > 0.0 { [230.0, 30.0, 20.0] } else { [30.0, 90.0, 230.0] };
        let opacity = OPACITY * strength.abs();
        Rgb(colour.map(|c| (grey + opacity * (c - grey)).round() as u8))
    })
}
