//! Memory over many frames: what grows without end would show.
//! In: a drawn clip, repeated. Out: resident memory along the way.
#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use fer_drawn::Scene;
use fer_stream::pipeline::{LiveOptions, Shot, Sink, run as run_pipeline};
use fer_stream::record::{FORMATS, Recorded, Recorder};
use fer_stream::{Feed, FrameSource, SourceInfo, StreamError};
use fer_vision::Frame;
use image::RgbImage;

use super::{BenchArgs, RATE, time_of};

/// Frames until allocators and caches have settled.
const WARM_UP: u64 = 600;

pub(super) fn run(args: &BenchArgs) -> anyhow::Result<()> {
    let model = args.model()?;
    let analyzer = args.analyzer(&model)?;
    let (width, height) = args.common.size.unwrap_or((640, 480));
    let scene = Scene::new(args.common.seed, usize::from(args.common.people), width, height);
    let frame = |index| scene.frame(time_of(index));
    let source = Repeated { frames: (0..150).map(frame).collect(), index: 0, n_frames: args.frames };
    let recorder = (FORMATS[0].begin)(Box::new(std::io::sink()), model.classifier.labels())?;
    let mut sink = MemorySink { recorder, n_shots: 0, first: None, every: (args.frames / 10).max(1) };
    let start = Instant::now();
    let stop = Arc::new(AtomicBool::new(false));
    run_pipeline(Feed::once(Box::new(source)), LiveOptions::default(), analyzer, &stop, &mut sink)?;
    let first = sink.first.unwrap_or(0.0);
    let grown = resident_mib().unwrap_or(0.0) - first;
    let seconds = start.elapsed().as_secs_f64();
    println!("{} frames in {seconds:.0} s: grown by {grown:.1} MiB after the first {WARM_UP}", args.frames);
    Ok(())
}

/// The same frames again and again, with times that go on.
struct Repeated {
    frames: Vec<RgbImage>,
    index: u64,
    n_frames: u64,
}

impl FrameSource for Repeated {
    fn info(&self) -> SourceInfo {
        SourceInfo {
            name: "drawn".to_owned(),
            live: false,
            width: 0,
            height: 0,
            frames_per_second: RATE,
            n_frames: Some(self.n_frames),
        }
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, StreamError> {
        if self.index >= self.n_frames {
            return Ok(None);
        }
        let index = self.index;
        self.index += 1;
        // Forwards, then backwards, so that faces never jump.
        let round = self.frames.len() as u64;
        let at = index % (2 * round);
        let picture = self.frames[at.min(2 * round - 1 - at) as usize].clone();
        Ok(Some(Frame { picture, timestamp: time_of(index), index }))
    }
}

struct MemorySink {
    recorder: Box<dyn Recorder>,
    n_shots: u64,
    first: Option<f64>,
    every: u64,
}

impl Sink for MemorySink {
    fn shot(&mut self, shot: Shot) -> Result<ControlFlow<()>, StreamError> {
        let entry =
            Recorded { input: "drawn", size: shot.frame.picture.dimensions(), reading: &shot.reading };
        self.recorder
            .record(&entry)
            .map_err(|error| StreamError::write_for("nowhere", "not written", error))?;
        self.n_shots += 1;
        if self.n_shots == WARM_UP {
            self.first = resident_mib();
        }
        if self.n_shots.is_multiple_of(self.every) {
            let resident = resident_mib().unwrap_or(0.0);
            println!("{:>8} frames  {resident:.1} MiB", self.n_shots);
        }
        Ok(ControlFlow::Continue(()))
    }

    fn notice(&mut self, _: &str) {}
}

/// Memory the process holds, in MiB, where the system tells it.
fn resident_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024.0)
}
