//! `POST /v1/analyze`: pictures in, faces with probabilities out.
//! In: one picture as the body, or several as multipart/form-data. Out: JSON or CSV.

use std::{collections::BTreeMap, net::IpAddr, sync::Arc, time::Duration};

use axum::{
    Extension,
    body::{Body, Bytes},
    extract::{FromRequest, Multipart, Request, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Json, Response},
};
use fer_data::Labels;
use fer_stream::record::{FORMATS, Format, Recorded, Suits};
use fer_vision::{FaceBox, FaceReading, Reading, Timings};
use futures_util::{StreamExt, stream};
use serde::Serialize;

use super::{
    body::BodyBytes,
    engine::{Seen, Times},
    room::Room,
    senders::Sender,
};
use crate::{
    app::App,
    problem::{Problem, ProblemKind},
};

/// Pictures of one request that are read side by side; more would let one request fill the queue.
const SIDE_BY_SIDE: usize = 4;

/// Name of every part of a form with pictures.
const PART: &str = "picture";

/// The answer.
#[derive(Serialize)]
struct Analysis<'a> {
    labels: &'a [String],
    pictures: Vec<PictureAnswer>,
}

/// One picture of the answer: its faces, or why it could not be read.
#[derive(Serialize)]
#[serde(untagged)]
enum PictureAnswer {
    Read { name: Option<String>, width: u32, height: u32, faces: Vec<FaceAnswer>, times: Times },
    Refused { name: Option<String>, problem: serde_json::Value },
}

#[derive(Serialize)]
struct FaceAnswer {
    #[serde(rename = "box")]
    face_box: FaceBox,
    label: Option<String>,
    confidence: f32,
    probabilities: BTreeMap<String, f32>,
}

/// A picture as it came.
struct Upload {
    name: Option<String>,
    bytes: Bytes,
}

/// The pictures of a request, and the memory they take.
type Uploads = (Vec<Upload>, Room);

/// Reads the pictures of a request.
pub(crate) async fn analyze(
    State(app): State<Arc<App>>,
    Extension(Sender(sender)): Extension<Sender>,
    request: Request,
) -> Result<Response, Problem> {
    let wanted = wanted_format(request.headers());
    if announced(request.headers()).is_some_and(|n_bytes| n_bytes > app.limits.body_bytes as u64) {
        return Err(too_large(app.limits.body_bytes));
    }
    let is_batch = is_multipart(request.headers());
    let (uploads, _room) = in_time(app.limits.body_time, uploads(&app, request, is_batch)).await?;
    let done = read_all(&app, sender, uploads).await;
    if !is_batch && let [(_, Err(problem))] = done.as_slice() {
        return Err(problem.clone());
    }
    // When nothing at all was read for lack of a place, the request as a whole may be tried again.
    if let Some((_, Err(first))) = done.first()
        && done.iter().all(|(_, picture)| picture.as_ref().is_err_and(|p| p.kind == first.kind))
        && matches!(first.kind, ProblemKind::Busy | ProblemKind::Stopping)
    {
        return Err(first.clone());
    }
    match wanted {
        Some(format) => as_rows(&format, &app.labels, &done),
        None => Ok(as_json(&app.labels, done)),
    }
}

type Named = (Option<String>, Result<Seen, Problem>);

async fn read_all(app: &App, sender: IpAddr, uploads: Vec<Upload>) -> Vec<Named> {
    let reads = uploads.into_iter().map(|upload| async move {
        let seen = app.read_photo(sender, upload.bytes).await;
        (upload.name, seen)
    });
    stream::iter(reads).buffered(SIDE_BY_SIDE).collect().await
}

async fn uploads(app: &App, request: Request, is_batch: bool) -> Result<Uploads, Problem> {
    let mut room = app.rooms.enter();
    if is_batch {
        return Ok((batch(app, request, &mut room).await?, room));
    }
    let bytes = body(request.into_body(), app.limits.body_bytes, &mut room).await?;
    if bytes.is_empty() {
        return Err(Problem::new(
            ProblemKind::BadRequest,
            "expected a picture as the body, found an empty one",
        ));
    }
    Ok((vec![Upload { name: None, bytes }], room))
}

