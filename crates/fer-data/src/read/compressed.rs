//! A file, plain or compressed → its bytes, streamed.
//! In: a path. Out: a reader and the name of the format, told by the first bytes and not by the extension.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
};

use crate::DataError;

/// An open file and how it is compressed.
pub(crate) struct Opened {
    pub(crate) reader: Box<dyn Read + Send>,
    /// `gzip`, `xz` or `zstd`; `None` for a plain file.
    pub(crate) format: Option<&'static str>,
}

/// Opens a plain, gzip, xz or zstd file for streaming.
pub(crate) fn open(path: &Path) -> Result<Opened, DataError> {
    let unreadable = |source| DataError::Unreadable { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    let mut file = BufReader::with_capacity(1 << 18, file);
    let start = file.fill_buf().map_err(unreadable)?;
    let layout = |found: &str, advice: &str| DataError::Layout {
        path: path.to_owned(),
        found: found.to_owned(),
        expected: format!("a CSV file with the columns emotion, pixels, Usage{advice}"),
    };
    let opened = match start {
        [] => return Err(layout("the file is empty (0 bytes)", "")),
        [b'P', b'K', 3, 4, ..] => return Err(layout("a zip archive", "; unpack it first")),
        [0x1f, 0x8b, ..] => {
            Opened { reader: Box::new(flate2::bufread::MultiGzDecoder::new(file)), format: Some("gzip") }
        }
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => {
            Opened { reader: Box::new(lzma_rust2::XzReader::new(file, true)), format: Some("xz") }
        }
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Opened {
            reader: Box::new(zstd::stream::read::Decoder::with_buffer(file).map_err(unreadable)?),
            format: Some("zstd"),
        },
        _ => Opened { reader: Box::new(file), format: None },
    };
    Ok(opened)
}
