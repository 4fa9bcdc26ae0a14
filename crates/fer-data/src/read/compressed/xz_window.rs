//! An xz file's bytes → the same bytes, as long as no block asks for a large window.
//! In: a reader of the file. Out: a reader that fails at a block whose window is too large.
//!
//! A block's header may ask for four gigabytes, which the decoder then takes. Source: the .xz file format 1.2.1,
//! sections 2 to 4, and LZMA2's chunks as xz-utils document them.

use std::io::{self, Read};

/// The largest window: `xz -9` asks for 64 MiB.
const MOST_WINDOW: u64 = 128 << 20;

/// The filter that has the window.
const LZMA2: u64 = 0x21;

/// What the next byte is.
#[derive(Debug)]
enum XzPosition {
    /// Of a stream's header, collected.
    StreamHeader,
    /// The first of a block or of the index.
    Start,
    /// Of a block's header, of so many bytes in all.
    BlockHeader(usize),
    /// The first of a chunk.
    Chunk,
    /// Of a chunk's header, of so many bytes in all.
    ChunkHeader(usize),
    /// Content of a chunk, so many bytes more.
    Content(u64),
    /// Padding and check of a block, so many bytes more.
    BlockEnd(u64),
    /// Of the index: a number of several bytes, its value so far, and how many numbers follow it once known.
    Index { value: u64, shift: u32, left: Option<u64> },
    /// Padding, checksum and footer, so many bytes more.
    StreamEnd(u64),
    /// Zeros between streams, or the next one's first byte.
    Between,
    /// Of nothing that is known: the decoder refuses it.
    Lost,
}

/// A reader that looks at what it reads.
pub(super) struct XzWindow<R> {
    reader: R,
    position: XzPosition,
    /// The header that is being collected.
    header: Vec<u8>,
    /// Bytes since the start of the block's content, or of the index.
    n_bytes: u64,
    /// Size of a block's checksum.
    check: u64,
}

impl<R: Read> XzWindow<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, position: XzPosition::StreamHeader, header: Vec::new(), n_bytes: 0, check: 0 }
    }

    fn walk(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while let Some((&byte, rest)) = bytes.split_first() {
            if let XzPosition::Content(left) = self.position {
                let n = left.min(bytes.len() as u64);
                self.n_bytes += n;
                self.position = if left == n { XzPosition::Chunk } else { XzPosition::Content(left - n) };
                bytes = &bytes[n as usize..];
                continue;
            }
            self.step(byte)?;
            bytes = rest;
        }
        Ok(())
    }

    fn step(&mut self, byte: u8) -> io::Result<()> {
        self.n_bytes += 1;
        self.position = match std::mem::replace(&mut self.position, XzPosition::Lost) {
            XzPosition::StreamHeader => self.collect(byte, 12, XzPosition::StreamHeader)?,
            XzPosition::Start if byte == 0 => {
                self.n_bytes = 1;
                XzPosition::Index { value: 0, shift: 0, left: None }
            }
            XzPosition::Start => self.collect(byte, 4 * (usize::from(byte) + 1), XzPosition::Start)?,
            XzPosition::BlockHeader(size) => self.collect(byte, size, XzPosition::BlockHeader(size))?,
            XzPosition::Chunk => match byte {
                0 => self.block_end(),
                1 | 2 => self.collect(byte, 3, XzPosition::Chunk)?,
                0x80..0xc0 => self.collect(byte, 5, XzPosition::Chunk)?,
                0xc0.. => self.collect(byte, 6, XzPosition::Chunk)?,
                _ => XzPosition::Lost,
            },
            XzPosition::ChunkHeader(size) => self.collect(byte, size, XzPosition::ChunkHeader(size))?,
            XzPosition::BlockEnd(0 | 1) => XzPosition::Start,
            XzPosition::BlockEnd(left) => XzPosition::BlockEnd(left - 1),
            XzPosition::Index { value, shift, left } => self.index(byte, value, shift, left),
            XzPosition::StreamEnd(0 | 1) => XzPosition::Between,
            XzPosition::StreamEnd(left) => XzPosition::StreamEnd(left - 1),
            XzPosition::Between if byte == 0 => XzPosition::Between,
            XzPosition::Between => self.collect(byte, 12, XzPosition::StreamHeader)?,
            position @ (XzPosition::Lost | XzPosition::Content(_)) => position,
        };
        Ok(())
    }

    /// Collects a header of a size; what follows it once it is whole.
    fn collect(&mut self, byte: u8, size: usize, kind: XzPosition) -> io::Result<XzPosition> {
        self.header.push(byte);
        if self.header.len() < size {
            return Ok(match kind {
                XzPosition::Start => XzPosition::BlockHeader(size),
                XzPosition::Chunk => XzPosition::ChunkHeader(size),
                other => other,
            });
        }
        let header = std::mem::take(&mut self.header);
        Ok(match kind {
            XzPosition::StreamHeader => {
                // None, 4, 8, 16, 32 and 64 bytes, three kinds each.
                self.check = [0, 4, 8, 16, 32, 64][usize::from(header[7] & 15).div_ceil(3)];
                XzPosition::Start
            }
            XzPosition::Start | XzPosition::BlockHeader(_) => {
                refuse_large(window(&header).unwrap_or(0))?;
                self.n_bytes = 0;
                XzPosition::Chunk
            }
            _ => match header[..] {
                [_, high, low] | [_, _, _, high, low, ..] => {
                    XzPosition::Content(u64::from(u16::from_be_bytes([high, low])) + 1)
                }
                _ => XzPosition::Lost,
            },
        })
    }

    /// Padding to a multiple of four, and the checksum.
    fn block_end(&self) -> XzPosition {
        match self.n_bytes.next_multiple_of(4) - self.n_bytes + self.check {
            0 => XzPosition::Start,
            n => XzPosition::BlockEnd(n),
        }
    }

    /// The index: how many pairs of numbers, and those.
    fn index(&self, byte: u8, value: u64, shift: u32, left: Option<u64>) -> XzPosition {
        let value = value | u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        if byte >= 0x80 {
            return XzPosition::Index { value, shift: shift + 7, left };
        }
        match left.map_or(value.saturating_mul(2), |left| left - 1) {
            // Its own checksum, and twelve bytes of footer.
            0 => XzPosition::StreamEnd(self.n_bytes.next_multiple_of(4) - self.n_bytes + 4 + 12),
            left => XzPosition::Index { value: 0, shift: 0, left: Some(left) },
        }
    }
}

