//! `/v1/live`: camera frames of a browser in, readings out.
//! In: binary messages, each a header and a JPEG. Out: one JSON message per frame, in order.
//! Drops old frames and says so.
#![expect(clippy::disallowed_methods, reason = "frames of a browser have the times at which they come")]

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    body::Bytes,
    extract::{
        State, WebSocketUpgrade,
        ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code},
    },
    response::Response,
};
use fer_vision::{Finder, Smoother, VisionError, ms};
use tokio::{
    sync::OwnedSemaphorePermit,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::{MissedTickBehavior, interval},
};

use super::protocol::{HEADER, PROTOCOL, Reply, header};
use crate::{
    app::App,
    problem::{Problem, ProblemKind},
    read::{
        engine::{PictureJob, Seen, Task},
        queue::{Client, Pushed},
    },
    stop::stopped,
};

/// Time a client may take to accept a message before it is given up.
const SEND_TIME: Duration = Duration::from_secs(5);

/// Upgrades to a WebSocket and serves it.
pub(crate) async fn live(State(app): State<Arc<App>>, upgrade: WebSocketUpgrade) -> Response {
    upgrade
        .max_message_size(app.limits.frame_bytes)
        .max_frame_size(app.limits.frame_bytes)
        .on_upgrade(|socket| serve(app, socket))
}

