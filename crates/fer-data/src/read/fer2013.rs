//! FER-2013's CSV file → samples.
//! In: `emotion,pixels,Usage` in any column order, plain or compressed, streamed. Out: [`Parts`].

use std::path::Path;

use rayon::prelude::*;

use super::{
    ferplus::FerPlus,
    options::{LoadOptions, Parts},
    rows::{self, Rows},
};
use crate::{DataError, Emotion, Face, Labels, Sample, Skipped, Source, Split, error::Reason, face::PIXELS};

/// Rows parsed together: enough for every core, and few enough to stay streamed.
const CHUNK: usize = 1024;

/// Reads the wanted splits; of a row of another split only `Usage` is looked at.
pub(crate) fn read(path: &Path, wanted: &[Split], options: &LoadOptions) -> Result<Parts, DataError> {
    let labels = options.labels.clone().unwrap_or_else(Labels::fer2013);
    let by_emotion = labels_of_emotions(path, &labels)?;
    let votes = match &options.ferplus {
        Some(votes) => Some(FerPlus::read(votes, wanted)?),
        None => None,
    };
    let mut table = Table::open(path)?;
    let mut parts = Parts::new(labels, false);
    loop {
        let chunk = table.next_chunk(wanted, &mut parts.elsewhere)?;
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

/// The label of each of FER-2013's seven expressions, in the order of [`Emotion::FER2013`]. The label set may
/// have more.
fn labels_of_emotions(path: &Path, labels: &Labels) -> Result<[usize; Emotion::FER2013.len()], DataError> {
    let mut by_emotion = [0; Emotion::FER2013.len()];
    for emotion in Emotion::FER2013 {
        by_emotion[emotion.index()] = labels.index_of(emotion.name()).ok_or_else(|| DataError::Labels {
            path: path.to_owned(),
            found: emotion.name().to_owned(),
            expected: labels.names().to_vec(),
        })?;
    }
    Ok(by_emotion)
}

/// A row of a wanted split, or of none that is known.
struct Fer2013Row {
    /// Data row, from 1.
    number: usize,
    /// Its split and its columns `emotion` and `pixels`.
    content: Result<(Split, Vec<u8>, Vec<u8>), Reason>,
}

impl Fer2013Row {
    fn parse(self) -> Result<(Split, Emotion, Face), Reason> {
        let (split, emotion, pixels) = self.content?;
        Ok((split, parse_emotion(&emotion)?, parse_pixels(&pixels)?))
    }
}

/// The rows of FER-2013's file, and where its columns stand.
struct Table<'a> {
    rows: Rows<'a>,
    header: Header,
}

/// Where the columns stand.
struct Header {
    n: usize,
    emotion: usize,
    pixels: usize,
    usage: usize,
}

impl Header {
    /// The split of a row, and its columns.
    fn split<'a>(&self, line: &'a [u8]) -> Result<(Split, Vec<&'a [u8]>), Reason> {
        let columns = match rows::columns(line) {
            Ok(columns) => columns,
            // Nothing else of a test row may count, so that a damaged one cannot disturb training.
            Err(_) if self.usage + 1 == self.n && ends_as_test(line) => return Ok((Split::Test, Vec::new())),
            Err(reason) => return Err(reason),
        };
        let (found, expected) = (columns.len(), self.n);
        let usage = columns.get(self.usage).map(|usage| String::from_utf8_lossy(usage));
        match usage.as_deref().map(|usage| (Split::from_fer2013_usage(usage), usage)) {
            Some((Some(Split::Test), _)) if found > self.emotion.max(self.pixels) => {
                Ok((Split::Test, columns))
            }
            _ if found != expected => Err(Reason::Columns { found, expected }),
            Some((Some(split), _)) => Ok((split, columns)),
            Some((None, usage)) => Err(Reason::Usage { found: shortened(usage.trim()) }),
            None => Err(Reason::Columns { found, expected }),
        }
    }
}

/// Whether the last column of a damaged row names the test split.
fn ends_as_test(line: &[u8]) -> bool {
    let last = line.rsplit(|&byte| byte == b',').next().unwrap_or_default();
    Split::from_fer2013_usage(&String::from_utf8_lossy(last)) == Some(Split::Test)
}

impl<'a> Table<'a> {
    fn open(path: &'a Path) -> Result<Self, DataError> {
        let (rows, header) = Rows::open(path)?;
        let find = |name: &str| header.iter().position(|column| column.eq_ignore_ascii_case(name));
        let (Some(emotion), Some(pixels), Some(usage)) = (find("emotion"), find("pixels"), find("Usage"))
        else {
            let mut found = header.join(", ");
            if found.chars().count() > 80 {
                found = found.chars().take(80).chain("…".chars()).collect();
            }
            return Err(DataError::Layout {
                path: path.to_owned(),
                found: format!("the first line is `{found}`"),
                expected: "the columns emotion, pixels, Usage of fer2013.csv".to_owned(),
            });
        };
        Ok(Self { rows, header: Header { n: header.len(), emotion, pixels, usage } })
    }

    /// The next rows of the wanted splits, at most [`CHUNK`]; none at the end of the file.
    fn next_chunk(
        &mut self,
        wanted: &[Split],
        elsewhere: &mut [usize; 3],
    ) -> Result<Vec<Fer2013Row>, DataError> {
        let mut chunk = Vec::with_capacity(CHUNK);
        while chunk.len() < CHUNK {
            let header = &self.header;
            let Some(rows::Row { number, line }) = self.rows.next()? else { break };
            // One without an end is refused before more of it is read.
            let is_endless = line.is_err();
            let content = match line.and_then(|line| header.split(line)) {
                Ok((split, _)) if !wanted.contains(&split) => {
                    elsewhere[split as usize] += 1;
                    continue;
                }
                Ok((split, columns)) => columns_of(split, &columns, header),
                Err(reason) => Err(reason),
            };
            chunk.push(Fer2013Row { number, content });
            if is_endless {
                break;
            }
        }
        Ok(chunk)
    }
}

/// What is parsed of a row of a wanted split.
fn columns_of(split: Split, columns: &[&[u8]], header: &Header) -> Result<(Split, Vec<u8>, Vec<u8>), Reason> {
    match (columns.get(header.emotion), columns.get(header.pixels)) {
        (Some(emotion), Some(pixels)) => Ok((split, emotion.to_vec(), pixels.to_vec())),
        _ => Err(Reason::Quote),
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
