//! The parts of a run, made from the command line.
//! In: [`CommonArgs`]. Out: an input, an analyzer.
#![expect(clippy::disallowed_methods, reason = "live sources count their time from the start")]

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
    if let Some(words) = &args.input {
        return args.parse_input(words);
    }
    let mut notice = |text: &str| {
        if !is_quiet {
            streams.notice(text);
        }
    };
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
