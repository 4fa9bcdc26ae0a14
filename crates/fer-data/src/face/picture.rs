//! Encoded pictures → pixels, turned upright as their EXIF orientation says.
//! In: a file's bytes. Out: a picture, or why it is none.

use std::{
    ffi::OsStr,
    io::Cursor,
    path::Path,
    sync::{Condvar, Mutex, PoisonError},
};

use image::{DynamicImage, ImageDecoder, ImageError, ImageReader, Limits};

use super::jpeg;

/// The longest side that is read, in pixels.
pub const MOST_SIDE: u32 = 16_384;

/// The most pixels that are read where no fewer are asked for.
pub const MOST_PIXELS: u64 = 200_000_000;

/// The most bytes of decoded pictures in memory at one time, of all threads together. A picture that needs
/// more is decoded while no other is.
const MOST_IN_FLIGHT: u64 = 512 << 20;

/// How names of picture files end, in lower case; those that are refused ([`PictureError::Heif`]) as well.
const ENDINGS: [&str; 15] = [
    "avif", "bmp", "gif", "heic", "heif", "jpe", "jpeg", "jpg", "pgm", "png", "pnm", "ppm", "tif", "tiff",
    "webp",
];

/// Whether a file is a picture by the ending of its name, with any capitalisation.
#[must_use]
pub fn has_picture_name(path: &Path) -> bool {
    path.extension()
        .and_then(OsStr::to_str)
        .is_some_and(|ending| ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

/// Why bytes are no picture.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// A JPEG whose end is missing; decoders paint what is missing grey and say nothing.
    #[error("the JPEG is cut off")]
    CutOff,
    /// What phones save by default: no decoder of it is both free of patent claims and in Rust.
    #[error(
        "HEIC, HEIF or AVIF, which is not read: convert it (heif-convert IN OUT.jpg, of Debian's libheif-examples; \
         sips -s format jpeg IN --out OUT.jpg on a Mac), or let the phone save JPEG"
    )]
    Heif,
    /// No pixels, or more than asked for; told from the header, before a pixel is decoded.
    #[error(
        "{width}×{height} pixels, expected sides of 1 to {MOST_SIDE} and {} megapixels at most",
        most / 1_000_000
    )]
    Size {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// The most pixels that were asked for.
        most: u64,
    },
    /// Of no known format, or damaged.
    #[error(transparent)]
    Image(#[from] ImageError),
}

impl PictureError {
    /// What it means for whoever gave the picture; the error itself is the cause and follows it.
    #[must_use]
    pub fn advice(&self) -> String {
        let advice = match self {
            Self::CutOff => "damaged",
            Self::Heif => "a format of phones",
            Self::Size { width: 0, .. } | Self::Size { height: 0, .. } => "not a picture",
            Self::Size { width, height, .. } if (*width).max(*height) > MOST_SIDE => {
                return format!("too large: {width}×{height}, expected sides of at most {MOST_SIDE}");
            }
            Self::Size { width, height, most } => {
                return format!(
                    "too large: {width}×{height}, expected at most {} megapixels",
                    most / 1_000_000
                );
            }
            Self::Image(ImageError::IoError(cause)) if cause.kind() != std::io::ErrorKind::UnexpectedEof => {
                "cannot be read"
            }
            Self::Image(ImageError::Unsupported(_)) => {
                "not a picture that can be read, expected jpg, png, bmp, gif, tiff, webp or pnm"
            }
            Self::Image(ImageError::Limits(_)) => "too large, expected at most 200 megapixels",
            Self::Image(_) => "damaged, or not a picture",
        };
        advice.to_owned()
    }
}

/// Decodes a picture, its format told by its content, of 1 to `max_pixels` pixels ([`MOST_PIXELS`] without)
/// and sides up to [`MOST_SIDE`].
///
/// Pictures decoded at the same time wait for each other where together they would need half a gigabyte.
///
/// # Errors
/// [`PictureError`]
pub fn decode_upright(bytes: &[u8], max_pixels: Option<u64>) -> Result<DynamicImage, PictureError> {
    let (mut decoder, need) = open(bytes, max_pixels)?;
    let orientation = decoder.orientation()?;
    let _memory = PictureMemory::wait(need);
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// The most bytes of memory that decoding a picture and turning it into RGB takes at one time, told from its
/// header; none of its pixels is decoded.
///
/// # Errors
/// [`PictureError`] for what [`decode_upright`] refuses from the header alone.
pub fn memory_needed(bytes: &[u8], max_pixels: Option<u64>) -> Result<u64, PictureError> {
    open(bytes, max_pixels).map(|(_, need)| need)
}

/// A decoder that has read the header of a picture within the limits, and how many bytes decoding it takes.
fn open<'a>(
    bytes: &'a [u8],
    max_pixels: Option<u64>,
) -> Result<(impl ImageDecoder + use<'a>, u64), PictureError> {
    if bytes.starts_with(&[0xff, 0xd8]) && jpeg::length(bytes).is_none() {
        return Err(PictureError::CutOff);
    }
    if is_heif(bytes) {
        return Err(PictureError::Heif);
    }
    let most = max_pixels.unwrap_or(MOST_PIXELS);
    let mut reader =
        ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(ImageError::IoError)?;
    // The size alone is not enough: some formats allocate before it is known. Sixteen bits in each of
    // four channels are the most a pixel takes.
    let mut limits = Limits::default();
    limits.max_alloc = Some(most.saturating_mul(8));
    reader.limits(limits);
    let decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    let n_pixels = u64::from(width) * u64::from(height);
    if width.max(height) > MOST_SIDE || !(1..=most).contains(&n_pixels) {
        return Err(PictureError::Size { width, height, most });
    }
    // Turning it needs it twice, making it RGB needs that beside it; and the decoder of a progressive JPEG
    // keeps 16 bits for each value.
    let copies = if jpeg::is_progressive(bytes) { 3 } else { 2 };
    let need = (copies * decoder.total_bytes()).max(decoder.total_bytes() + 3 * n_pixels);
    Ok((decoder, need))
}

