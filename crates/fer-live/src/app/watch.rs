//! Reading a source until it ends: window, records, progress.
//! In: the command line. Out: what was asked for; a summary.

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::dump::Dump;
use super::meter::Meter;
use super::outputs::{self, Outputs};
use super::screen::{Keys, Screen};
use super::{Outcome, Streams, photos, prepare};
use crate::classify::Classify;
use crate::cli::WatchArgs;
use crate::error::LiveError;
use crate::frame::SourceInfo;
use crate::pipeline::{LiveOptions, Shot, Sink, run as run_pipeline};
use crate::source::Input;

/// Reads what the command line asks for.
pub(super) fn run(
    args: &WatchArgs,
    stop: &Arc<AtomicBool>,
    streams: &mut Streams<'_>,
) -> Result<Outcome, LiveError> {
    let input = prepare::choose_input(&args.common, args.quiet, streams)?;
    outputs::refuse_overlaps(args, &input)?;
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
    let screen = if args.headless { None } else { Some(Screen::open(args, classifier.labels())?) };
    let stages = prepare::stages(&args.common, Arc::clone(&classifier))?;
    let opened = prepare::open(&input, &args.common)?;
    let info = opened.source.info();
    let outputs = Outputs::create(args, classifier.labels())?;
    let progress = progress(args, &info);
    let meter = Meter::new(Instant::now());
    let mut sink = WatchSink { args, info, outputs, screen, progress, meter, stop, streams };
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
            let keys = screen.show(shot, status, self.stop)?;
            if self.obey(keys).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        let enough = self.args.frames.is_some_and(|n_frames| self.meter.n_shots() >= n_frames)
            || self.outputs.reader_has_left();
        Ok(if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    fn notice(&mut self, text: &str) {
        let Self { progress, streams, .. } = self;
        progress.suspend(|| streams.notice(text));
    }

    fn idle(&mut self) -> Result<ControlFlow<()>, LiveError> {
        let Some(screen) = &mut self.screen else { return Ok(ControlFlow::Continue(())) };
        let keys = screen.idle(self.stop)?;
        Ok(self.obey(keys))
    }
}

impl WatchSink<'_, '_> {
    fn obey(&mut self, keys: Keys) -> ControlFlow<()> {
        for snapshot in keys.snapshots {
            self.notice(&format!("wrote {}", snapshot.display()));
        }
        if keys.quit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn finish(&mut self) -> Result<(), LiveError> {
        self.progress.finish_and_clear();
        let finished = self.outputs.finish();
        if !self.args.quiet {
            self.streams.notice(&self.meter.summary(Instant::now()));
        }
        finished
    }
}
