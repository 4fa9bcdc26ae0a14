//! Reading a source until it ends: window, records, progress.
//! In: the command line. Out: what was asked for; a summary.
#![expect(clippy::disallowed_methods, reason = "a program that shows what happens reads the clock")]

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use fer_stream::pipeline::{LiveOptions, Shot, Sink, run as run_pipeline};
use fer_stream::record::Suits;
use fer_stream::{SourceInfo, StreamError};
use fer_vision::Classify;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::dump::Dump;
use super::meter::Meter;
use super::output_files::{self, Records};
use super::screen::pace::Pace;
use super::screen::{Keys, Screen};
use super::{Ended, Streams, many, photo_readings, prepare};
use crate::cli::WatchArgs;
use crate::error::LiveError;
use crate::open::open_feed;
use crate::source::Input;

/// Reads what the command line asks for.
pub(super) fn run(
    args: &WatchArgs,
    stop: &Arc<AtomicBool>,
    streams: &mut Streams<'_>,
) -> Result<Ended, LiveError> {
    let input = prepare::choose_input(&args.common, args.quiet, streams)?;
    refuse_beside_out(args)?;
    output_files::refuse_overlaps(args, &input)?;
    let model = crate::model::load(args.common.model.as_deref(), args.common.device)?;
    let crop_factor = model.crop_factor();
    let classifier = with_dump(args, model.classifier)?;
    let labels = classifier.labels().clone();
    let ended = |stop: &AtomicBool| {
        if stop.load(Ordering::Relaxed) { Ended::Interrupted } else { Ended::Done }
    };
    let detector = args.common.detector.options();
    if let Input::Photos(paths) = &input {
        let detector = detector.photo(classifier.face_threshold() > 0.0);
        let analyzer = prepare::analyzer(&args.common, &detector, classifier, crop_factor)?;
        if let Some(part) = &args.out {
            return many::run(args, part, paths, analyzer, &labels, stop, streams);
        }
        photo_readings::run(args, paths, analyzer, &labels, stop, streams)?;
        return Ok(ended(stop));
    }
    refuse_photo_options(args, &input)?;
    let screen = if args.headless { None } else { Some(Screen::open(args, &labels)?) };
    let analyzer = prepare::analyzer(&args.common, &detector, classifier, crop_factor)?;
    let feed = open_feed(&input, args.common.source_options(Instant::now()))?;
    let info = feed.source.info();
    let records = Records::create(args, &labels)?;
    let progress = progress(args, &info);
    let meter = Meter::new(Instant::now());
    let pace = Pace::default();
    let mut sink = WatchSink { args, info, records, screen, progress, meter, pace, stop, streams };
    let result = run_pipeline(feed, LiveOptions::default(), analyzer, stop, &mut sink);
    let finished = sink.finish();
    result.and(finished)?;
    Ok(ended(stop))
}

fn with_dump(args: &WatchArgs, classifier: Arc<dyn Classify>) -> Result<Arc<dyn Classify>, LiveError> {
    match &args.dump_inputs {
        Some(folder) => Ok(Arc::new(Dump::new(classifier, folder.clone())?)),
        None => Ok(classifier),
    }
}

/// A part holds all there is to write of many photos.
fn refuse_beside_out(args: &WatchArgs) -> Result<(), LiveError> {
    let Some(out) = &args.out else { return Ok(()) };
    if !out.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv")) {
        let shown = out.display();
        return Err(LiveError::Config(format!("--out {shown}: expected a name that ends in .csv")));
    }
    let record = args.records.files.first().map(|(format, _)| format!("--{}", format.ending));
    let picture = args.save_picture.as_ref().map(|_| "--save-picture".to_owned());
    let video = args.save_video.as_ref().map(|_| "--save-video".to_owned());
    match record.or(picture).or(video) {
        Some(other) => Err(LiveError::Config(format!("--out and {other}: expected one of them"))),
        None => Ok(()),
    }
}

fn refuse_photo_options(args: &WatchArgs, input: &Input) -> Result<(), LiveError> {
    let of_photos = args.records.files.iter().find(|(format, _)| format.suits == Suits::Photos);
    let option = match of_photos {
        Some((format, _)) => format!("--{}", format.ending),
        None if args.save_picture.is_some() => "--save-picture".to_owned(),
        None if args.out.is_some() => "--out".to_owned(),
        None => return Ok(()),
    };
    let instead = "for videos and cameras use --jsonl, --csv and --save-video";
    Err(LiveError::Config(format!("{option} is for photos, {input} is none: {instead}")))
}

/// Pictures are written, sound is not: how to have both.
fn without_sound(video: &Path, source: &str) -> String {
    let video = video.display();
    format!(
        "{video} has no sound; to add the source's, if it has any: \
         ffmpeg -i {video} -i {source} -map 0:v -map '1:a?' -c copy with-sound.mp4"
    )
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
    records: Records,
    screen: Option<Screen>,
    progress: ProgressBar,
    meter: Meter,
    pace: Pace,
    stop: &'a AtomicBool,
    streams: &'a mut Streams<'b>,
}

impl Sink for WatchSink<'_, '_> {
    fn shot(&mut self, shot: Shot) -> Result<ControlFlow<()>, StreamError> {
        self.records.shot(&self.info.name, &shot)?;
        self.meter.count(Instant::now(), shot.reading.found().count(), shot.reading.n_dropped);
        self.progress.inc(1);
        if self.wait_until_due(shot.frame.timestamp)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        if let Some(screen) = &mut self.screen {
            let latency = self.info.live.then(|| shot.captured.elapsed());
            let status = self.meter.line(latency);
            let keys = screen.show(shot, status, self.stop)?;
            if self.obey(keys).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        let enough = self.args.frames.is_some_and(|n_frames| self.meter.n_shots() >= n_frames)
            || self.records.reader_has_left();
        Ok(if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    fn notice(&mut self, text: &str) {
        let Self { progress, streams, .. } = self;
        progress.suspend(|| streams.notice(text));
    }

    fn idle(&mut self) -> Result<ControlFlow<()>, StreamError> {
        let Some(screen) = &mut self.screen else { return Ok(ControlFlow::Continue(())) };
        let keys = screen.idle(self.stop)?;
        Ok(self.obey(keys))
    }
}

impl WatchSink<'_, '_> {
    /// In a window a recording keeps its pace, unless told otherwise; keys are answered meanwhile.
    fn wait_until_due(&mut self, timestamp: Duration) -> Result<ControlFlow<()>, StreamError> {
        if self.screen.is_none() || self.info.live || self.args.fast {
            return Ok(ControlFlow::Continue(()));
        }
        let due = self.pace.due(timestamp, Instant::now());
        while Instant::now() < due && !self.stop.load(Ordering::Relaxed) {
            if self.idle()?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn obey(&mut self, keys: Keys) -> ControlFlow<()> {
        for snapshot in keys.snapshots {
            self.notice(&format!("wrote {}", snapshot.display()));
        }
        if keys.quit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn finish(&mut self) -> Result<(), StreamError> {
        self.progress.finish_and_clear();
        let finished = self.records.finish();
        if let (Some(video), false) = (&self.args.save_video, self.args.quiet || self.info.live) {
            self.streams.notice(&without_sound(video, &self.info.name));
        }
        if !self.args.quiet {
            self.streams.notice(&self.meter.summary(Instant::now()));
        }
        finished
    }
}
