//! The files a run writes, opened before it begins.
//! In: the command line, every shot. Out: readings in every format that was asked for, an annotated video.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use fer_base::{Overlap, atomic};
use fer_data::Labels;
use fer_stream::pipeline::Shot;
use fer_stream::record::{Recorded, Recorder, VideoRecorder};
use fer_stream::{OverlayOptions, StreamError, draw};
use fer_vision::Reading;
use image::RgbImage;

use crate::cli::WatchArgs;
use crate::error::LiveError;
use crate::source::Input;

/// The records that were asked for.
pub(super) struct Records {
    files: Vec<(String, Box<dyn Recorder>)>,
    video: Option<VideoRecorder>,
    labels: Labels,
    overlay: OverlayOptions,
    reader_has_left: Arc<AtomicBool>,
}

impl Records {
    /// Creates all files: what cannot be written is said before anything is read.
    pub(super) fn create(args: &WatchArgs, labels: &Labels) -> Result<Self, StreamError> {
        let left = Arc::new(AtomicBool::new(false));
        let begin = |(format, path): &(fer_stream::record::Format, PathBuf)| {
            let recorder = (format.begin)(create(path, &left)?, labels);
            Ok((name(path), recorder.map_err(|error| not_written(&name(path), error))?))
        };
        Ok(Self {
            files: args.records.files.iter().map(begin).collect::<Result<_, StreamError>>()?,
            video: args.save_video.as_deref().map(VideoRecorder::create).transpose()?,
            labels: labels.clone(),
            overlay: OverlayOptions { hide_faces: args.blur, ..OverlayOptions::default() },
            reader_has_left: left,
        })
    }

    /// Whether whoever read standard output, such as `head`, has had enough.
    pub(super) fn reader_has_left(&self) -> bool {
        self.reader_has_left.load(Ordering::Relaxed)
    }

    /// Records the readings of a frame.
    pub(super) fn reading(&mut self, entry: &Recorded<'_>) -> Result<(), StreamError> {
        self.each(|recorder| recorder.record(entry))
    }

    /// Records a shot: its readings, and its annotated picture.
    pub(super) fn shot(&mut self, input: &str, shot: &Shot) -> Result<(), StreamError> {
        self.reading(&Recorded { input, size: shot.frame.picture.dimensions(), reading: &shot.reading })?;
        let draws = self.video.is_some();
        let picture = draws.then(|| self.annotated(shot.frame.picture.clone(), &shot.reading));
        if let (Some(video), Some(picture)) = (&mut self.video, picture) {
            video.record(&picture, shot.frame.timestamp)?;
        }
        Ok(())
    }

    /// A picture as it is saved, its reading drawn on it.
    pub(super) fn annotated(&self, mut picture: RgbImage, reading: &Reading) -> RgbImage {
        draw(reading, &self.labels, &mut picture, &self.overlay);
        picture
    }

    /// Finishes all files.
    pub(super) fn finish(&mut self) -> Result<(), StreamError> {
        let video = self.video.as_mut().map_or(Ok(()), VideoRecorder::finish);
        self.each(|recorder| recorder.finish()).and(video)
    }

    fn each(&mut self, mut act: impl FnMut(&mut dyn Recorder) -> io::Result<()>) -> Result<(), StreamError> {
        self.files
            .iter_mut()
            .try_for_each(|(path, recorder)| act(recorder.as_mut()).map_err(|error| not_written(path, error)))
    }
}

fn not_written(path: &str, error: io::Error) -> StreamError {
    StreamError::write_for(path, "not written", error)
}

/// A file, or standard output for `-`; `left` turns true when nobody reads that any more.
fn create(path: &Path, left: &Arc<AtomicBool>) -> Result<Box<dyn Write>, StreamError> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(Standard { left: Arc::clone(left) }));
    }
    let file = File::create(path).map_err(|error| StreamError::write_for(name(path), NOT_CREATED, error))?;
    Ok(Box::new(WholeRows { file, waiting: Vec::new(), n_written: 0 }))
}

/// What is said of a file that cannot be created.
const NOT_CREATED: &str = "not created; is the folder there and writable?";

/// A file that holds what was flushed, whole: where a disk ends within a row, the row's start is taken back.
struct WholeRows {
    file: File,
    waiting: Vec<u8>,
    n_written: u64,
}

impl Write for WholeRows {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.waiting.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let rows = std::mem::take(&mut self.waiting);
        let written = self.file.write_all(&rows);
        match written {
            Ok(()) => self.n_written += rows.len() as u64,
            // A pipe takes nothing back; what is said is why it could not be written.
            Err(_) => drop(
                self.file
                    .set_len(self.n_written)
                    .and_then(|()| self.file.seek(SeekFrom::Start(self.n_written))),
            ),
        }
        written
    }
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

