//! A picture as Python has it → pixels.
//! In: an array, the bytes of a picture file, or a path. Out: an [`RgbImage`].

use std::path::PathBuf;

use fer_data::picture::decode_upright;
use image::RgbImage;
use numpy::{PyReadonlyArrayDyn, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use crate::error::ReadError;

/// The order of an array's colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channels {
    /// Red first, as PIL, imageio and PyAV give it.
    Rgb,
    /// Blue first, as OpenCV gives it.
    Bgr,
}

impl Channels {
    /// `RGB` or `BGR`, in any capitalisation.
    pub(crate) fn parse(word: Option<&str>) -> Result<Option<Self>, ReadError> {
        match word.map(str::to_ascii_uppercase).as_deref() {
            None => Ok(None),
            Some("RGB") => Ok(Some(Self::Rgb)),
            Some("BGR") => Ok(Some(Self::Bgr)),
            Some(_) => {
                let found = word.unwrap_or_default();
                Err(ReadError::Option(format!("channels: expected RGB or BGR, found {found}")))
            }
        }
    }
}

/// A picture that needs the interpreter no more.
pub(crate) enum PictureInput {
    Pixels(RgbImage),
    Bytes(PyBackedBytes),
    File(PathBuf),
}

impl PictureInput {
    /// Takes a picture from Python; an array's pixels are copied.
    pub(crate) fn take(object: &Bound<'_, PyAny>, channels: Option<Channels>) -> Result<Self, ReadError> {
        if let Ok(bytes) = object.extract::<PyBackedBytes>() {
            return Ok(Self::Bytes(bytes));
        }
        if let Ok(path) = object.extract::<PathBuf>() {
            return Ok(Self::File(path));
        }
        let Ok(array) = object.cast::<PyUntypedArray>() else {
            let found =
                object.get_type().name().map_or_else(|_| "another object".to_owned(), |n| n.to_string());
            return Err(ReadError::Option(format!(
                "image: expected a NumPy array, a path, or the bytes of a picture file, found {found}"
            )));
        };
        Ok(Self::Pixels(pixels(array, channels)?))
    }

    /// The picture; decoded upright, as its EXIF orientation says.
    pub(crate) fn picture(self) -> Result<RgbImage, ReadError> {
        let decode = |bytes: &[u8], name: String| match decode_upright(bytes, None) {
            Ok(picture) => Ok(picture.into_rgb8()),
            Err(cause) => Err(ReadError::Picture { name, cause }),
        };
        match self {
            Self::Pixels(picture) => Ok(picture),
            Self::Bytes(bytes) => decode(&bytes, "image".to_owned()),
            Self::File(path) => {
                let name = path.display().to_string();
                let bytes = std::fs::read(&path).map_err(|cause| ReadError::File { path, cause })?;
                decode(&bytes, name)
            }
        }
    }
}

/// An array's pixels, `[height, width]` grey or `[height, width, 3]` in the order of `channels`.
fn pixels(array: &Bound<'_, PyUntypedArray>, channels: Option<Channels>) -> Result<RgbImage, ReadError> {
    let shape = array.shape().to_vec();
    let unfit = || {
        let kind = array.dtype().to_string();
        ReadError::Option(format!(
            "image: expected uint8 of shape (height, width) or (height, width, 3), each side 1 to {MOST_SIDE}, \
             found {kind} of shape {shape:?}"
        ))
    };
    let array: PyReadonlyArrayDyn<'_, u8> = array.extract().map_err(|_| unfit())?;
    let (height, width, depth) = match shape[..] {
        [height, width] => (height, width, 1),
        [height, width, depth @ (1 | 3)] => (height, width, depth),
        _ => return Err(unfit()),
    };
    if !(1..=MOST_SIDE).contains(&height) || !(1..=MOST_SIDE).contains(&width) {
        return Err(unfit());
    }
    // NumPy's own slice of an array is in the order of memory, which may be column by column.
    let view = array.as_array();
    let bytes: Vec<u8> = match view.as_slice() {
        Some(slice) => rgb(slice, depth, channels)?,
        None => rgb(&view.iter().copied().collect::<Vec<u8>>(), depth, channels)?,
    };
    Ok(RgbImage::from_raw(width as u32, height as u32, bytes).expect("three bytes a pixel"))
}

/// As for picture files: [`fer_data::picture::MOST_SIDE`].
const MOST_SIDE: usize = fer_data::picture::MOST_SIDE as usize;

/// Bytes in row order → RGB.
fn rgb(bytes: &[u8], depth: usize, channels: Option<Channels>) -> Result<Vec<u8>, ReadError> {
    if depth == 1 {
        return Ok(bytes.iter().flat_map(|&gray| [gray; 3]).collect());
    }
    match channels {
        Some(Channels::Rgb) => Ok(bytes.to_vec()),
        Some(Channels::Bgr) => {
            let mut turned = bytes.to_vec();
            turned.as_chunks_mut::<3>().0.iter_mut().for_each(|pixel| pixel.swap(0, 2));
            Ok(turned)
        }
        None => Err(ReadError::Option(
            "channels: expected channels=\"RGB\" (PIL, imageio, PyAV) or channels=\"BGR\" (OpenCV) for a colour array, \
             found neither: a face in the wrong order is read worse, without a sign"
                .to_owned(),
        )),
    }
}
