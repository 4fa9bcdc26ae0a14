//! A file, plain or compressed → its bytes, streamed.
//! In: a path. Out: a reader and the name of the format, told by the first bytes and not by the extension.

use std::{
    io::{self, BufRead, BufReader},
    path::Path,
};

use fer_base::regular;

use crate::DataError;

/// Decompressed bytes read ahead.
const BUFFER: usize = 1 << 18;

/// The largest window of zstd, as a power of two: what `zstd --ultra -22` asks for, 128 MiB.
const MOST_ZSTD_WINDOW: u32 = 27;

/// The most memory for xz, in KiB: windows up to 128 MiB (`xz -9` asks for 64), and a MiB for the rest.
/// A block's header may ask for four gigabytes.
const MOST_XZ_MEMORY: u32 = 129 << 10;

/// An open file and how it is compressed.
pub(super) struct Opened {
    pub(super) reader: Box<dyn BufRead + Send>,
    /// `gzip`, `xz` or `zstd`; `None` for a plain file.
    pub(super) format: Option<&'static str>,
}

/// Opens a plain, gzip, xz or zstd file for streaming.
pub(super) fn open(path: &Path) -> Result<Opened, DataError> {
    let unreadable = |source| DataError::Unreadable { path: path.to_owned(), source };
    let file = regular::open(path).map_err(unreadable)?;
    let mut file = BufReader::with_capacity(BUFFER, file);
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
            Opened { reader: buffered(flate2::bufread::MultiGzDecoder::new(file)), format: Some("gzip") }
        }
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => {
            let reader = lzma_rust2::XzReader::new_mem_limit(file, true, MOST_XZ_MEMORY);
            Opened { reader: buffered(reader), format: Some("xz") }
        }
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            let mut reader = zstd::stream::read::Decoder::with_buffer(file).map_err(unreadable)?;
            reader.window_log_max(MOST_ZSTD_WINDOW).map_err(unreadable)?;
            Opened { reader: buffered(reader), format: Some("zstd") }
        }
        _ => Opened { reader: Box::new(file), format: None },
    };
    Ok(opened)
}

fn buffered(reader: impl io::Read + Send + 'static) -> Box<dyn BufRead + Send> {
    Box::new(BufReader::with_capacity(BUFFER, reader))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use lzma_rust2::{XzOptions, XzWriter};

    use super::*;

    #[test]
    fn a_small_file_that_asks_for_a_large_window_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("table.csv.zst");
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).expect("a level");
        encoder.window_log(MOST_ZSTD_WINDOW + 1).expect("a window");
        encoder.write_all(b"emotion,pixels,Usage\n").expect("memory takes it");
        std::fs::write(&path, encoder.finish().expect("memory takes it")).expect("room for a file");
        let mut opened = open(&path).expect("it begins well");
        let error = io::read_to_string(&mut opened.reader).expect_err("256 MiB");
        assert!(error.to_string().contains("requires too much memory"), "{error}");
    }

    #[test]
    fn an_xz_block_that_asks_for_a_large_window_is_refused_wherever_it_stands() {
        let packed = |size_code: u8| {
            let mut xz = XzWriter::new(Vec::new(), XzOptions::with_preset(1)).expect("a preset is sound");
            xz.write_all(b"emotion,pixels,Usage\n").expect("memory takes it");
            let mut bytes = xz.finish().expect("memory takes it");
            // Stream header; the block header's size, flags, filter, size of its properties: then the window.
            assert_eq!(bytes[12..16], [2, 0, 0x21, 1]);
            bytes[16] = size_code;
            let mut checksum = flate2::Crc::new();
            checksum.update(&bytes[12..20]);
            bytes[20..24].copy_from_slice(&checksum.sum().to_le_bytes());
            bytes
        };
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("table.csv.xz");
        let read = |bytes: Vec<u8>| {
            std::fs::write(&path, bytes).expect("room for a file");
            io::read_to_string(&mut open(&path).expect("it begins well").reader)
        };
        // 128 MiB, 192 MiB, and 4 GiB.
        let sound = packed(30);
        assert_eq!(read(sound.clone()).expect("sound"), "emotion,pixels,Usage\n");
        for large in [packed(31), packed(40)] {
            for bytes in [large.clone(), [&sound[..], &large].concat()] {
                let error = read(bytes).expect_err("too large");
                assert!(error.to_string().contains("memory too big"), "{error}");
            }
        }
    }
}
