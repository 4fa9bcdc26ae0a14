//! H.264 pictures → a fragmented MP4 that can be read however its writer ended.
//! In: encoded pictures with their times. Out: the bytes of ISO 14496-12 boxes, every second's whole at once.

use std::io::{Seek, SeekFrom, Write};
use std::time::Duration;

/// Ticks per second: 24, 25, 29.97, 30, 50 and 60 frames a second all fall on whole ticks.
const TICKS: u64 = 90_000;

/// The first second is written in pieces of this many ticks, so that a short recording is on disk as well.
const FIRST_PIECES: u64 = TICKS / 5;

/// What the header says of the pictures.
#[derive(Clone, Debug)]
pub(super) struct PictureFormat {
    pub(super) width: u16,
    pub(super) height: u16,
    /// Sequence and picture parameter sets of the encoder, without start codes.
    pub(super) sps: Vec<u8>,
    pub(super) pps: Vec<u8>,
}

/// An encoded picture.
struct EncodedPicture {
    tick: u64,
    bytes: Vec<u8>,
    is_key: bool,
}

/// Writes an MP4, a fragment per key picture.
pub(super) struct Muxer<W: Write + Seek> {
    file: W,
    /// Pictures of the fragment that is not written yet.
    pending: Vec<EncodedPicture>,
    first: Option<Duration>,
    /// Start tick and file position of every fragment.
    fragments: Vec<(u64, u64)>,
    duration_position: u64,
}

impl<W: Write + Seek> Muxer<W> {
    /// Writes the header.
    pub(super) fn new(mut file: W, format: &PictureFormat) -> std::io::Result<Self> {
        let (header, duration_offset) = header(format);
        file.write_all(&header)?;
        file.flush()?;
        Ok(Self {
            file,
            pending: Vec::new(),
            first: None,
            fragments: Vec::new(),
            duration_position: duration_offset,
        })
    }

    /// Adds a picture: NAL units with four bytes of length before each.
    /// Times grow; the first is the video's zero.
    pub(super) fn push(&mut self, time: Duration, bytes: Vec<u8>, is_key: bool) -> std::io::Result<()> {
        let first = *self.first.get_or_insert(time);
        let scaled = u128::from(TICKS) * time.saturating_sub(first).as_nanos();
        let mut tick = ((scaled + 500_000_000) / 1_000_000_000) as u64;
        if let Some(last) = self.pending.last() {
            tick = tick.max(last.tick + 1);
        }
        // The first picture is written as soon as the second tells how long it is shown.
        let is_piece = self.pending.first().is_some_and(|first| tick - first.tick >= FIRST_PIECES);
        let is_early = self.fragments.is_empty() || (tick < TICKS && is_piece);
        if (is_key || is_early) && !self.pending.is_empty() {
            self.write_fragment(tick)?;
        }
        self.pending.push(EncodedPicture { tick, bytes, is_key });
        Ok(())
    }

    /// Writes what is pending, where the fragments lie, and how long the video is.
    pub(super) fn finish(&mut self, last_picture: Duration) -> std::io::Result<()> {
        let Some(last) = self.pending.last() else { return Ok(()) };
        let end = last.tick + (last_picture.as_nanos() as u64 * TICKS / 1_000_000_000).max(1);
        self.write_fragment(end)?;
        let index = self.index();
        self.file.write_all(&index)?;
        self.file.seek(SeekFrom::Start(self.duration_position))?;
        self.file.write_all(&end.to_be_bytes())?;
        self.file.seek(SeekFrom::End(0))?;
        self.file.flush()
    }

    fn write_fragment(&mut self, end: u64) -> std::io::Result<()> {
        let samples = std::mem::take(&mut self.pending);
        let Some(start) = samples.first().map(|sample| sample.tick) else { return Ok(()) };
        let position = self.file.stream_position()?;
        let fragment = fragment(self.fragments.len() as u32 + 1, &samples, end);
        self.fragments.push((start, position));
        self.file.write_all(&fragment)?;
        self.file.flush()
    }

    /// `mfra`: where to jump to.
    fn index(&self) -> Vec<u8> {
        let mut entries = Vec::new();
        for (tick, position) in &self.fragments {
            entries.extend(tick.to_be_bytes());
            entries.extend(position.to_be_bytes());
            // Track fragment, run and sample within the fragment, one byte each.
            entries.extend([1, 1, 1]);
        }
        let n = self.fragments.len() as u32;
        let tfra = full(b"tfra", 1, 0, &[&u32s(&[1, 0, n]), &entries]);
        let size = (8 + tfra.len() + 16) as u32;
        boxed(b"mfra", &[&tfra, &full(b"mfro", 0, 0, &[&u32s(&[size])])])
    }
}

/// `ftyp` and `moov`, and where in them the duration will be written.
fn header(format: &PictureFormat) -> (Vec<u8>, u64) {
    let mut bytes = boxed(b"ftyp", &[b"isom", &u32s(&[512]), b"isomiso5iso6avc1mp41"]);
    let mvhd = full(
        b"mvhd",
        0,
        0,
        &[&u32s(&[0, 0, TICKS as u32, 0, 0x0001_0000, 0x0100_0000, 0, 0]), &matrix(), &[0; 24], &u32s(&[2])],
    );
    let mehd = full(b"mehd", 1, 0, &[&[0; 8]]);
    let trex = full(b"trex", 0, 0, &[&u32s(&[1, 1, 0, 0, 0])]);
    let mvex = boxed(b"mvex", &[&mehd, &trex]);
    let moov = boxed(b"moov", &[&mvhd, &mvex, &trak(format)]);
    let duration = bytes.len() + 8 + mvhd.len() + 8 + 12;
    bytes.extend(moov);
    (bytes, duration as u64)
}

