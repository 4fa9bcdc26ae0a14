//! Sound inputs to begin with, drawn or written here.
//! In: nothing. Out: bytes.

use std::io::{Cursor, Write};

use fer_data::Emotion;
use image::{DynamicImage, GrayImage, ImageFormat, RgbImage};

/// A drawn face, 48×48.
pub(crate) fn face(number: usize) -> GrayImage {
    fer_drawn::face(1, number, Emotion::FER2013[number % 7]).to_gray()
}

/// A picture with two drawn faces, 96×48.
pub(crate) fn picture() -> RgbImage {
    let faces = [face(0), face(1)];
    RgbImage::from_fn(96, 48, |x, y| {
        let grey = faces[(x / 48) as usize].get_pixel(x % 48, y).0[0];
        image::Rgb([grey, grey.saturating_add(9), grey / 2])
    })
}

/// The formats that are read.
pub(crate) const FORMATS: [ImageFormat; 7] = [
    ImageFormat::Jpeg,
    ImageFormat::Png,
    ImageFormat::Bmp,
    ImageFormat::Gif,
    ImageFormat::Tiff,
    ImageFormat::WebP,
    ImageFormat::Pnm,
];

pub(crate) fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).expect("memory takes it, and the format its colours");
    bytes.into_inner()
}

/// Pictures of all formats, in several kinds of pixels.
pub(crate) fn pictures() -> Vec<Vec<u8>> {
    let rgb = DynamicImage::ImageRgb8(picture());
    let small = DynamicImage::ImageRgb8(RgbImage::from_pixel(5, 3, image::Rgb([200, 10, 99])));
    let mut all: Vec<Vec<u8>> = FORMATS.iter().map(|format| encoded(&rgb, *format)).collect();
    all.extend(FORMATS.iter().map(|format| encoded(&small, *format)));
    all.extend(
        [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Pnm, ImageFormat::Tiff]
            .map(|format| encoded(&DynamicImage::ImageLuma8(face(3)), format)),
    );
    all.push(encoded(&DynamicImage::ImageRgba16(small.to_rgba16()), ImageFormat::Png));
    all.push(encoded(&DynamicImage::ImageRgba8(small.to_rgba8()), ImageFormat::WebP));
    all.push(turned(&all[0]));
    all
}

/// A JPEG whose EXIF says that it lies on its side.
fn turned(jpeg: &[u8]) -> Vec<u8> {
    let exif = b"\xff\xe1\x00\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    [&jpeg[..2], exif, &jpeg[2..]].concat()
}

/// FER-2013's table with faces of all splits.
pub(crate) fn fer2013() -> Vec<u8> {
    let mut text = String::from("emotion,pixels,Usage\n");
    for number in 0..6 {
        let face = face(number);
        let pixels: Vec<String> = face.as_raw().iter().map(u8::to_string).collect();
        let usage = ["Training", "PublicTest", "PrivateTest"][number % 3];
        text += &format!("{},{},{usage}\n", number % 7, pixels.join(" "));
    }
    text.into_bytes()
}

/// Short tables: most of a row is pixels, and what breaks is mostly not among them.
pub(crate) fn short_tables() -> Vec<Vec<u8>> {
    vec![
        b"emotion,pixels,Usage\n0,1 2 3,Training\n".to_vec(),
        b"\xef\xbb\xbfUsage , \"emotion\",pixels\r\nPublicTest,\"6\",\"0 0\"\r\n".to_vec(),
        b"emotion,pixels,Usage\n\n\n6,\"1 2,Training\n3,4,PrivateTest\n".to_vec(),
        b"emotion,pixels\n1,2\n".to_vec(),
    ]
}

/// A GIF of three pictures.
pub(crate) fn animated() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut gif = image::codecs::gif::GifEncoder::new(&mut bytes);
    for value in [10, 90, 170] {
        let picture = image::RgbaImage::from_pixel(9, 7, image::Rgba([value, 50, 99, 255]));
        gif.encode_frame(image::Frame::new(picture)).expect("memory takes it");
    }
    drop(gif);
    bytes
}

/// FER+'s votes for [`fer2013`].
pub(crate) fn ferplus() -> Vec<u8> {
    let mut text = String::from(
        "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n",
    );
    for number in 0..6 {
        let usage = ["Training", "PublicTest", "PrivateTest"][number % 3];
        text += &format!("{usage},fer{number:07}.png,4,0,0,1,3,2,0,0,0,{}\n", number % 2);
    }
    text.into_bytes()
}

/// The same bytes, compressed in each way that is read.
pub(crate) fn compressed(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(bytes).expect("memory takes it");
    let options = lzma_rust2::XzOptions::with_preset(1);
    let mut xz = lzma_rust2::XzWriter::new(Vec::new(), options).expect("a preset is sound");
    xz.write_all(bytes).expect("memory takes it");
    vec![
        gzip.finish().expect("memory takes it"),
        xz.finish().expect("memory takes it"),
        zstd::encode_all(bytes, 3).expect("memory takes it"),
    ]
}

/// A cascade of two stages over a window of 20×20.
pub(crate) const CASCADE: &str = include_str!("../corpus/cascade/small.xml");