impl<R: Read> Read for XzWindow<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(buffer)?;
        self.walk(&buffer[..n])?;
        Ok(n)
    }
}

fn refuse_large(window: u64) -> io::Result<()> {
    if window <= MOST_WINDOW {
        return Ok(());
    }
    let (found, most) = (window >> 20, MOST_WINDOW >> 20);
    Err(io::Error::other(format!(
        "its window is {found} MiB, expected at most {most}: compress it with xz -6"
    )))
}

/// The window that a block's header asks for; `None` when it names none.
fn window(header: &[u8]) -> Option<u64> {
    let flags = *header.get(1)?;
    let mut rest = &header[2..];
    for is_there in [flags & 0x40, flags & 0x80] {
        if is_there != 0 {
            number(&mut rest)?;
        }
    }
    for _ in 0..=flags & 3 {
        let filter = number(&mut rest)?;
        let size = usize::try_from(number(&mut rest)?).ok()?;
        let properties = rest.get(..size)?;
        if filter == LZMA2 {
            let size = u32::from(properties.first()? & 0x3f).min(40);
            return Some((2 | u64::from(size & 1)) << (size / 2 + 11));
        }
        rest = &rest[size..];
    }
    None
}

/// A number of seven bits a byte, the lowest first.
fn number(bytes: &mut &[u8]) -> Option<u64> {
    let (mut value, mut shift) = (0, 0);
    loop {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte < 0x80 {
            return Some(value);
        }
        shift += 7;
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Write, num::NonZeroU64};

    use lzma_rust2::{CheckType, XzOptions, XzReader, XzWriter};
    use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

    use super::*;

    /// A text of half a megabyte, some of it without order.
    fn text() -> Vec<u8> {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let noise: Vec<u8> = (0..200_000).map(|_| rng.random()).collect();
        [b"0 1 2 3 4 5 6 7\n".repeat(20_000), noise].concat()
    }

    fn packed(options: XzOptions) -> Vec<u8> {
        let mut xz = XzWriter::new(Vec::new(), options).expect("sound options");
        xz.write_all(&text()).expect("memory takes it");
        xz.finish().expect("memory takes it")
    }

    /// Walks through a file in pieces, to its end.
    fn walked(bytes: &[u8], piece: usize) -> io::Result<XzPosition> {
        let mut reader = XzWindow::new(bytes);
        let mut buffer = vec![0; piece];
        while reader.read(&mut buffer)? > 0 {}
        Ok(reader.position)
    }

    #[test]
    fn sound_files_are_walked_to_their_end_whatever_their_blocks_and_checks() {
        for check in [CheckType::None, CheckType::Crc32, CheckType::Crc64, CheckType::Sha256] {
            for block_size in [None, NonZeroU64::new(1 << 18)] {
                let mut options = XzOptions::with_preset(1);
                options.lzma_options.dict_size = 1 << 16;
                options.set_check_sum_type(check);
                options.set_block_size(block_size);
                let one = packed(options);
                // Two streams, with padding between them.
                let two = [&one[..], &[0; 8], &one].concat();
                for piece in [1, 7, 4096] {
                    assert!(
                        matches!(walked(&two, piece), Ok(XzPosition::Between)),
                        "{check:?} {block_size:?} {piece}"
                    );
                }
                let mut read = Vec::new();
                XzReader::new(XzWindow::new(&two[..]), true).read_to_end(&mut read).expect("sound");
                assert_eq!(read, text().repeat(2));
            }
        }
    }

    #[test]
    fn a_block_that_asks_for_gigabytes_is_refused_wherever_it_stands() {
        let sound = packed(XzOptions::with_preset(1));
        let mut large = sound.clone();
        // Size, flags, filter, size of its properties: then the window, here of four gigabytes.
        assert_eq!(large[14..16], [0x21, 1]);
        large[16] = 40;
        for bytes in [large.clone(), [&sound[..], &large].concat()] {
            let error = walked(&bytes, 100).expect_err("4 GiB");
            assert_eq!(
                error.to_string(),
                "its window is 4096 MiB, expected at most 128: compress it with xz -6"
            );
        }
    }
}
