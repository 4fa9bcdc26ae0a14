//! Reading a source until it ends: window, records, progress.
//! In: the command line. Out: what was asked for; a summary.
//! Knows nothing of how faces are found and read.

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use fer_data::{Labels, atomic};
use image::RgbImage;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::dump::Dump;
use super::meter::Meter;
use super::outputs::Outputs;
use super::{Outcome, Streams, photos, prepare};
use crate::classify::Classify;
use crate::cli::WatchArgs;
use crate::error::LiveError;
use crate::frame::SourceInfo;
use crate::overlay::{OverlayOptions, draw};
use crate::pipeline::{LiveOptions, Shot, Sink, run as run_pipeline};
use crate::source::Input;

/// Reads what the command line asks for.
pub(super) fn run(
    args: &WatchArgs,
    stop: &Arc<AtomicBool>,
    streams: &mut Streams<'_>,
) -> Result<Outcome, LiveError> {
    let input = prepare::choose_input(&args.common, streams)?;
    let loaded = crate::model::load(args.common.model.as_deref(), args.common.device)?;
    let classifier = with_dump(args, loaded.classifier)?;
    let outcome = |stop: &AtomicBool| {
        if stop.load(Ordering::Relaxed) { Outcome::Interrupted } else { Outcome::Done }
    };
    if let Input::Photos(paths) = &input {
        photos::run(args, paths, classifier, stop, streams)?;
        return Ok(outcome(stop));
    }
    refuse_photo_options(args, &input)?;
    let screen = Screen::open(args)?;
    let stages = prepare::stages(&args.common, Arc::clone(&classifier))?;
    let opened = prepare::open(&input, &args.common)?;
    let info = opened.source.info();
    let outputs = Outputs::create(args, classifier.labels())?;
    let progress = progress(args, &info);
    let labels = classifier.labels().clone();
    let meter = Meter::new(Instant::now());
    let mut sink = WatchSink { args, info, labels, outputs, screen, progress, meter, stop, streams };
    let result =
        run_pipeline(opened.source, opened.open_again, LiveOptions::default(), stages, stop, &mut sink);
    let finished = sink.finish();
    result.and(finished).map(|()| outcome(stop))
}

fn with_dump(args: &WatchArgs, classifier: Arc<dyn Classify>) -> Result<Arc<dyn Classify>, LiveError> {
    match &args.dump_inputs {
        Some(folder) => Ok(Arc::new(Dump::new(classifier, folder.clone())?)),
        None => Ok(classifier),
    }
}

fn refuse_photo_options(args: &WatchArgs, input: &Input) -> Result<(), LiveError> {
    let option = if args.json.is_some() { "--json" } else { "--save-picture" };
    if args.json.is_none() && args.save_picture.is_none() {
        return Ok(());
    }
    let instead = "for videos and cameras use --jsonl, --csv and --save-video";
    Err(LiveError::Config(format!("{option} is for photos, {input} is none: {instead}")))
}

/// A bar for sources whose length is known, on a terminal.
fn progress(args: &WatchArgs, info: &SourceInfo) -> ProgressBar {
    let Some(n_frames) = info.n_frames.filter(|_| !args.quiet && std::io::stderr().is_terminal()) else {
        return ProgressBar::hidden();
    };
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} frames, {per_sec}, {eta} left")
        .expect("the template names known keys");
    ProgressBar::with_draw_target(Some(n_frames), ProgressDrawTarget::stderr()).with_style(style)
}

/// Shows and records every shot.
struct WatchSink<'a, 'b> {
    args: &'a WatchArgs,
    info: SourceInfo,
    labels: Labels,
    outputs: Outputs,
    screen: Option<Screen>,
    progress: ProgressBar,
    meter: Meter,
    stop: &'a AtomicBool,
    streams: &'a mut Streams<'b>,
}

