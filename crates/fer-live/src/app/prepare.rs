//! The parts of a run, made from the command line.
//! In: [`CommonArgs`]. Out: an input, an analyzer.
#![expect(clippy::disallowed_methods, reason = "live sources count their time from the start")]

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use fer_stream::StreamError;
use fer_vision::{Analyzer, Classify, Finder};

use super::Streams;
use crate::cli::{CommonArgs, DetectorName};
use crate::error::LiveError;
use crate::face_detector::DetectorOptions;
use crate::open::open_input;
use crate::source::{Input, cameras};

/// The input that was asked for; without one, the first camera that opens, else the drawn scene.
pub(super) fn choose_input(
    args: &CommonArgs,
    is_quiet: bool,
    streams: &mut Streams<'_>,
) -> Result<Input, StreamError> {
    let mut notice = |text: &str| {
        if !is_quiet {
            streams.notice(text);
        }
    };
    if let Some(words) = &args.input {
        let input = args.parse_input(words)?;
        let n_folders = if args.recursive { 0 } else { n_folders_in(Path::new(words)) };
        if n_folders > 0 {
            notice(&format!("{words}: {n_folders} folders in it are left out; --recursive reads those too"));
        }
        return Ok(input);
    }
    let options = args.source_options(Instant::now());
    for camera in cameras() {
        let input = Input::Camera(camera.index);
        if open_input(&input, &options).and_then(|mut source| source.next_frame()).is_ok() {
            notice(&format!("reading {input} ({}); another input with --input", camera.name));
            return Ok(input);
        }
    }
    notice("no camera opens (see fer-live doctor): showing a drawn face; another input with --input");
    Ok(Input::Drawn)
}

/// Folders in a folder; none where there is no folder.
fn n_folders_in(path: &Path) -> usize {
    let entries = std::fs::read_dir(path).into_iter().flatten().filter_map(Result::ok);
    entries.filter(|entry| entry.path().is_dir()).count()
}

/// Only YuNet finds eyes.
pub(super) fn refuse_align(args: &CommonArgs) -> Result<(), LiveError> {
    if !args.align || args.detector.detector == DetectorName::Yunet {
        return Ok(());
    }
    let problem = "--align needs a detector that finds eyes: --detector yunet --detector-model FILE";
    Err(LiveError::Config(problem.to_owned()))
}

/// Finds and reads faces, with this detector, for a network trained on crops of this factor.
pub(super) fn analyzer(
    args: &CommonArgs,
    detector: &DetectorOptions,
    classifier: Arc<dyn Classify>,
    trained_on: f32,
) -> Result<Analyzer, LiveError> {
    refuse_align(args)?;
    let finder = Finder::new(detector.build()?, args.finder_options(trained_on));
    Ok(Analyzer::new(finder, classifier, args.smooth_options()))
}