async fn batch(app: &App, request: Request, room: &mut Room) -> Result<Vec<Upload>, Problem> {
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|rejection| Problem::new(ProblemKind::BadRequest, rejection.body_text()))?;
    let mut uploads = Vec::new();
    let mut n_bytes = 0;
    while let Some(mut field) = form.next_field().await.map_err(|error| broken_form(app, &error))? {
        if uploads.len() == app.limits.pictures {
            let detail = format!("expected at most {} pictures in one request", app.limits.pictures);
            return Err(Problem::new(ProblemKind::BadRequest, detail));
        }
        if field.name() != Some(PART) {
            let found = field.name().unwrap_or_default();
            return Err(Problem::new(
                ProblemKind::BadRequest,
                format!("expected parts named {PART}, found one named {found}"),
            ));
        }
        let name = field.file_name().map(str::to_owned);
        let mut bytes = BodyBytes::default();
        while let Some(chunk) = field.chunk().await.map_err(|error| broken_form(app, &error))? {
            n_bytes += chunk.len();
            if n_bytes > app.limits.body_bytes {
                return Err(too_large(app.limits.body_bytes));
            }
            room.grow(chunk.len())?;
            bytes.push(&chunk)?;
        }
        uploads.push(Upload { name, bytes: bytes.freeze() });
    }
    if uploads.is_empty() {
        return Err(Problem::new(
            ProblemKind::BadRequest,
            "expected at least one picture in the form, found none",
        ));
    }
    Ok(uploads)
}

fn broken_form(app: &App, error: &axum::extract::multipart::MultipartError) -> Problem {
    if error.status() == ProblemKind::BodyTooLarge.status() {
        too_large(app.limits.body_bytes)
    } else {
        Problem::new(ProblemKind::BadRequest, error.body_text())
    }
}

/// The whole body, at most `max_bytes`.
async fn body(body: Body, max_bytes: usize, room: &mut Room) -> Result<Bytes, Problem> {
    let mut chunks = body.into_data_stream();
    let mut bytes = BodyBytes::default();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk
            .map_err(|error| Problem::new(ProblemKind::BadRequest, format!("the body broke off: {error}")))?;
        if bytes.len() + chunk.len() > max_bytes {
            return Err(too_large(max_bytes));
        }
        room.grow(chunk.len())?;
        bytes.push(&chunk)?;
    }
    Ok(bytes.freeze())
}

fn too_large(max_bytes: usize) -> Problem {
    let detail =
        format!("expected at most {} MiB in one request: send fewer or smaller pictures", max_bytes >> 20);
    Problem::new(ProblemKind::BodyTooLarge, detail)
}

/// A value, or [`ProblemKind::TooSlow`] when it takes longer than `limit`.
async fn in_time<T>(limit: Duration, work: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
        let detail = format!("expected the whole body within {} s", limit.as_secs());
        Err(Problem::new(ProblemKind::TooSlow, detail))
    })
}

fn is_multipart(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("multipart/form-data"))
}

/// The format of readings that is asked for before all others, if one is; else the answer is the JSON of this address.
fn wanted_format(headers: &HeaderMap) -> Option<Format> {
    let accept = headers.get(header::ACCEPT)?.to_str().ok()?.trim_start().to_ascii_lowercase();
    let asked =
        |format: &Format| format.media_type.split(';').next().is_some_and(|kind| accept.starts_with(kind));
    FORMATS.into_iter().filter(|format| format.suits == Suits::Everything).find(asked)
}

/// How many bytes of body the request says it has.
pub(crate) fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn as_json(labels: &Labels, done: Vec<Named>) -> Response {
    let pictures = done.into_iter().map(|(name, picture)| match picture {
        Ok(Seen { width, height, reading, times }) => {
            let faces = reading.faces.iter().map(|face| face_answer(labels, face)).collect();
            PictureAnswer::Read { name, width, height, faces, times }
        }
        Err(problem) => PictureAnswer::Refused { name, problem: problem.to_json() },
    });
    Json(Analysis { labels: labels.names(), pictures: pictures.collect() }).into_response()
}

fn face_answer(labels: &Labels, face: &FaceReading) -> FaceAnswer {
    FaceAnswer {
        face_box: face.face_box,
        label: face.label.map(|label| labels.name(label).to_owned()),
        confidence: face.confidence,
        probabilities: labels.names().iter().cloned().zip(face.probabilities.iter().copied()).collect(),
    }
}

/// One row per face as the recorder writes them; a picture that could not be read is a row without a face.
fn as_rows(format: &Format, labels: &Labels, done: &[Named]) -> Result<Response, Problem> {
    let mut text = Vec::new();
    let nothing = Reading {
        frame: 0,
        timestamp: Duration::ZERO,
        faces: Vec::new(),
        timings: Timings::default(),
        n_dropped: 0,
    };
    let mut write = || {
        let mut recorder = (format.begin)(Box::new(&mut text), labels)?;
        for (idx, (name, picture)) in done.iter().enumerate() {
            let name = name.clone().unwrap_or_else(|| format!("picture {idx}"));
            let (size, reading) = picture
                .as_ref()
                .map_or(((0, 0), &nothing), |seen| ((seen.width, seen.height), &seen.reading));
            recorder.record(&Recorded { input: &name, size, reading })?;
        }
        recorder.finish()
    };
    write().map_err(|error: std::io::Error| Problem::new(ProblemKind::Failed, error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, format.media_type)], text).into_response())
}
