//! The parts of a run, made from the command line.
//! In: [`CommonArgs`]. Out: an opened source, a way to open it again, pipeline stages.

use std::sync::Arc;
use std::time::Instant;

use super::Streams;
use crate::classify::Classify;
use crate::cli::CommonArgs;
use crate::error::LiveError;
use crate::frame::FrameSource;
use crate::pipeline::{Finder, Opener, Stages};
use crate::smooth::Smoother;
use crate::source::{Input, SourceOptions, cameras, open_input};

/// An opened source.
pub(super) struct Opened {
    pub(super) source: Box<dyn FrameSource>,
    /// For sources that can be opened again after they failed.
    pub(super) open_again: Option<Opener>,
}

/// The input that was asked for; without one, the first camera that opens, else the drawn scene.
pub(super) fn choose_input(
    args: &CommonArgs,
    is_quiet: bool,
    streams: &mut Streams<'_>,
) -> Result<Input, LiveError> {
    if let Some(words) = &args.input {
        return Input::parse(words);
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

/// Opens an input that frames come from one after the other.
pub(super) fn open(input: &Input, args: &CommonArgs) -> Result<Opened, LiveError> {
    let options = args.source_options(Instant::now());
    let source = open_input(input, &options)?;
    Ok(Opened { open_again: opener(input, options), source })
}

/// Cameras and addresses come back after a while; the other inputs, once ended, have ended.
fn opener(input: &Input, options: SourceOptions) -> Option<Opener> {
    let input = input.clone();
    match input {
        Input::Camera(_) | Input::Address(_) => Some(Arc::new(move || open_input(&input, &options))),
        Input::Video(_) | Input::Photos(_) | Input::Stdin | Input::Drawn => None,
    }
}

/// The stages of a pipeline around a classifier.
pub(super) fn stages(args: &CommonArgs, classifier: Arc<dyn Classify>) -> Result<Stages, LiveError> {
    Ok(Stages {
        finder: Finder::new(args.detector.build()?, args.finder_options()),
        classifier,
        smoother: Smoother::new(args.smooth_options()),
    })
}
