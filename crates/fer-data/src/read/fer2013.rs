//! FER-2013's CSV file → samples.
//! In: `emotion,pixels,Usage` in any column order, plain or compressed, streamed. Out: [`Parts`].

use std::path::Path;

use ::csv::{ByteRecord, ErrorKind, Reader, ReaderBuilder, Trim};
use rayon::prelude::*;

use super::{
    LoadOptions, Parts,
    compressed::{self, Opened},
    ferplus::FerPlus,
};
use crate::{DataError, Emotion, Face, Labels, Sample, Skipped, Source, Split, error::Reason, face::PIXELS};

/// Rows parsed together: enough for every core, and few enough to stay streamed.
const CHUNK: usize = 1024;

/// Reads the wanted splits; of a row of another split only `Usage` is looked at.
pub(crate) fn read(path: &Path, wanted: &[Split], options: &LoadOptions) -> Result<Parts, DataError> {
    let labels = options.labels.clone().unwrap_or_else(Labels::emotions);
    let by_emotion = labels_of_emotions(path, &labels)?;
    let votes = match &options.ferplus {
        Some(votes) => Some(FerPlus::read(votes, wanted)?),
        None => None,
    };
    let mut rows = Rows::open(path)?;
    let mut parts = Parts {
        labels,
        splits: Default::default(),
        skipped: Vec::new(),
        elsewhere: [0; 3],
        classes_from_folders: false,
    };
    loop {
        let chunk = rows.next_chunk(wanted, &mut parts.elsewhere)?;
        if chunk.is_empty() {
            return Ok(parts);
        }
        let parsed: Vec<_> = chunk.into_par_iter().map(|row| (row.number, row.parse())).collect();
        for (number, parsed) in parsed {
            let source = Source::CsvRow(number);
            let (split, emotion, face) = match parsed {
                Ok(parsed) => parsed,
                Err(reason) if options.skip_bad => {
                    parts.skipped.push(Skipped { source, reason });
                    continue;
                }
                Err(reason) => {
                    return Err(DataError::Damaged { path: path.to_owned(), sample: source, reason });
                }
            };
            let votes = votes.as_ref().map(|votes| votes.of_row(number, split)).transpose()?;
            if options.drop_non_faces && split == Split::Train && votes.is_some_and(|v| v.is_non_face()) {
                parts.skipped.push(Skipped { source, reason: Reason::NonFace });
                continue;
            }
            let label = by_emotion[emotion.index()];
            parts.splits[split as usize].push(Sample { face, label, votes: votes.copied(), source });
        }
    }
}

/// The label of every emotion, in the order of [`Emotion::ALL`].
fn labels_of_emotions(path: &Path, labels: &Labels) -> Result<[usize; Emotion::COUNT], DataError> {
    let mut by_emotion = [0; Emotion::COUNT];
    for emotion in Emotion::ALL {
        by_emotion[emotion.index()] = labels.index_of(emotion.name()).ok_or_else(|| DataError::Labels {
            path: path.to_owned(),
            found: emotion.name().to_owned(),
            expected: labels.names().to_vec(),
        })?;
    }
    Ok(by_emotion)
}

/// A row of a wanted split, or of none that is known.
struct Row {
    /// Data row, from 1.
    number: usize,
    /// Its split and its columns `emotion` and `pixels`.
    content: Result<(Split, Vec<u8>, Vec<u8>), Reason>,
}

impl Row {
    fn parse(self) -> Result<(Split, Emotion, Face), Reason> {
        let (split, emotion, pixels) = self.content?;
        Ok((split, parse_emotion(&emotion)?, parse_pixels(&pixels)?))
    }
}

/// The rows of a CSV file, streamed.
struct Rows<'a> {
    path: &'a Path,
    format: Option<&'static str>,
    reader: Reader<Box<dyn std::io::Read + Send>>,
    record: ByteRecord,
    number: usize,
    columns: usize,
    emotion: usize,
    pixels: usize,
    usage: usize,
}

impl<'a> Rows<'a> {
    fn open(path: &'a Path) -> Result<Self, DataError> {
        let Opened { reader, format } = compressed::open(path)?;
        let reader = ReaderBuilder::new()
            .flexible(true)
            .trim(Trim::Headers)
            .buffer_capacity(1 << 18)
            .from_reader(reader);
        let record = ByteRecord::with_capacity(10_000, 3);
        let mut rows =
            Self { path, format, reader, record, number: 0, columns: 0, emotion: 0, pixels: 0, usage: 0 };
        rows.read_header()?;
        Ok(rows)
    }

