//! Pictures of all formats.
//! In: bytes. Out: what the decoder says.

use fer_data::{
    Face,
    picture::{decode_upright, memory_needed},
};

use super::{Door, Target, words};
use crate::seeds;

pub(super) const WORDS: &[&[u8]] = &[
    b"\xff\xd8",
    b"\xff\xd9",
    b"\xff\xda",
    b"\xff\xc0",
    b"\xff\xc2",
    b"\xff\xc4",
    b"\xff\xdb",
    b"\xff\xdd",
    b"\xff\xe1",
    b"Exif\0\0",
    b"\x89PNG\r\n\x1a\n",
    b"IHDR",
    b"IDAT",
    b"PLTE",
    b"tRNS",
    b"IEND",
    b"acTL",
    b"fcTL",
    b"fdAT",
    b"eXIf",
    b"iCCP",
    b"GIF89a",
    b"\x2c",
    b"\x21\xf9",
    b"RIFF",
    b"WEBPVP8 ",
    b"WEBPVP8L",
    b"WEBPVP8X",
    b"ALPH",
    b"ANMF",
    b"ANIM",
    b"II*\0",
    b"MM\0*",
    b"BM",
    b"P1\n",
    b"P2\n",
    b"P3\n",
    b"P4\n",
    b"P5\n",
    b"P6\n",
    b"P7\n",
    b"WIDTH 9\n",
    b"ENDHDR\n",
];

pub(super) const PICTURE: Target = Target {
    name: "picture",
    door: "a picture of any format",
    seeds: seeds::pictures,
    words: WORDS,
    open,
    on_request: false,
};

/// The server's limit.
const MOST_PIXELS: u64 = 50_000_000;

fn open() -> Door {
    Box::new(|bytes| {
        // Half the inputs of the one format with a checksum over its sizes would end at the checksum.
        let sound = with_checksums(bytes);
        let bytes = sound.as_deref().unwrap_or(bytes);
        let need = memory_needed(bytes, Some(MOST_PIXELS));
        let decoded = decode_upright(bytes, Some(MOST_PIXELS));
        if need.is_err() && decoded.is_ok() {
            return Err("its header alone is refused, the whole is not".to_owned());
        }
        Ok(words(decoded.map(|picture| Face::from_picture(&picture))))
    })
}

/// A PNG whose chunks have sound checksums, for half of all inputs; `None` for other formats.
fn with_checksums(bytes: &[u8]) -> Option<Vec<u8>> {
    if !bytes.starts_with(b"\x89PNG\r\n\x1a\n") || bytes.len().is_multiple_of(2) {
        return None;
    }
    let (mut sound, mut at) = (bytes.to_vec(), 8);
    while let Some(size) = sound.get(at..at + 4) {
        let size = u32::from_be_bytes(size.try_into().ok()?) as usize;
        let end = at.checked_add(8)?.checked_add(size)?;
        let content = sound.get(at + 4..end)?;
        let mut crc = flate2::Crc::new();
        crc.update(content);
        let sum = crc.sum().to_be_bytes();
        sound.get_mut(end..end + 4)?.copy_from_slice(&sum);
        at = end + 4;
    }
    Some(sound)
}
