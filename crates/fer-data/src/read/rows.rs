//! A CSV file → its rows, streamed in bounded memory.
//! In: a path, plain or compressed. Out: [`Row`]s, one a line, and their columns.
//!
//! FER-2013's and FER+'s files have no line break within a column, so a row ends with its line: a stray quote
//! damages one row and not all that follow.

use std::{
    io::{self, BufRead, Read},
    path::Path,
};

use super::compressed::{self, Opened};
use crate::{DataError, error::Reason};

/// The longest row that is read. FER-2013's have 9,500 bytes at most: 2,304 numbers of three digits.
const MOST_BYTES: usize = 1 << 16;

/// The most lines that are read, eight times FER-2013's: 700 MB of faces. A few kilobytes can unpack to more than
/// any memory holds; larger data sets are read as folders of classes.
const MOST_LINES: usize = 300_000;

/// How much is passed over of rows that are too long, before the file is given up.
const MOST_PASSED: usize = 64 << 20;

/// The rows of a CSV file behind its header.
pub(super) struct Rows<'a> {
    path: &'a Path,
    format: Option<&'static str>,
    reader: Box<dyn BufRead + Send>,
    line: Vec<u8>,
    /// Rows read so far.
    number: usize,
    /// Lines read so far, empty ones and the header with them.
    n_lines: usize,
    /// Bytes passed over so far.
    n_passed: usize,
    /// Whether the last row has not been read to its end.
    is_within: bool,
}

/// A row that is not empty.
pub(super) struct Row<'a> {
    /// Counted from 1, without the header and empty lines.
    pub(super) number: usize,
    /// Its bytes without the line's end, or why there are none.
    pub(super) line: Result<&'a [u8], Reason>,
}

impl<'a> Rows<'a> {
    /// Opens a file and reads its header: the columns' names, without spaces around them.
    pub(super) fn open(path: &'a Path) -> Result<(Self, Vec<String>), DataError> {
        let Opened { reader, format } = compressed::open(path)?;
        let mut rows = Self {
            path,
            format,
            reader,
            line: Vec::new(),
            number: 0,
            n_lines: 0,
            n_passed: 0,
            is_within: false,
        };
        rows.next_line().map_err(|error| rows.broken(error))?;
        let line = rows.line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&rows.line);
        let header = match columns(line) {
            Ok(columns) if !rows.is_within => columns,
            _ => vec![line],
        };
        let names = header.into_iter().map(|name| String::from_utf8_lossy(name).trim().to_owned());
        let names = names.collect();
        Ok((rows, names))
    }

    /// The next row; `None` at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<Row<'_>>, DataError> {
        loop {
            match self.next_line() {
                Err(error) => return Err(self.broken(error)),
                Ok(false) => return Ok(None),
                Ok(true) if self.line.is_empty() && !self.is_within => {}
                Ok(true) => break,
            }
        }
        self.number += 1;
        let line = if self.is_within { Err(Reason::RowLength { most: MOST_BYTES }) } else { Ok(&*self.line) };
        Ok(Some(Row { number: self.number, line }))
    }

    /// Reads a line, of a longer one its start; false at the end of the file.
    fn next_line(&mut self) -> io::Result<bool> {
        while std::mem::take(&mut self.is_within) {
            self.is_within = !self.pass_piece()?;
        }
        self.n_lines += 1;
        if self.n_lines > MOST_LINES {
            return Err(too_much(&format!(
                "more than {MOST_LINES} lines; larger data is read as a folder of classes"
            )));
        }
        self.line.clear();
        let most = MOST_BYTES as u64 + 1;
        let n = self.reader.by_ref().take(most).read_until(b'\n', &mut self.line)?;
        if self.line.ends_with(b"\n") {
            self.line.pop();
            if self.line.ends_with(b"\r") {
                self.line.pop();
            }
        } else {
            self.is_within = n > MOST_BYTES;
        }
        Ok(n > 0)
    }

    /// Passes over what is buffered of a line; true when its end was there.
    fn pass_piece(&mut self) -> io::Result<bool> {
        let bytes = self.reader.fill_buf()?;
        let (n, is_end) = match bytes.iter().position(|&byte| byte == b'\n') {
            Some(end) => (end + 1, true),
            None => (bytes.len(), bytes.is_empty()),
        };
        self.reader.consume(n);
        self.n_passed += n;
        if self.n_passed > MOST_PASSED {
            return Err(too_much("rows that are too long, without an end"));
        }
        Ok(is_end)
    }

    fn broken(&self, source: io::Error) -> DataError {
        let path = self.path.to_owned();
        match self.format {
            Some(format) => DataError::Compressed { path, format, row: self.number, source },
            None => DataError::Unreadable { path, source },
        }
    }
}

fn too_much(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// The columns of a row; one in quotes without them.
pub(super) fn columns(line: &[u8]) -> Result<Vec<&[u8]>, Reason> {
    let mut columns = Vec::new();
    let mut rest = line;
    loop {
        let (column, behind) = match rest.strip_prefix(b"\"") {
            Some(quoted) => {
                let end = quoted.iter().position(|&byte| byte == b'"').ok_or(Reason::Quote)?;
                (&quoted[..end], &quoted[end + 1..])
            }
            None => rest.split_at(rest.iter().position(|&byte| byte == b',').unwrap_or(rest.len())),
        };
        columns.push(column);
        match behind {
            [] => return Ok(columns),
            [b',', next @ ..] => rest = next,
            _ => return Err(Reason::Quote),
        }
    }
}