/// Refuses to write over an input or the model, and two outputs into one file: both would destroy what they hold.
///
/// # Errors
/// [`LiveError::Config`] with the file.
pub(super) fn refuse_overlaps(args: &WatchArgs, input: &Input) -> Result<(), LiveError> {
    let photos: &[PathBuf] = if let Input::Photos(paths) = input { paths } else { &[] };
    let video = if let Input::Video(path) = input { std::slice::from_ref(path) } else { &[] };
    let pictures = args.save_picture.iter().flat_map(|target| {
        photos.iter().map(|photo| ("--save-picture".to_owned(), picture_path(target, photo, photos.len())))
    });
    let records =
        args.records.files.iter().map(|(format, path)| (format!("--{}", format.ending), path.clone()));
    let videos = args.save_video.iter().map(|path| ("--save-video".to_owned(), path.clone()));
    // The words themselves name a file where they name a list of photos.
    let list = args.common.input.iter().map(PathBuf::from).filter(|path| path.is_file());
    let inputs = photos.iter().chain(video).cloned().chain(list).map(|path| ("the input".to_owned(), path));
    let inputs: Vec<(String, PathBuf)> = inputs.chain(model_files(args)).collect();
    // A folder cannot be written over: whoever opens the output says what is wrong with it.
    let outputs: Vec<(String, PathBuf)> =
        videos.chain(records).chain(pictures).filter(|(_, path)| !path.is_dir()).collect();
    fer_base::refuse_overlaps(&named(&inputs), &named(&outputs)).map_err(|overlap| {
        let Overlap { option, path, other_option, .. } = overlap;
        LiveError::Config(format!("{option} {}: {other_option} is there too; choose another", path.display()))
    })
}

fn named(files: &[(String, PathBuf)]) -> Vec<(&str, &Path)> {
    files.iter().map(|(option, path)| (option.as_str(), path.as_path())).collect()
}

/// The files that reading needs, and that an output would destroy: the model's and the detector's.
fn model_files(args: &WatchArgs) -> impl Iterator<Item = (String, PathBuf)> {
    let folder = crate::model::folder_of(args.common.model.as_deref());
    let in_folder = folder.and_then(|folder| std::fs::read_dir(folder).ok()).into_iter().flatten();
    let model = in_folder.flatten().map(|entry| ("the model".to_owned(), entry.path()));
    let detector =
        args.common.detector.files().map(|path| ("the detector's file".to_owned(), path.to_owned()));
    model.chain(detector)
}

pub(super) fn name(path: &Path) -> String {
    path.display().to_string()
}

/// Writes a picture whole or not at all.
pub(super) fn save_picture(picture: &RgbImage, path: &Path) -> Result<(), StreamError> {
    let format = image::ImageFormat::from_path(path).map_err(|_| {
        StreamError::write(name(path), "expected a name that ends in .png, .jpg or another picture format")
    })?;
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture
        .write_to(&mut bytes, format)
        .map_err(|error| StreamError::write_for(name(path), "the picture cannot be encoded", error))?;
    atomic::write(path, bytes.get_ref())
        .map_err(|error| StreamError::write_for(name(path), NOT_CREATED, error))
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
    fn an_output_is_never_a_file_of_the_model_or_the_detector() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = |name: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, "needed").expect("room for a file");
            path.display().to_string()
        };
        let (card, weights, cascade) = (file("card.json"), file("weights.safetensors"), file("faces.xml"));
        let model = folder.path().display().to_string();
        for (option, path) in [("--json", &card), ("--save-video", &weights), ("--csv", &weights)] {
            let said =
                refused(&["--model", &model, option, path], &Input::Drawn).expect("it would destroy it");
            assert!(said.ends_with("the model is there too; choose another"), "{said}");
        }
        let said = refused(&["--cascade", &cascade, "--jsonl", &cascade], &Input::Drawn);
        assert!(said.is_some_and(|said| said.contains("the detector's file is there too")));
        let beside = folder.path().join("readings.csv").display().to_string();
        assert_eq!(refused(&["--model", &model, "--csv", &beside], &Input::Drawn), None);
    }

    #[test]
    fn an_output_is_never_the_list_of_photos() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let list = folder.path().join("list.txt");
        std::fs::write(&list, "a.jpg\n").expect("room for a file");
        let (list, input) = (list.display().to_string(), Input::Photos(vec!["a.jpg".into()]));
        for option in ["--csv", "--json", "--jsonl"] {
            let said =
                refused(&["--input", &list, option, &list], &input).expect("it would destroy the list");
            assert!(said.ends_with("list.txt: the input is there too; choose another"), "{said}");
        }
        assert_eq!(refused(&["--input", &list, "--csv", "out.csv"], &input), None);
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