    fn read_header(&mut self) -> Result<(), DataError> {
        let header = match self.reader.byte_headers() {
            Ok(header) => header.clone(),
            Err(error) => return Err(self.broken(error)),
        };
        let find = |name: &str| header.iter().position(|column| column.eq_ignore_ascii_case(name.as_bytes()));
        let (Some(emotion), Some(pixels), Some(usage)) = (find("emotion"), find("pixels"), find("Usage"))
        else {
            let mut found: String = header.iter().map(String::from_utf8_lossy).collect::<Vec<_>>().join(", ");
            if found.chars().count() > 80 {
                found = found.chars().take(80).chain("…".chars()).collect();
            }
            return Err(DataError::Layout {
                path: self.path.to_owned(),
                found: format!("the first line is `{found}`"),
                expected: "the columns emotion, pixels, Usage of fer2013.csv".to_owned(),
            });
        };
        (self.columns, self.emotion, self.pixels, self.usage) = (header.len(), emotion, pixels, usage);
        Ok(())
    }

    /// The next rows of the wanted splits, at most [`CHUNK`]; none at the end of the file.
    fn next_chunk(&mut self, wanted: &[Split], elsewhere: &mut [usize; 3]) -> Result<Vec<Row>, DataError> {
        let mut chunk = Vec::with_capacity(CHUNK);
        while chunk.len() < CHUNK {
            match self.reader.read_byte_record(&mut self.record) {
                Ok(true) => self.number += 1,
                Ok(false) => break,
                Err(error) => return Err(self.broken(error)),
            }
            match self.split() {
                Ok(split) if !wanted.contains(&split) => elsewhere[split as usize] += 1,
                Ok(split) => chunk.push(Row {
                    number: self.number,
                    content: Ok((
                        split,
                        self.record[self.emotion].to_vec(),
                        self.record[self.pixels].to_vec(),
                    )),
                }),
                Err(reason) => chunk.push(Row { number: self.number, content: Err(reason) }),
            }
        }
        Ok(chunk)
    }

    fn split(&self) -> Result<Split, Reason> {
        let (found, expected) = (self.record.len(), self.columns);
        let usage = self.record.get(self.usage).map(String::from_utf8_lossy);
        match usage.as_deref().map(|usage| (Split::from_fer2013_usage(usage), usage)) {
            // Nothing else of a test row may count, so that a damaged one cannot disturb training.
            Some((Some(Split::Test), _)) if found > self.emotion.max(self.pixels) => Ok(Split::Test),
            _ if found != expected => Err(Reason::Columns { found, expected }),
            Some((Some(split), _)) => Ok(split),
            Some((None, usage)) => Err(Reason::Usage { found: shortened(usage.trim()) }),
            None => Err(Reason::Columns { found, expected }),
        }
    }

    fn broken(&self, error: ::csv::Error) -> DataError {
        let source = match error.into_kind() {
            ErrorKind::Io(source) => source,
            other => std::io::Error::other(format!("{other:?}")),
        };
        let path = self.path.to_owned();
        match self.format {
            Some(format) => DataError::Compressed { path, format, row: self.number, source },
            None => DataError::Unreadable { path, source },
        }
    }
}

fn parse_emotion(text: &[u8]) -> Result<Emotion, Reason> {
    let text = String::from_utf8_lossy(text);
    let code = text.trim().parse().ok();
    code.and_then(Emotion::from_fer2013_code).ok_or_else(|| Reason::Label { found: shortened(text.trim()) })
}

/// A face from 2304 numbers between blanks, row order.
fn parse_pixels(text: &[u8]) -> Result<Face, Reason> {
    let mut face = Face::blank(0);
    let mut found = 0;
    for token in text.split(u8::is_ascii_whitespace).filter(|token| !token.is_empty()) {
        let value = parse_pixel(token).ok_or_else(|| Reason::PixelValue {
            position: found + 1,
            found: shortened(&String::from_utf8_lossy(token)),
        })?;
        if let Some(pixel) = face.pixels_mut().get_mut(found) {
            *pixel = value;
        }
        found += 1;
    }
    if found == PIXELS { Ok(face) } else { Err(Reason::PixelCount { found }) }
}

fn parse_pixel(token: &[u8]) -> Option<u8> {
    let mut value = 0_u32;
    for digit in token {
        value = value * 10 + u32::from(digit.checked_sub(b'0').filter(|&d| d < 10)?);
        if value > 255 {
            return None;
        }
    }
    Some(value as u8)
}

/// The start of what stood in a column, short enough for an error message.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
