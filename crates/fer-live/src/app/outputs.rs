//! The files a run writes, opened before it begins.
//! In: the command line, every shot. Out: CSV, JSON Lines, video.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use fer_base::atomic;
use fer_data::Labels;
use image::RgbImage;

use crate::cli::WatchArgs;
use crate::error::LiveError;
use crate::overlay::{OverlayOptions, draw};
use crate::pipeline::Shot;
use crate::reading::Reading;
use crate::record::{CsvRecorder, JsonlRecorder, VideoRecorder};
use crate::source::Input;

/// The recorders that were asked for.
pub(super) struct Outputs {
    csv: Option<CsvRecorder<Box<dyn Write>>>,
    jsonl: Option<JsonlRecorder<Box<dyn Write>>>,
    video: Option<VideoRecorder>,
    labels: Labels,
    reader_has_left: Arc<AtomicBool>,
}

impl Outputs {
    /// Creates all files: what cannot be written is said before anything is read.
    pub(super) fn create(args: &WatchArgs, labels: &Labels) -> Result<Self, LiveError> {
        let left = Arc::new(AtomicBool::new(false));
        let open = |path: &Path| create(path, &left);
        let csv = args.csv.as_deref().map(|path| CsvRecorder::new(open(path)?, labels, &name(path)));
        let jsonl = args
            .jsonl
            .as_deref()
            .map(|path| Ok::<_, LiveError>(JsonlRecorder::new(open(path)?, labels, &name(path))));
        Ok(Self {
            csv: csv.transpose()?,
            jsonl: jsonl.transpose()?,
            video: args.save_video.as_deref().map(VideoRecorder::create).transpose()?,
            labels: labels.clone(),
            reader_has_left: left,
        })
    }

    /// Whether whoever read standard output, such as `head`, has had enough.
    pub(super) fn reader_has_left(&self) -> bool {
        self.reader_has_left.load(Ordering::Relaxed)
    }

    /// Records the rows of a frame.
    pub(super) fn rows(&mut self, input: &str, reading: &Reading) -> Result<(), LiveError> {
        if let Some(csv) = &mut self.csv {
            csv.record(input, reading)?;
        }
        self.jsonl.as_mut().map_or(Ok(()), |jsonl| jsonl.record(input, reading))
    }

    /// Records a shot: its rows, and its annotated picture.
    pub(super) fn record(&mut self, input: &str, shot: &Shot) -> Result<(), LiveError> {
        self.rows(input, &shot.reading)?;
        if let Some(video) = &mut self.video {
            let mut picture = shot.frame.picture.clone();
            draw(&shot.reading, &self.labels, &mut picture, &OverlayOptions::default());
            video.record(&picture, shot.frame.timestamp)?;
        }
        Ok(())
    }

    /// Finishes all files.
    pub(super) fn finish(&mut self) -> Result<(), LiveError> {
        self.video.as_mut().map_or(Ok(()), VideoRecorder::finish)
    }
}

/// A file, or standard output for `-`; `left` turns true when nobody reads that any more.
pub(super) fn create(path: &Path, left: &Arc<AtomicBool>) -> Result<Box<dyn Write>, LiveError> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(Standard { left: Arc::clone(left) }));
    }
    let file = File::create(path).map_err(|error| LiveError::Write {
        path: name(path),
        reason: format!("{error}: is the folder there and writable?"),
    })?;
    Ok(Box::new(BufWriter::new(file)))
}

/// Standard output, whose reader may leave when it has had enough: that is no error.
struct Standard {
    left: Arc<AtomicBool>,
}

impl Standard {
    fn forgive<T>(&self, result: io::Result<T>, instead: T) -> io::Result<T> {
        match result {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.left.store(true, Ordering::Relaxed);
                Ok(instead)
            }
            other => other,
        }
    }
}

impl Write for Standard {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.forgive(io::stdout().write(bytes), bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.forgive(io::stdout().flush(), ())
    }
}

/// Where the annotated picture of a photo goes: `target`, or of several photos the folder `target`.
pub(super) fn picture_path(target: &Path, photo: &Path, n_photos: usize) -> PathBuf {
    if n_photos == 1 && !target.is_dir() {
        return target.to_owned();
    }
    target.join(photo.file_stem().unwrap_or_default()).with_extension("png")
}

