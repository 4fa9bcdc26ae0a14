//! Stage times and frames per second.
//! In: drawn clips, written as H.264 and read as any video. Out: p50 and p95 per stage, frames per second.
#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use fer_data::Labels;
use fer_live::open::open_input;
use fer_live::source::{DrawnSource, Input, SourceOptions};
use fer_stream::pipeline::{LiveOptions, Shot, Sink, run as run_pipeline};
use fer_stream::record::VideoRecorder;
use fer_stream::{Feed, FrameSource, OverlayOptions, StreamError, draw};

use super::{BenchArgs, percentiles};

pub(super) fn run(args: &BenchArgs) -> anyhow::Result<()> {
    let model = args.model()?;
    println!(
        "size       faces  capture p50/p95  detect p50/p95  classify p50/p95  draw p50/p95  frames/s  found"
    );
    for size in [(640, 480), (1280, 720)] {
        for n_people in [1, 5] {
            let clip = std::env::temp_dir().join(format!(
                "fer-bench-{}-{}-{n_people}.mp4",
                std::process::id(),
                size.0
            ));
            let options =
                SourceOptions { size: Some(size), n_people, ..args.common.source_options(Instant::now()) };
            let analyzer = args.analyzer(&model)?;
            let measured = write_clip(&clip, &options, args.frames).and_then(|()| {
                let source = open_input(&Input::Video(clip.clone()), &options)?;
                let mut sink = SpeedSink::new(model.classifier.labels());
                let stop = Arc::new(AtomicBool::new(false));
                let start = Instant::now();
                run_pipeline(Feed::once(source), LiveOptions::default(), analyzer, &stop, &mut sink)?;
                Ok(sink.row(size, n_people, start.elapsed().as_secs_f64()))
            });
            // The clip is of no use any more; that it may be missing is no news.
            drop(std::fs::remove_file(&clip));
            println!("{}", measured?);
        }
    }
    Ok(())
}

fn write_clip(path: &Path, options: &SourceOptions, n_frames: u64) -> Result<(), StreamError> {
    let mut source = DrawnSource::clip(options, Some(n_frames));
    let mut video = VideoRecorder::create(path)?;
    while let Some(frame) = source.next_frame()? {
        video.record(&frame.picture, frame.timestamp)?;
    }
    video.finish()
}

/// Draws every shot and keeps its times.
struct SpeedSink<'a> {
    labels: &'a Labels,
    times: [Vec<f32>; 4],
    n_found: usize,
}

impl<'a> SpeedSink<'a> {
    fn new(labels: &'a Labels) -> Self {
        Self { labels, times: Default::default(), n_found: 0 }
    }

    fn row(&mut self, size: (u32, u32), n_people: usize, seconds: f64) -> String {
        let n_frames = self.times[0].len();
        let [capture, detect, classify, draw] = self.times.each_mut().map(|times| {
            let (median, tail) = percentiles(times);
            format!("{median:.1} / {tail:.1}")
        });
        let rate = n_frames as f64 / seconds;
        let found = 100.0 * self.n_found as f64 / (n_frames * n_people).max(1) as f64;
        let size = format!("{}×{}", size.0, size.1);
        format!(
            "{size:<10} {n_people:>5}  {capture:>15}  {detect:>14}  {classify:>16}  {draw:>12}  {rate:>8.1}  {found:.1} %"
        )
    }
}

impl Sink for SpeedSink<'_> {
    fn shot(&mut self, shot: Shot) -> Result<ControlFlow<()>, StreamError> {
        let start = Instant::now();
        let mut picture = shot.frame.picture.clone();
        draw(&shot.reading, self.labels, &mut picture, &OverlayOptions::default());
        let draw_ms = start.elapsed().as_secs_f32() * 1000.0;
        let timings = shot.reading.timings;
        for (times, ms) in
            self.times.iter_mut().zip([timings.capture_ms, timings.detect_ms, timings.classify_ms, draw_ms])
        {
            times.push(ms);
        }
        self.n_found += shot.reading.found().count();
        Ok(ControlFlow::Continue(()))
    }

    fn notice(&mut self, _: &str) {}
}
