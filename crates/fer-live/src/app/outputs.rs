//! The files a run writes, opened before it begins.
//! In: the command line, every shot. Out: CSV, JSON Lines, video.
//! Knows nothing of windows.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use fer_data::Labels;

use crate::cli::WatchArgs;
use crate::error::LiveError;
use crate::overlay::{OverlayOptions, draw};
use crate::pipeline::Shot;
use crate::reading::Reading;
use crate::record::{CsvRecorder, JsonlRecorder, VideoRecorder};

/// The recorders that were asked for.
pub(super) struct Outputs {
    csv: Option<CsvRecorder<Box<dyn Write>>>,
    jsonl: Option<JsonlRecorder<Box<dyn Write>>>,
    video: Option<VideoRecorder>,
    labels: Labels,
}

impl Outputs {
    /// Creates all files: what cannot be written is said before anything is read.
    pub(super) fn create(args: &WatchArgs, labels: &Labels) -> Result<Self, LiveError> {
        let csv = args.csv.as_deref().map(|path| CsvRecorder::new(create(path)?, labels, &name(path)));
        let jsonl = args
            .jsonl
            .as_deref()
            .map(|path| Ok::<_, LiveError>(JsonlRecorder::new(create(path)?, labels, &name(path))));
        Ok(Self {
            csv: csv.transpose()?,
            jsonl: jsonl.transpose()?,
            video: args.save_video.as_deref().map(VideoRecorder::create).transpose()?,
            labels: labels.clone(),
        })
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

/// A file, or standard output for `-`.
pub(super) fn create(path: &Path) -> Result<Box<dyn Write>, LiveError> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(io::stdout()));
    }
    let file = File::create(path).map_err(|error| LiveError::Write {
        path: name(path),
        reason: format!("{error}: is the folder there and writable?"),
    })?;
    Ok(Box::new(BufWriter::new(file)))
}

pub(super) fn name(path: &Path) -> String {
    path.display().to_string()
}