impl Sink for WatchSink<'_, '_> {
    fn shot(&mut self, shot: Shot) -> Result<ControlFlow<()>, LiveError> {
        self.outputs.record(&self.info.name, &shot)?;
        self.meter.count(Instant::now(), shot.reading.found().count(), shot.reading.n_dropped);
        self.progress.inc(1);
        if let Some(screen) = &mut self.screen {
            let latency = self.info.live.then(|| shot.captured.elapsed());
            let status = self.meter.line(latency);
            let keys = screen.show(shot, &self.labels, status, self.stop)?;
            for snapshot in keys.snapshots {
                self.notice(&format!("wrote {}", snapshot.display()));
            }
            if keys.quit {
                return Ok(ControlFlow::Break(()));
            }
        }
        let enough = self.args.frames.is_some_and(|n_frames| self.meter.n_shots() >= n_frames);
        Ok(if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    fn notice(&mut self, text: &str) {
        let Self { progress, streams, .. } = self;
        progress.suspend(|| streams.notice(text));
    }

    fn idle(&mut self) -> Result<ControlFlow<()>, LiveError> {
        let quit = self.screen.as_mut().map_or(Ok(false), Screen::idle)?;
        Ok(if quit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }
}

impl WatchSink<'_, '_> {
    fn finish(&mut self) -> Result<(), LiveError> {
        self.progress.finish_and_clear();
        let finished = self.outputs.finish();
        if !self.args.quiet {
            self.streams.notice(&self.meter.summary(Instant::now()));
        }
        finished
    }
}

/// What the user pressed while a picture was shown.
#[derive(Default)]
struct Keys {
    quit: bool,
    snapshots: Vec<PathBuf>,
}

/// The window and what its keys have switched.
struct Screen {
    window: window::Window,
    options: OverlayOptions,
    snapshots: PathBuf,
    last: Option<(RgbImage, u64)>,
}

impl Screen {
    fn open(args: &WatchArgs) -> Result<Option<Self>, LiveError> {
        if args.headless {
            return Ok(None);
        }
        let options =
            OverlayOptions { boxes_only: args.boxes_only, mirror: args.mirror, status: String::new() };
        let window = window::Window::open("fer-live: apparent expressions")?;
        Ok(Some(Self { window, options, snapshots: args.snapshots.clone(), last: None }))
    }

    /// Draws on a copy, shows it, and answers keys; a pause lasts as long as the user wants.
    fn show(
        &mut self,
        shot: Shot,
        labels: &Labels,
        status: String,
        stop: &AtomicBool,
    ) -> Result<Keys, LiveError> {
        let mut keys = Keys::default();
        self.options.status = status;
        self.paint(&shot, labels)?;
        let mut is_paused = false;
        loop {
            match self.window.key(if is_paused { 30 } else { 1 })? {
                Some('q' | '\u{1b}') => keys.quit = true,
                Some(' ') => is_paused = !is_paused,
                Some('s') => keys.snapshots.push(self.snapshot()?),
                Some('m') => {
                    self.options.mirror = !self.options.mirror;
                    self.paint(&shot, labels)?;
                }
                Some('b') => {
                    self.options.boxes_only = !self.options.boxes_only;
                    self.paint(&shot, labels)?;
                }
                _ => {}
            }
            if keys.quit || !is_paused || stop.load(Ordering::Relaxed) {
                return Ok(keys);
            }
        }
    }

    fn paint(&mut self, shot: &Shot, labels: &Labels) -> Result<(), LiveError> {
        let mut picture = shot.frame.picture.clone();
        draw(&shot.reading, labels, &mut picture, &self.options);
        self.window.show(&picture)?;
        self.last = Some((picture, shot.frame.index));
        Ok(())
    }

    fn idle(&mut self) -> Result<bool, LiveError> {
        Ok(matches!(self.window.key(1)?, Some('q' | '\u{1b}')))
    }

    /// Writes the picture that is shown, under a name no other file has.
    fn snapshot(&self) -> Result<PathBuf, LiveError> {
        let Some((picture, frame)) = &self.last else { return Ok(self.snapshots.clone()) };
        let numbered = |n: u32| self.snapshots.join(format!("fer-live-{frame:06}-{n}.png"));
        let path = (1..).map(numbered).find(|path| !path.exists()).unwrap_or_else(|| numbered(0));
        save_picture(picture, &path)?;
        Ok(path)
    }
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

#[cfg(feature = "opencv")]
use crate::opencv as window;

#[cfg(not(feature = "opencv"))]
mod window {
    use image::RgbImage;

    use crate::error::LiveError;

    /// This build has no window.
    pub(super) struct Window(std::convert::Infallible);

    impl Window {
        pub(super) fn open(_: &str) -> Result<Self, LiveError> {
            let reason = "this build has no OpenCV and so no window: use --headless, or fer-live serve";
            Err(LiveError::Device { device: "display".to_owned(), reason: reason.to_owned() })
        }

        pub(super) fn show(&mut self, _: &RgbImage) -> Result<(), LiveError> {
            match self.0 {}
        }

        pub(super) fn key(&mut self, _: i32) -> Result<Option<char>, LiveError> {
            match self.0 {}
        }
    }
}