/// Whether a file is of the family of HEIF (ISO/IEC 23008-12), by the brand in its first box.
#[must_use]
pub fn is_heif(bytes: &[u8]) -> bool {
    const BRANDS: [&[u8]; 9] =
        [b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1", b"avif", b"avis"];
    bytes.get(4..8) == Some(b"ftyp") && bytes.get(8..12).is_some_and(|brand| BRANDS.contains(&brand))
}

static IN_FLIGHT: Mutex<u64> = Mutex::new(0);
static LANDED: Condvar = Condvar::new();

/// Memory for a picture, given back when dropped.
struct PictureMemory(u64);

impl PictureMemory {
    /// Waits until there is room for so many bytes, or nothing else in flight.
    fn wait(bytes: u64) -> Self {
        let in_flight = IN_FLIGHT.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = |in_flight: &mut u64| *in_flight > 0 && *in_flight + bytes > MOST_IN_FLIGHT;
        let mut in_flight = LANDED.wait_while(in_flight, is_full).unwrap_or_else(PoisonError::into_inner);
        *in_flight += bytes;
        Self(bytes)
    }
}

impl Drop for PictureMemory {
    fn drop(&mut self) {
        *IN_FLIGHT.lock().unwrap_or_else(PoisonError::into_inner) -= self.0;
        LANDED.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicU64, Ordering},
        thread,
    };

    use super::*;

    /// A GIF of 35 bytes that claims a size.
    fn gif(width: u16, height: u16) -> Vec<u8> {
        let [w, h] = [width, height].map(u16::to_le_bytes);
        let size = [w[0], w[1], h[0], h[1]];
        [
            b"GIF89a".as_slice(),
            &size,
            &[0x80, 0, 0, 0, 0, 0, 255, 255, 255],
            &[0x2c, 0, 0, 0, 0],
            &size,
            &[0, 2, 2, 0x44, 1, 0, 0x3b],
        ]
        .concat()
    }

    /// A PNG's header that claims a size; no pixel follows.
    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut encoded = Cursor::new(Vec::new());
        image::GrayImage::new(1, 1).write_to(&mut encoded, image::ImageFormat::Png).expect("memory takes it");
        let mut bytes = encoded.into_inner();
        bytes[16..20].copy_from_slice(&width.to_be_bytes());
        bytes[20..24].copy_from_slice(&height.to_be_bytes());
        let crc = crc32(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&crc.to_be_bytes());
        bytes
    }

    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)))
        })
    }

    #[test]
    fn a_claimed_size_is_refused_before_a_pixel_is_decoded() {
        let size = |bytes: &[u8], most| match decode_upright(bytes, most) {
            Err(PictureError::Size { width, height, .. }) => (width, height),
            other => panic!("{other:?}"),
        };
        assert_eq!(gif(1, 1).len(), 35);
        assert_eq!(size(&gif(65_535, 65_535), None), (65_535, 65_535));
        assert_eq!(size(&png(1, 49_000_000), None), (1, 49_000_000));
        assert_eq!(size(&png(16_384, 16_384), None), (16_384, 16_384));
        assert_eq!(size(&png(1000, 1001), Some(1_000_000)), (1000, 1001));
        let error = decode_upright(&gif(65_535, 1), None).expect_err("too wide");
        assert_eq!(
            error.to_string(),
            "65535×1 pixels, expected sides of 1 to 16384 and 200 megapixels at most"
        );
    }

    #[test]
    fn pictures_in_flight_share_the_memory_and_a_large_one_flies_alone() {
        static NOW: AtomicU64 = AtomicU64::new(0);
        thread::scope(|scope| {
            for i in 0..32_u64 {
                scope.spawn(move || {
                    let bytes = if i % 8 == 0 { 2 * MOST_IN_FLIGHT } else { MOST_IN_FLIGHT / 3 };
                    let memory = PictureMemory::wait(bytes);
                    let before = NOW.fetch_add(bytes, Ordering::SeqCst);
                    assert!(before == 0 || before + bytes <= MOST_IN_FLIGHT, "{before} and {bytes}");
                    thread::yield_now();
                    NOW.fetch_sub(bytes, Ordering::SeqCst);
                    drop(memory);
                });
            }
        });
        assert_eq!(NOW.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn a_phones_photo_is_refused_with_what_to_do() {
        let heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic";
        let error = decode_upright(heic, None).expect_err("no decoder reads it");
        assert!(error.to_string().contains("heif-convert IN OUT.jpg"), "{error}");
        assert!(has_picture_name(Path::new("IMG_0001.HEIC")));
        // A video of the same container is no photo.
        assert!(!is_heif(b"\0\0\0\x18ftypisom\0\0\0\0"));
    }

    #[test]
    fn a_picture_is_named_by_its_ending() {
        assert!(["a.JPG", "b/c.tiff", "a.b.png"].iter().all(|name| has_picture_name(Path::new(name))));
        assert!(["a.txt", "jpg", "a.jpg/b"].iter().all(|name| !has_picture_name(Path::new(name))));
    }
}