fn trak(format: &PictureFormat) -> Vec<u8> {
    let (width, height) = (u32::from(format.width), u32::from(format.height));
    let tkhd = full(
        b"tkhd",
        0,
        3,
        &[&u32s(&[0, 0, 1, 0, 0, 0, 0, 0, 0]), &matrix(), &u32s(&[width << 16, height << 16])],
    );
    // 0x55c4 is the language code "und".
    let mdhd = full(b"mdhd", 0, 0, &[&u32s(&[0, 0, TICKS as u32, 0, 0x55c4_0000])]);
    let hdlr = full(b"hdlr", 0, 0, &[&[0; 4], b"vide", &[0; 12], b"fer\0"]);
    let vmhd = full(b"vmhd", 0, 1, &[&[0; 8]]);
    let url = full(b"url ", 0, 1, &[]);
    let dinf = boxed(b"dinf", &[&full(b"dref", 0, 0, &[&u32s(&[1]), &url])]);
    let empty = |name: &[u8; 4], n: usize| full(name, 0, 0, &[&vec![0; n]]);
    let stsd = full(b"stsd", 0, 0, &[&u32s(&[1]), &avc1(format)]);
    let stbl = boxed(
        b"stbl",
        &[&stsd, &empty(b"stts", 4), &empty(b"stsc", 4), &empty(b"stsz", 8), &empty(b"stco", 4)],
    );
    let minf = boxed(b"minf", &[&vmhd, &dinf, &stbl]);
    boxed(b"trak", &[&tkhd, &boxed(b"mdia", &[&mdhd, &hdlr, &minf])])
}

fn avc1(format: &PictureFormat) -> Vec<u8> {
    let length = |bytes: &[u8]| (bytes.len() as u16).to_be_bytes();
    let avcc = boxed(
        b"avcC",
        &[
            // Version, profile, constraints and level as in the parameter set, four-byte lengths, one set each.
            &[1, format.sps[1], format.sps[2], format.sps[3], 0xff, 0xe1],
            &length(&format.sps),
            &format.sps,
            &[1],
            &length(&format.pps),
            &format.pps,
        ],
    );
    let mut entry = vec![0; 6];
    entry.extend([0, 1]);
    entry.extend([0; 16]);
    entry.extend(format.width.to_be_bytes());
    entry.extend(format.height.to_be_bytes());
    // 72 dpi, no data size, one frame a sample, no name, 24 bits, no palette.
    entry.extend(u32s(&[0x0048_0000, 0x0048_0000, 0]));
    entry.extend([0, 1]);
    entry.extend([0; 32]);
    entry.extend([0, 24, 0xff, 0xff]);
    boxed(b"avc1", &[&entry, &avcc])
}

/// `moof` and `mdat` of one fragment that lasts until `end`.
fn fragment(number: u32, samples: &[EncodedPicture], end: u64) -> Vec<u8> {
    let mut run = Vec::new();
    for (idx, sample) in samples.iter().enumerate() {
        let next = samples.get(idx + 1).map_or(end, |next| next.tick);
        // "Depends on nothing", or "depends on others and is no place to start".
        let flags = if sample.is_key { 0x0200_0000 } else { 0x0101_0000 };
        run.extend(u32s(&[(next - sample.tick) as u32, sample.bytes.len() as u32, flags]));
    }
    let mfhd = full(b"mfhd", 0, 0, &[&u32s(&[number])]);
    // Offsets count from the start of the fragment.
    let tfhd = full(b"tfhd", 0, 0x02_0000, &[&u32s(&[1])]);
    let tfdt = full(b"tfdt", 1, 0, &[&samples[0].tick.to_be_bytes()]);
    let trun = |offset: u32| full(b"trun", 0, 0x701, &[&u32s(&[samples.len() as u32, offset]), &run]);
    let moof = |offset| boxed(b"moof", &[&mfhd, &boxed(b"traf", &[&tfhd, &tfdt, &trun(offset)])]);
    let data_offset = moof(0).len() as u32 + 8;
    let mut bytes = moof(data_offset);
    let parts: Vec<&[u8]> = samples.iter().map(|sample| sample.bytes.as_slice()).collect();
    bytes.extend(boxed(b"mdat", &parts));
    bytes
}

/// The matrix that turns nothing, 16.16 and 2.30 fixed point.
fn matrix() -> Vec<u8> {
    u32s(&[0x0001_0000, 0, 0, 0, 0x0001_0000, 0, 0, 0, 0x4000_0000])
}

fn u32s(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_be_bytes()).collect()
}

/// A box: size, name, content.
fn boxed(name: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let size = 8 + parts.iter().map(|part| part.len()).sum::<usize>();
    let mut bytes = Vec::with_capacity(size);
    bytes.extend((size as u32).to_be_bytes());
    bytes.extend(name);
    parts.iter().for_each(|part| bytes.extend(*part));
    bytes
}

/// A box with version and flags.
fn full(name: &[u8; 4], version: u8, flags: u32, parts: &[&[u8]]) -> Vec<u8> {
    let head = (u32::from(version) << 24 | flags).to_be_bytes();
    let mut all: Vec<&[u8]> = vec![&head];
    all.extend(parts);
    boxed(name, &all)
}