/// Refuses to write over an input, and two outputs into one file: both would destroy what they hold.
///
/// # Errors
/// [`LiveError::Config`] with the file.
pub(super) fn refuse_overlaps(args: &WatchArgs, input: &Input) -> Result<(), LiveError> {
    let photos: &[PathBuf] = if let Input::Photos(paths) = input { paths } else { &[] };
    let video = if let Input::Video(path) = input { std::slice::from_ref(path) } else { &[] };
    let pictures = args.save_picture.iter().flat_map(|target| {
        photos.iter().map(|photo| ("--save-picture", picture_path(target, photo, photos.len())))
    });
    let records = [
        ("--save-video", &args.save_video),
        ("--csv", &args.csv),
        ("--jsonl", &args.jsonl),
        ("--json", &args.json),
    ];
    let records = records.into_iter().filter_map(|(option, path)| Some((option, path.clone()?)));
    let mut taken: Vec<(String, PathBuf)> =
        photos.iter().chain(video).map(|path| ("the input".to_owned(), real(path))).collect();
    for (option, path) in records.chain(pictures) {
        // Standard output and devices such as /dev/null hold nothing that could be destroyed.
        if path.as_os_str() != "-" && path.exists() && !path.is_file() {
            continue;
        }
        let place = real(&path);
        if let Some((other, _)) = taken.iter().find(|(_, other)| *other == place) {
            let path = path.display();
            return Err(LiveError::Config(format!("{option} {path}: {other} is there too; choose another")));
        }
        taken.push((option.to_owned(), place));
    }
    Ok(())
}

/// The one name of a file that may not be there yet.
fn real(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    path.canonicalize()
        .or_else(|_| folder.canonicalize().map(|folder| folder.join(path.file_name().unwrap_or_default())))
        .unwrap_or_else(|_| path.to_owned())
}

pub(super) fn name(path: &Path) -> String {
    path.display().to_string()
}

/// Writes a picture whole or not at all.
pub(super) fn save_picture(picture: &RgbImage, path: &Path) -> Result<(), LiveError> {
    let failed = |reason: String| LiveError::Write { path: path.display().to_string(), reason };
    let format = image::ImageFormat::from_path(path).map_err(|_| {
        failed("expected a name that ends in .png, .jpg or another picture format".to_owned())
    })?;
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).map_err(|error| failed(error.to_string()))?;
    atomic::write(path, bytes.get_ref())
        .map_err(|error| failed(format!("{error}: is the folder there and writable?")))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    fn refused(words: &[&str], input: &Input) -> Option<String> {
        let cli = Cli::try_parse_from(["fer-live"].iter().chain(words)).expect("known options");
        refuse_overlaps(&cli.watch, input).err().map(|error| error.to_string())
    }

    #[test]
    fn an_output_is_never_an_input_or_another_output() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let clip = folder.path().join("clip.mp4");
        std::fs::write(&clip, "frames").expect("room for a file");
        let input = Input::Video(clip.clone());
        let roundabout = folder.path().join("../").join(folder.path().file_name().expect("it has one"));
        let roundabout = roundabout.join("clip.mp4").display().to_string();
        let text = refused(&["--csv", &roundabout], &input).expect("it would destroy the clip");
        assert!(
            text.starts_with("--csv ") && text.ends_with("the input is there too; choose another"),
            "{text}"
        );
        assert!(refused(&["--csv", "-", "--jsonl", "-"], &input).is_some());
        assert_eq!(refused(&["--csv", "/dev/null", "--jsonl", "/dev/null"], &input), None);
        assert_eq!(refused(&["--csv", "a.csv", "--jsonl", "-", "--save-video", "b.mp4"], &input), None);
    }

    #[test]
    fn photos_of_one_name_do_not_overwrite_each_other() {
        let photos = |paths: &[&str]| Input::Photos(paths.iter().map(PathBuf::from).collect());
        let options = ["--save-picture", "out"];
        assert!(refused(&options, &photos(&["a/face.jpg", "b/face.png"])).is_some());
        assert_eq!(refused(&options, &photos(&["a/face.jpg", "a/other.jpg"])), None);
        assert!(refused(&["--save-picture", "a/face.jpg"], &photos(&["a/face.jpg"])).is_some());
    }
}
