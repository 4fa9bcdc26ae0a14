//! The server's own camera or file, shown to every browser.
//! In: shots of the pipeline. Out: annotated pictures as MJPEG, readings as server-sent events.
//! Encodes only while somebody looks.

use std::{
    convert::Infallible,
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::header,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use fer_data::Labels;
use futures_util::{Stream, StreamExt, stream};
use image::{RgbImage, codecs::jpeg::JpegEncoder};
use serde::Serialize;
use tokio::sync::{broadcast, watch};

use super::{
    problem::{Kind, Problem},
    state::{App, stopped},
};
use crate::{
    error::LiveError,
    frame::SourceInfo,
    overlay::{OverlayOptions, draw},
    pipeline::{Shot, Sink},
    reading::{FaceReading, Reading, Timings, ms},
};

/// JPEG quality of the stream, `1..=100`.
const QUALITY: u8 = 82;

/// Readings a slow browser may lag behind before it misses some.
const BACKLOG: usize = 64;

/// What separates two pictures of the stream.
const BOUNDARY: &str = "fer-frame";

/// Time after which a quiet stream repeats its picture, so that a dead browser is noticed.
const REPEAT: Duration = Duration::from_secs(10);

/// One event of the readings, already JSON.
#[derive(Clone, Debug)]
struct Told {
    name: &'static str,
    json: Arc<str>,
}

/// Shows one source to all browsers.
pub(super) struct Hub {
    info: SourceInfo,
    labels: Labels,
    pictures: watch::Sender<Bytes>,
    readings: broadcast::Sender<Told>,
    /// The last thing said about the source, for browsers that come later.
    notice: watch::Sender<Option<Told>>,
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
    pub(super) fn new(info: SourceInfo, labels: Labels, stop: Arc<AtomicBool>) -> Self {
        let (readings, _) = broadcast::channel(BACKLOG);
        let (pictures, _) = watch::channel(Bytes::new());
        let (notice, _) = watch::channel(None);
        Self { info, labels, pictures, readings, notice, stop }
    }

    /// Tells every browser that the source has ended, and why.
    pub(super) fn end(&self, result: &Result<(), LiveError>) {
        let text =
            result.as_ref().map_or_else(ToString::to_string, |()| format!("{} has ended", self.info.name));
        self.say(&text, true);
    }

    fn say(&self, text: &str, ended: bool) {
        let told = told("notice", &NoticeEvent { text, ended });
        self.notice.send_replace(Some(told.clone()));
        self.send(told);
    }

    fn send(&self, told: Told) {
        // Nobody listening is not an error.
        let _unheard = self.readings.send(told);
    }

    fn show(&self, shot: &Shot) {
        let Shot { frame, reading, captured } = shot;
        if self.readings.receiver_count() > 0 {
            let (width, height) = frame.picture.dimensions();
            self.send(told("reading", &reading_event(reading, (width, height), captured.elapsed())));
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

fn told(name: &'static str, event: &impl Serialize) -> Told {
    let json = serde_json::to_string(event).expect("events hold only JSON values");
    Told { name, json: json.into() }
}

fn encode(picture: &RgbImage) -> Bytes {
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY).encode_image(picture).expect("memory takes all");
    jpeg.into()
}

/// Feeds a hub from the pipeline; a file is played at its own speed.
pub(super) struct HubSink {
    hub: Arc<Hub>,
    started: Option<(Instant, Duration)>,
}

impl HubSink {
    /// A sink that has seen nothing.
    #[must_use]
    pub(super) fn new(hub: Arc<Hub>) -> Self {
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
    fn shot(&mut self, shot: Shot) -> Result<ControlFlow<()>, LiveError> {
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

fn hub(app: &App) -> Result<Arc<Hub>, Problem> {
    app.source.clone().ok_or_else(|| {
        Problem::new(
            Kind::NotFound,
            "this server has no camera of its own: start it with --input to have one",
        )
    })
}

/// `GET /stream.mjpg`: the annotated pictures.
pub(super) async fn mjpeg(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let pictures = hub(&app)?.pictures.subscribe();
    let first = stream::once(async { Ok(Bytes::from(format!("--{BOUNDARY}\r\n"))) });
    let parts = first.chain(stream::unfold((pictures, app.stop.clone()), next_part));
    let kind = format!("multipart/x-mixed-replace; boundary={BOUNDARY}");
    Ok(([(header::CONTENT_TYPE, kind)], Body::from_stream(parts)).into_response())
}

type Pictures = (watch::Receiver<Bytes>, watch::Receiver<bool>);

async fn next_part((mut pictures, mut stop): Pictures) -> Option<(Result<Bytes, Infallible>, Pictures)> {
    loop {
        let changed = tokio::select! {
            changed = tokio::time::timeout(REPEAT, pictures.changed()) => changed,
            () = stopped(&mut stop) => return None,
        };
        if matches!(changed, Ok(Err(_))) {
            return None;
        }
        let jpeg = pictures.borrow_and_update().clone();
        if !jpeg.is_empty() {
            return Some((Ok(part(&jpeg)), (pictures, stop)));
        }
    }
}

/// One picture with the boundary that ends it: browsers show a picture only when they see that.
fn part(jpeg: &[u8]) -> Bytes {
    let mut part = format!("content-type: image/jpeg\r\ncontent-length: {}\r\n\r\n", jpeg.len()).into_bytes();
    part.extend_from_slice(jpeg);
    part.extend_from_slice(format!("\r\n--{BOUNDARY}\r\n").as_bytes());
    part.into()
}

/// `GET /v1/readings`: the readings of the source as server-sent events `reading` and `notice`.
pub(super) async fn readings(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let hub = hub(&app)?;
    let readings = hub.readings.subscribe();
    let first = hub.notice.borrow().clone();
    let events = stream::unfold((first, readings, app.stop.clone()), next_event);
    Ok(keep_alive(events).into_response())
}

type Readings = (Option<Told>, broadcast::Receiver<Told>, watch::Receiver<bool>);

async fn next_event(
    (first, mut readings, mut stop): Readings,
) -> Option<(Result<Event, Infallible>, Readings)> {
    if let Some(told) = first {
        return Some((Ok(event(&told)), (None, readings, stop)));
    }
    let received = tokio::select! {
        received = readings.recv() => received,
        () = stopped(&mut stop) => return None,
    };
    let event = match received {
        Ok(told) => event(&told),
        Err(broadcast::error::RecvError::Lagged(n)) => Event::default().event("missed").data(n.to_string()),
        Err(broadcast::error::RecvError::Closed) => return None,
    };
    Some((Ok(event), (None, readings, stop)))
}

fn event(told: &Told) -> Event {
    Event::default().event(told.name).data(&*told.json)
}

fn keep_alive<S: Stream<Item = Result<Event, Infallible>> + Send + 'static>(
    events: S,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(10)))
}
