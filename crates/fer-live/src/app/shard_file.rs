//! The file of a shard, which goes on where a killed run left it.
//! In: readings and damaged photos, in order. Out: `PART.csv`, which is there when it is whole, and
//! `PART.csv.damaged.tsv` where a photo was damaged. Until then both are `….partial`.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use fer_data::Labels;
use fer_stream::StreamError;
use fer_stream::record::{FORMATS, Format, Recorded, Recorder};
use fer_vision::{columns, recorded_name};

use super::output_files::name;

/// A shard's file, being written.
pub(super) struct ShardFile {
    path: PathBuf,
    rows: Box<dyn Recorder>,
    damaged: File,
    n_damaged: usize,
    /// Holds the lock until the end.
    _lock: File,
}

impl ShardFile {
    /// Opens the file, and tells which photo is next: a killed run's rows stay, but those of its last photo, which
    /// may not all be there.
    ///
    /// # Errors
    /// [`StreamError::Write`] when the file cannot be made, is another run's now, or belongs to other photos
    /// than `names`, which tells a photo's name by its position.
    pub(super) fn open(
        path: &Path,
        labels: &Labels,
        first: u64,
        names: impl Fn(u64) -> Option<String>,
    ) -> Result<(Self, u64), StreamError> {
        let failed = |problem: &str, error: io::Error| StreamError::write_for(name(path), problem, error);
        let partial = partial(path);
        let made = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&partial);
        let mut file =
            made.map_err(|error| failed("not created; is the folder there and writable?", error))?;
        if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
            return Err(StreamError::write(name(path), "another run is writing it now"));
        }
        let kept = kept(&file, labels).map_err(|error| failed("cannot be read", error))?;
        let next = kept.next.as_ref().map_or(first, |(frame, _)| *frame);
        let listed = listed_before(&damaged_path(path), next)
            .map_err(|error| failed("its list of damaged photos cannot be read", error))?;
        let is_named = kept.next.as_ref().is_none_or(|(frame, input)| names(*frame).as_ref() == Some(input));
        // Every photo before the next one is there, read or damaged, and no other.
        if !is_named || next.checked_sub(first) != Some(kept.n_before + listed.len() as u64) {
            let problem = format!(
                "{} was begun with other photos or another shard: remove it to begin again",
                partial.display()
            );
            return Err(StreamError::write(name(path), problem));
        }
        let begun = || {
            file.set_len(kept.bytes)?;
            file.seek(SeekFrom::End(0))?;
            let lock = file.try_clone()?;
            // The header is written by whoever begins a table: here it may be there already.
            let rows = Appending { file, to_skip: kept.header };
            let rows = (csv_format().begin)(Box::new(rows), labels)?;
            let mut damaged = File::create(self::partial(&damaged_path(path)))?;
            damaged.write_all(listed.concat().as_bytes())?;
            Ok(Self { path: path.to_owned(), rows, damaged, n_damaged: listed.len(), _lock: lock })
        };
        Ok((begun().map_err(|error| failed("cannot be continued", error))?, next))
    }

    /// Adds a photo's rows.
    pub(super) fn add(&mut self, entry: &Recorded<'_>) -> Result<(), StreamError> {
        let added = self.rows.record(entry);
        added.map_err(|error| StreamError::write_for(name(&self.path), "not written", error))
    }

    /// Adds a photo that cannot be read: its position, its path and why.
    pub(super) fn add_damaged(&mut self, position: u64, input: &str, why: &str) -> Result<(), StreamError> {
        let plain = |text: &str| text.replace(['\t', '\n', '\r'], " ");
        let line = format!("{position}\t{}\t{}\n", plain(input), plain(why));
        self.n_damaged += 1;
        let added = self.damaged.write_all(line.as_bytes());
        added.map_err(|error| StreamError::write_for(name(&damaged_path(&self.path)), "not written", error))
    }

    /// How many photos could not be read, those before a kill included.
    pub(super) fn n_damaged(&self) -> usize {
        self.n_damaged
    }

    /// Gives the files their names; the list of damaged photos first, so that the part means that all is there.
    pub(super) fn finish(mut self) -> Result<(), StreamError> {
        let mut end = || {
            self.rows.finish()?;
            self.damaged.sync_all()?;
            self._lock.sync_all()?;
            let list = damaged_path(&self.path);
            match self.n_damaged {
                0 => fs::remove_file(partial(&list))?,
                _ => fs::rename(partial(&list), &list)?,
            }
            fs::rename(partial(&self.path), &self.path)
        };
        end().map_err(|error| StreamError::write_for(name(&self.path), "not finished", error))
    }
}

