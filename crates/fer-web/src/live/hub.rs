//! The server's own camera or file, shown to every browser.
//! In: shots of the pipeline. Out: annotated JPEGs and readings, to whoever subscribed.
//! Encodes only while somebody looks.
#![expect(clippy::disallowed_methods, reason = "a clip is shown at its own pace")]

use std::{
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use axum::body::Bytes;
use fer_base::chain;
use fer_data::Labels;
use fer_stream::{
    OverlayOptions, SourceInfo, StreamError, draw,
    pipeline::{Shot, Sink},
};
use fer_vision::{FaceReading, Reading, Timings, ms};
use image::{RgbImage, codecs::jpeg::JpegEncoder};
use serde::Serialize;
use tokio::sync::{broadcast, watch};

/// JPEG quality of the stream, `1..=100`.
const QUALITY: u8 = 82;

/// Readings a slow browser may lag behind before it misses some.
const BACKLOG: usize = 64;

/// One event of the readings, already JSON.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) name: &'static str,
    pub(crate) json: Arc<str>,
}

/// Shows one source to all browsers.
pub(crate) struct Hub {
    info: SourceInfo,
    labels: Labels,
    pub(crate) pictures: watch::Sender<Bytes>,
    pub(crate) readings: broadcast::Sender<Told>,
    /// The last thing said about the source, for browsers that come later.
    pub(crate) notice: watch::Sender<Option<Told>>,
    stop: Arc<AtomicBool>,
}

#[derive(Serialize)]
struct ReadingEvent<'a> {
    frame: u64,
    timestamp_ms: f64,
    width: u32,
    height: u32,
    faces: &'a [FaceReading],
    timings: Timings,
    n_dropped: u64,
    latency_ms: f32,
}

#[derive(Serialize)]
struct NoticeEvent<'a> {
    text: &'a str,
    ended: bool,
}

impl Hub {
    /// A hub for a source, not yet fed.
    #[must_use]
    pub(crate) fn new(info: SourceInfo, labels: Labels, stop: Arc<AtomicBool>) -> Self {
        let (readings, _) = broadcast::channel(BACKLOG);
        let (pictures, _) = watch::channel(Bytes::new());
        let (notice, _) = watch::channel(None);
        Self { info, labels, pictures, readings, notice, stop }
    }

    /// Tells every browser that the source has ended, and why.
    pub(crate) fn end(&self, result: &Result<(), StreamError>) {
        let text =
            result.as_ref().map_or_else(|error| chain(error), |()| format!("{} has ended", self.info.name));
        self.say(&text, true);
    }

    fn say(&self, text: &str, ended: bool) {
        let told = event("notice", &NoticeEvent { text, ended });
        self.notice.send_replace(Some(told.clone()));
        self.send(told);
    }

    fn send(&self, told: Told) {
        // Nobody listening is not an error.
        drop(self.readings.send(told));
    }

    fn show(&self, shot: &Shot) {
        let Shot { frame, reading, captured } = shot;
        if self.readings.receiver_count() > 0 {
            let (width, height) = frame.picture.dimensions();
            self.send(event("reading", &reading_event(reading, (width, height), captured.elapsed())));
        }
        if self.pictures.receiver_count() > 0 {
            let mut picture = frame.picture.clone();
            draw(reading, &self.labels, &mut picture, &OverlayOptions::default());
            self.pictures.send_replace(encode(&picture));
        }
    }
}

fn reading_event(reading: &Reading, (width, height): (u32, u32), latency: Duration) -> ReadingEvent<'_> {
    ReadingEvent {
        frame: reading.frame,
        timestamp_ms: ms(reading.timestamp),
        width,
        height,
        faces: &reading.faces,
        timings: reading.timings,
        n_dropped: reading.n_dropped,
        latency_ms: latency.as_secs_f32() * 1e3,
    }
}

fn event(name: &'static str, event: &impl Serialize) -> Told {
    let json = serde_json::to_string(event).expect("events hold only JSON values");
    Told { name, json: json.into() }
}

fn encode(picture: &RgbImage) -> Bytes {
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY).encode_image(picture).expect("memory takes all");
    jpeg.into()
}

/// Feeds a hub from the pipeline; a file is played at its own speed.
pub(crate) struct HubSink {
    hub: Arc<Hub>,
    started: Option<(Instant, Duration)>,
}

impl HubSink {
    /// A sink that has seen nothing.
    #[must_use]
    pub(crate) fn new(hub: Arc<Hub>) -> Self {
        Self { hub, started: None }
    }

    /// Waits until a file's frame is due.
    fn wait(&mut self, timestamp: Duration) {
        let (started, first) = *self.started.get_or_insert_with(|| (Instant::now(), timestamp));
        let due = started + timestamp.saturating_sub(first);
        while let Some(left) = due.checked_duration_since(Instant::now())
            && !left.is_zero()
            && !self.hub.stop.load(Ordering::Relaxed)
        {
            std::thread::sleep(left.min(Duration::from_millis(50)));
        }
    }
}

impl Sink for HubSink {
    fn shot(&mut self, shot: Shot) -> Result<ControlFlow<()>, StreamError> {
        if !self.hub.info.live {
            self.wait(shot.frame.timestamp);
        }
        self.hub.show(&shot);
        Ok(ControlFlow::Continue(()))
    }

    fn notice(&mut self, text: &str) {
        self.hub.say(text, false);
    }
}
