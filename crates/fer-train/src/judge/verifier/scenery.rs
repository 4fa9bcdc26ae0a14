//! Pictures without people → what a detector takes for faces in them.
//! In: a folder. Out: crops to learn from, and the false finds of pictures that are held out.

use std::path::{Path, PathBuf};

use fer_base::{chain, terminal};
use fer_data::Face;
use fer_data::picture::{decode_upright, has_picture_name};
use fer_vision::haar::{Cascade, CascadeSearch, Hit, Search};
use fer_vision::{FaceBox, crop, has_contrast};
use image::imageops::{FilterType, flip_horizontal, grayscale, resize, rotate90, rotate180, rotate270};
use image::{GrayImage, ImageBuffer, Pixel, RgbImage};

use crate::console::Watcher;
use crate::error::TrainError;

/// Every so many pictures, in the order of their names, one is held out.
const HELD_OUT: usize = 5;

/// Longest sides that a picture is searched at.
const SIDES: [u32; 3] = [240, 480, 1024];

/// Of the cascade's 25 stages, those that a crop to learn from has passed: what all stages let through is
/// too rare to learn from.
const STAGES: usize = 18;

/// From one search no more crops than these are taken, spread over all that were found.
const MOST_CROPS: usize = 25;

/// What a detector takes for faces where none are.
pub(super) struct Scenery {
    /// What the whole cascade finds.
    pub(super) finds: Vec<Face>,
    /// What its first stages find: crops that look somewhat like faces.
    pub(super) near_finds: Vec<Face>,
    /// What the whole cascade finds in the held-out pictures.
    pub(super) held_out: Vec<Face>,
    /// How many pictures are held out.
    pub(super) n_held_out: usize,
}

impl Scenery {
    /// Searches every picture of a folder and its subfolders upright, mirrored, and turned by right angles;
    /// those that are not held out only if `learn`.
    ///
    /// # Errors
    /// [`TrainError::Usage`] for a folder without enough pictures, [`TrainError::Interrupted`].
    pub(super) fn read(
        folder: &Path,
        crop_factor: f32,
        learn: bool,
        watcher: &mut Watcher<'_>,
    ) -> Result<Self, TrainError> {
        let pictures = pictures(folder)?;
        if pictures.len() < HELD_OUT {
            return Err(TrainError::Usage(format!(
                "--scenery {}: expected a folder with {HELD_OUT} pictures or more, found {}",
                folder.display(),
                pictures.len()
            )));
        }
        let mut all = CascadeSearch::new(Cascade::frontal_face());
        let mut weak = CascadeSearch::new(Cascade::frontal_face().first_stages(STAGES));
        let mut scenery =
            Self { finds: Vec::new(), near_finds: Vec::new(), held_out: Vec::new(), n_held_out: 0 };
        for (idx, path) in pictures.iter().enumerate() {
            let is_held_out = idx % HELD_OUT == HELD_OUT - 1;
            if !is_held_out && !learn {
                continue;
            }
            let picture = match read(path) {
                Ok(picture) => picture,
                Err(reason) => {
                    let words = format!("{}: left out: {reason}", path.display());
                    (watcher.notice)(&terminal::line(&words));
                    continue;
                }
            };
            if is_held_out {
                scenery.held_out.extend(finds(&mut all, &picture, crop_factor, usize::MAX));
                scenery.n_held_out += 1;
            } else {
                scenery.finds.extend(finds(&mut all, &picture, crop_factor, usize::MAX));
                scenery.near_finds.extend(finds(&mut weak, &picture, crop_factor, MOST_CROPS));
            }
            if (watcher.progress)(idx + 1, pictures.len()).is_break() {
                return Err(TrainError::Interrupted { n_done: idx + 1, n: pictures.len() });
            }
        }
        Ok(scenery)
    }
}

/// The pictures of a folder and its subfolders, sorted.
fn pictures(folder: &Path) -> Result<Vec<PathBuf>, TrainError> {
    let unreadable =
        |error: std::io::Error| TrainError::Usage(format!("--scenery {}: {error}", folder.display()));
    let mut folders = vec![folder.to_owned()];
    let mut pictures = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.is_dir() {
                folders.push(path);
            } else if has_picture_name(&path) {
                pictures.push(path);
            }
        }
    }
    pictures.sort();
    Ok(pictures)
}

/// A picture, no larger than the largest search needs.
fn read(path: &Path) -> Result<RgbImage, String> {
    let bytes = fer_base::regular::read(path).map_err(|error| chain(&error))?;
    let picture = decode_upright(&bytes, None).map_err(|error| chain(&error))?;
    let most = SIDES[SIDES.len() - 1];
    let is_large = picture.width().max(picture.height()) > most;
    Ok(if is_large { picture.resize(most, most, FilterType::Triangle) } else { picture }.to_rgb8())
}

/// What a cascade finds in a picture, at all sizes and in eight positions; up to `most` crops a search.
fn finds(search: &mut CascadeSearch, picture: &RgbImage, crop_factor: f32, most: usize) -> Vec<Face> {
    let gray = grayscale(picture);
    let longest = gray.width().max(gray.height());
    // A picture is not enlarged.
    let sizes = SIDES.iter().filter(|&&side| side <= longest).map(|&side| to_longest_side(&gray, side));
    let sizes: Vec<GrayImage> = sizes.collect();
    let mut crops = Vec::new();
    for position in 0..8 {
        let picture = placed(picture, position);
        for gray in &sizes {
            let boxes = boxes(search, &placed(gray, position), &picture);
            let step = boxes.len().div_ceil(most).max(1);
            let faces = boxes.iter().step_by(step).map(|place| crop(&picture, place, crop_factor));
            crops.extend(faces.filter(has_contrast));
        }
    }
    crops
}

fn to_longest_side(gray: &GrayImage, side: u32) -> GrayImage {
    let scale = side as f32 / gray.width().max(gray.height()) as f32;
    let small = |side: u32| ((side as f32 * scale).round() as u32).max(1);
    resize(gray, small(gray.width()), small(gray.height()), FilterType::Triangle)
}

/// A picture turned by one of four right angles, and from position 4 on mirrored as well.
fn placed<P: Pixel + 'static>(
    picture: &ImageBuffer<P, Vec<P::Subpixel>>,
    position: u32,
) -> ImageBuffer<P, Vec<P::Subpixel>> {
    let turned = match position % 4 {
        0 => picture.clone(),
        1 => rotate90(picture),
        2 => rotate180(picture),
        _ => rotate270(picture),
    };
    if position < 4 { turned } else { flip_horizontal(&turned) }
}

/// Boxes in the pixels of a picture, found in a smaller, grey version of it.
fn boxes(search: &mut CascadeSearch, gray: &GrayImage, picture: &RgbImage) -> Vec<FaceBox> {
    let scale = picture.width() as f32 / gray.width() as f32;
    let options = Search { scale_factor: 1.1, min_neighbours: 1, min_size: (24, 24), max_size: (0, 0) };
    let place = |hit: Hit| FaceBox {
        x: hit.x as f32 * scale,
        y: hit.y as f32 * scale,
        width: hit.width as f32 * scale,
        height: hit.height as f32 * scale,
        score: hit.neighbours as f32,
    };
    search.detect_multi_scale(gray, &options).into_iter().map(place).collect()
}