fn csv_format() -> Format {
    FORMATS.into_iter().find(|format| format.ending == "csv").expect("FORMATS has CSV")
}

/// Where a part's damaged photos are listed.
pub(super) fn damaged_path(path: &Path) -> PathBuf {
    with_ending(path, ".damaged.tsv")
}

fn partial(path: &Path) -> PathBuf {
    with_ending(path, ".partial")
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// What of a partial table can be kept.
struct Kept {
    /// Bytes of the header, 0 when it is not there.
    header: usize,
    /// Bytes before the rows of the last photo.
    bytes: u64,
    /// How many photos have their rows in these bytes.
    n_before: u64,
    /// Position and name of the last photo, whose rows are written anew; `None` before the first.
    next: Option<(u64, String)>,
}

/// Reads a partial table. What is cut off belongs to the last photo: whole rows of one come before those of the next.
fn kept(file: &File, labels: &Labels) -> io::Result<Kept> {
    let mut table = csv::ReaderBuilder::new().from_reader(BufReader::new(file));
    let mut row = csv::StringRecord::new();
    let expected: Vec<String> = columns(labels).iter().map(|column| recorded_name(column)).collect();
    if !table.headers().is_ok_and(|found| found.iter().eq(&expected)) {
        // A header that is cut off has no rows behind it.
        return match table.read_record(&mut row) {
            Ok(true) => Err(io::Error::other("its columns are another model's: remove it to begin again")),
            _ => Ok(Kept { header: 0, bytes: 0, n_before: 0, next: None }),
        };
    }
    let header = table.position().byte();
    let mut kept = Kept { header: header as usize, bytes: header, n_before: 0, next: None };
    loop {
        let start = table.position().byte();
        match table.read_record(&mut row) {
            Ok(true) => {}
            Err(error) if error.is_io_error() => return Err(error.into()),
            // The end, or a row that is cut off.
            Ok(false) | Err(_) => return Ok(kept),
        }
        let (input, frame) = (row.get(0), row.get(1).and_then(|frame| frame.parse().ok()));
        let (Some(input), Some(frame)) = (input, frame) else { return Ok(kept) };
        if kept.next.as_ref().is_none_or(|(last, _)| *last != frame) {
            kept.n_before += u64::from(kept.next.is_some());
            kept.bytes = start;
            kept.next = Some((frame, input.to_owned()));
        }
    }
}

/// The lines of a partial list of damaged photos, as far as they are whole and before `next`.
fn listed_before(list: &Path, next: u64) -> io::Result<Vec<String>> {
    let text = match fs::read_to_string(partial(list)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        text => text?,
    };
    let position = |line: &str| line.split_once('\t')?.0.parse::<u64>().ok();
    let is_kept = |line: &&str| line.ends_with('\n') && position(line).is_some_and(|at| at < next);
    Ok(text.split_inclusive('\n').take_while(is_kept).map(str::to_owned).collect())
}

/// Appends to a file, but not the first bytes, which are there already.
struct Appending {
    file: File,
    to_skip: usize,
}

impl Write for Appending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.to_skip == 0 {
            return self.file.write(bytes);
        }
        let skipped = self.to_skip.min(bytes.len());
        self.to_skip -= skipped;
        Ok(skipped)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
