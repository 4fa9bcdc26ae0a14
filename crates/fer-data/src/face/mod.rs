//! A face as the networks see it, and the one scaling of its pixels.
//! In: any picture of a face. Out: 48×48 grey bytes, and normalised floats.
//! The only file that scales pixels.

pub mod equal;
pub mod jpeg;
pub mod picture;

use image::{DynamicImage, GrayImage, imageops::FilterType};

/// Side of a face in pixels.
pub const SIDE: usize = 48;

/// Pixels in a face.
pub const PIXELS: usize = SIDE * SIDE;

/// The mean grey value subtracted from every pixel, `0..=255`.
///
/// FER-2013's training split has 129.4742 (`fer-data audit` prints it); every model is trained and
/// used with this rounded figure.
pub const MEAN: f32 = 129.5;

/// The deviation of grey values every pixel is divided by.
///
/// FER-2013's training split has 65.0269, over all pixels of all faces together.
pub const DEVIATION: f32 = 65.0;

/// A grey face, 48×48 bytes in row order, top left first.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Face(Box<[u8; PIXELS]>);

impl Face {
    /// A face from its pixels in row order.
    #[must_use]
    pub fn new(pixels: Box<[u8; PIXELS]>) -> Self {
        Self(pixels)
    }

    /// A face of one grey value.
    #[must_use]
    pub fn blank(value: u8) -> Self {
        Self(Box::new([value; PIXELS]))
    }

    /// The pixels in row order, `[48 * 48]`, `0..=255`.
    #[must_use]
    pub fn pixels(&self) -> &[u8; PIXELS] {
        &self.0
    }

    /// The pixels, to be written.
    pub fn pixels_mut(&mut self) -> &mut [u8; PIXELS] {
        &mut self.0
    }

    /// The face in a grey picture of any size: scaled to 48×48, unchanged when it already is.
    ///
    /// Scaling uses the triangle filter, whose support grows with the reduction, so that a large
    /// crop is averaged and not sampled. A picture that is not square is stretched, as FER-2013's
    /// square crops need none.
    #[must_use]
    pub fn from_gray(picture: &GrayImage) -> Self {
        let side = SIDE as u32;
        let scaled = if picture.dimensions() == (side, side) {
            picture.clone()
        } else {
            image::imageops::resize(picture, side, side, FilterType::Triangle)
        };
        let mut face = Self::blank(0);
        face.0.copy_from_slice(scaled.as_raw());
        face
    }

    /// The face in a picture of any size and colour (luma by ITU-R BT.601, as OpenCV and PIL do).
    #[must_use]
    pub fn from_picture(picture: &DynamicImage) -> Self {
        Self::from_gray(&to_gray(picture))
    }

    /// The face as a picture.
    #[must_use]
    pub fn to_gray(&self) -> GrayImage {
        GrayImage::from_raw(SIDE as u32, SIDE as u32, self.0.to_vec()).expect("a face holds 48 × 48 bytes")
    }
}

impl std::fmt::Debug for Face {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sum: u32 = self.0.iter().map(|&p| u32::from(p)).sum();
        write!(f, "Face(mean {:.1})", f64::from(sum) / PIXELS as f64)
    }
}

/// A picture's grey version, `0.299 R + 0.587 G + 0.114 B` rounded; grey pictures stay as they are.
///
/// The `image` crate's own `to_luma8` uses BT.709 weights; FER-2013's tools and OpenCV use BT.601.
#[must_use]
pub fn to_gray(picture: &DynamicImage) -> GrayImage {
    match picture {
        DynamicImage::ImageLuma8(gray) => gray.clone(),
        DynamicImage::ImageLuma16(_) | DynamicImage::ImageLumaA8(_) | DynamicImage::ImageLumaA16(_) => {
            picture.to_luma8()
        }
        _ => {
            let rgb = picture.to_rgb8();
            GrayImage::from_fn(rgb.width(), rgb.height(), |x, y| {
                let [r, g, b] = rgb.get_pixel(x, y).0.map(u32::from);
                image::Luma([((299 * r + 587 * g + 114 * b + 500) / 1000) as u8])
            })
        }
    }
}

/// Writes a face's network input, `(pixel - MEAN) / DEVIATION`, row order, about `-2..2`.
pub fn normalize(face: &Face, input: &mut [f32; PIXELS]) {
    for (value, &pixel) in input.iter_mut().zip(face.pixels()) {
        *value = (f32::from(pixel) - MEAN) / DEVIATION;
    }
}
