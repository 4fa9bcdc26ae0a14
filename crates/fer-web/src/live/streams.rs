//! The server's own camera or file, as browsers ask for it.
//! In: requests. Out: annotated pictures as MJPEG, readings as server-sent events.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::header,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::{broadcast, watch};

use super::hub::{Hub, Told};
use crate::{
    app::App,
    problem::{Problem, ProblemKind},
    stop::{Stop, stopped},
};

/// What separates two pictures of the stream.
const BOUNDARY: &str = "fer-frame";

/// Time after which a quiet stream repeats its picture, so that a dead browser is noticed.
const REPEAT: Duration = Duration::from_secs(10);

fn hub(app: &App) -> Result<Arc<Hub>, Problem> {
    app.hub.clone().ok_or_else(|| {
        Problem::new(
            ProblemKind::NotFound,
            "this server has no camera of its own: start it with --input to have one",
        )
    })
}

/// `GET /stream.mjpg`: the annotated pictures.
pub(crate) async fn mjpeg(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let pictures = hub(&app)?.pictures.subscribe();
    let first = stream::once(async { Ok(Bytes::from(format!("--{BOUNDARY}\r\n"))) });
    let parts = first.chain(stream::unfold((pictures, app.stop.clone()), next_part));
    let kind = format!("multipart/x-mixed-replace; boundary={BOUNDARY}");
    Ok(([(header::CONTENT_TYPE, kind)], Body::from_stream(parts)).into_response())
}

type Pictures = (watch::Receiver<Bytes>, Stop);

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
pub(crate) async fn readings(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let hub = hub(&app)?;
    let readings = hub.readings.subscribe();
    let first = hub.notice.borrow().clone();
    let events = stream::unfold((first, readings, app.stop.clone()), next_event);
    Ok(keep_alive(events).into_response())
}

type Events = (Option<Told>, broadcast::Receiver<Told>, Stop);

async fn next_event((first, mut readings, mut stop): Events) -> Option<(Result<Event, Infallible>, Events)> {
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