/// Why a connection ends.
enum End {
    /// The client left, stalled, or the connection broke.
    Gone,
    /// The server closes, with a code and a reason.
    Close(u16, &'static str),
}

/// A frame's number and what became of it.
type Numbered = (u32, Result<Seen, Problem>);

/// One browser's state: its faces belong to it alone.
struct Browser {
    client: Client,
    finder: Arc<Mutex<Finder>>,
    smoother: Arc<Mutex<Smoother>>,
    /// Capture time of the first frame, and of the newest, in ms of the client's clock.
    times_ms: Option<(f64, f64)>,
    n_frames: u64,
    n_dropped: u64,
    outcomes: UnboundedSender<Numbered>,
}

async fn serve(app: Arc<App>, mut socket: WebSocket) {
    // Making a finder loads the detector's file: not on a thread that carries messages.
    let starter = app.clone();
    let started = tokio::task::spawn_blocking(move || start(&starter)).await;
    let end = match started.unwrap_or(Err(End::Close(close_code::ERROR, "no face detector"))) {
        Ok((mut browser, outcomes, _place)) => {
            let end = run(&app, &mut socket, &mut browser, outcomes).await;
            // What still waited is read for nobody.
            drop(app.engine.forget(browser.client));
            end
        }
        Err(end) => end,
    };
    if let End::Close(code, reason) = end {
        let frame = CloseFrame { code, reason: Utf8Bytes::from_static(reason) };
        // A client that does not take the goodbye is dropped all the same.
        drop(tokio::time::timeout(SEND_TIME, socket.send(Message::Close(Some(frame)))).await);
    }
}

type Greeted = (Browser, UnboundedReceiver<Numbered>, OwnedSemaphorePermit);

fn start(app: &App) -> Result<Greeted, End> {
    let place = Arc::clone(&app.browsers)
        .try_acquire_owned()
        .map_err(|_| End::Close(close_code::AGAIN, "all places are taken: try again later"))?;
    let finder =
        (app.make_finder)().map_err(|_: VisionError| End::Close(close_code::ERROR, "no face detector"))?;
    let (outcomes, receiver) = unbounded_channel();
    let browser = Browser {
        client: app.new_client(),
        finder: Arc::new(Mutex::new(finder)),
        smoother: Arc::new(Mutex::new(Smoother::new(app.smoothing))),
        times_ms: None,
        n_frames: 0,
        n_dropped: 0,
        outcomes,
    };
    Ok((browser, receiver, place))
}

async fn run(
    app: &App,
    socket: &mut WebSocket,
    browser: &mut Browser,
    mut outcomes: UnboundedReceiver<Numbered>,
) -> End {
    let limits = &app.limits;
    let hello = Reply::Hello {
        protocol: PROTOCOL,
        frames_in_flight: limits.frames_in_flight,
        frame_bytes: limits.frame_bytes,
    };
    if let Err(end) = send(socket, &hello).await {
        return end;
    }
    let mut stop = app.stop.clone();
    let mut ping = interval(limits.ping_time);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = Instant::now();
    loop {
        let step = tokio::select! {
            message = socket.recv() => {
                heard = Instant::now();
                take(app, socket, browser, message).await
            }
            Some((id, outcome)) = outcomes.recv() => tell(socket, browser, id, outcome).await,
            _ = ping.tick() => {
                if heard.elapsed() > limits.ping_time * 3 {
                    return End::Gone;
                }
                send_message(socket, Message::Ping(Bytes::new())).await
            }
            () = stopped(&mut stop) => Err(End::Close(close_code::RESTART, "the server is stopping")),
        };
        if let Err(end) = step {
            return end;
        }
    }
}

/// Takes one message of the client.
async fn take(
    app: &App,
    socket: &mut WebSocket,
    browser: &mut Browser,
    message: Option<Result<Message, axum::Error>>,
) -> Result<(), End> {
    let bytes = match message {
        Some(Ok(Message::Binary(bytes))) => bytes,
        // Pings are answered by the protocol itself; pongs only show that the client lives.
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => return Ok(()),
        Some(Ok(Message::Text(_))) => {
            return Err(End::Close(close_code::UNSUPPORTED, "expected binary frames"));
        }
        Some(Ok(Message::Close(_))) | None => return Err(End::Gone),
        Some(Err(_)) => return Err(End::Close(close_code::SIZE, "the message is too large or broken")),
    };
    let Some((id, capture_ms)) = header(&bytes) else {
        return Err(End::Close(
            close_code::PROTOCOL,
            "expected a frame header of version 1: reload the page",
        ));
    };
    let job = browser.job(id, capture_ms, bytes.slice(HEADER..));
    match app.engine.push(browser.client, job) {
        Pushed::Waiting => Ok(()),
        Pushed::Replaced(older) => {
            older.refuse(dropped());
            Ok(())
        }
        Pushed::Full(_) => {
            browser.n_dropped += 1;
            send(socket, &Reply::Dropped { id, n_dropped: browser.n_dropped }).await
        }
        Pushed::Closed(_) => Err(End::Close(close_code::RESTART, "the server is stopping")),
    }
}

/// Tells the client what became of a frame.
async fn tell(
    socket: &mut WebSocket,
    browser: &mut Browser,
    id: u32,
    outcome: Result<Seen, Problem>,
) -> Result<(), End> {
    let Seen { width, height, reading, times } = match outcome {
        Ok(seen) => seen,
        Err(problem) if problem == dropped() => {
            browser.n_dropped += 1;
            return send(socket, &Reply::Dropped { id, n_dropped: browser.n_dropped }).await;
        }
        Err(problem) => return send(socket, &Reply::Refused { id, problem: problem.to_json() }).await,
    };
    let reply = Reply::Reading {
        id,
        width,
        height,
        timestamp_ms: ms(reading.timestamp),
        faces: &reading.faces,
        n_dropped: browser.n_dropped,
        times,
    };
    send(socket, &reply).await
}

/// The mark of a frame that a newer one replaced; clients get [`Reply::Dropped`], not this.
fn dropped() -> Problem {
    Problem::new(ProblemKind::Busy, "a newer frame came first")
}

impl Browser {
    fn job(&mut self, id: u32, capture_ms: f64, bytes: Bytes) -> PictureJob {
        let index = self.n_frames;
        self.n_frames += 1;
        let outcomes = self.outcomes.clone();
        let answer = Box::new(move |outcome| {
            // A browser that ended needs no answer.
            drop(outcomes.send((id, outcome)));
        });
        let task = Task::Frame {
            finder: self.finder.clone(),
            smoother: self.smoother.clone(),
            timestamp: self.since_first(capture_ms),
            index,
        };
        PictureJob { bytes, task, arrived: Instant::now(), n_before: 0, answer }
    }

    /// Time since the browser's first frame; a client's clock that goes back stands still instead.
    fn since_first(&mut self, capture_ms: f64) -> Duration {
        let (first, newest) = self.times_ms.unwrap_or((capture_ms, capture_ms));
        let newest = newest.max(capture_ms);
        self.times_ms = Some((first, newest));
        Duration::try_from_secs_f64((newest - first) / 1e3).unwrap_or(Duration::ZERO)
    }
}

async fn send(socket: &mut WebSocket, reply: &Reply<'_>) -> Result<(), End> {
    let text = serde_json::to_string(reply).expect("replies hold only JSON values");
    send_message(socket, Message::Text(text.into())).await
}

async fn send_message(socket: &mut WebSocket, message: Message) -> Result<(), End> {
    match tokio::time::timeout(SEND_TIME, socket.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(End::Gone),
    }
}
