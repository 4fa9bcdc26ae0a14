//! `/v1/videos`: a video in, progress, readings and the annotated copy out.
//! In: requests. Out: answers of the shelf, as JSON, in the formats of the records, or as MP4.

use std::sync::{Arc, PoisonError};

use axum::{
    body::{Body, Bytes},
    extract::{Path, Query, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Json, Response},
};
use fer_stream::record::{Format, Recorded};
use fer_vision::{FaceReading, ms};
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{
    shelf::{Status, Video},
    store::{VideoPlace, write_failed},
};
use crate::{
    app::App,
    problem::{Problem, ProblemKind},
    random::random_hex,
    read::analyze_route::announced,
};

/// Characters of a video's name.
const LONGEST_NAME: usize = 200;

/// How a video is uploaded.
#[derive(Deserialize)]
pub(crate) struct UploadQuery {
    name: Option<String>,
    annotated: Option<bool>,
}

/// `POST /v1/videos`: takes a video as the body and puts it on the shelf.
pub(crate) async fn upload(
    State(app): State<Arc<App>>,
    query: Result<Query<UploadQuery>, axum::extract::rejection::QueryRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let Query(query) =
        query.map_err(|rejection| Problem::new(ProblemKind::BadRequest, rejection.body_text()))?;
    let name = query.name.unwrap_or_else(|| "video".into());
    if name.chars().count() > LONGEST_NAME {
        let detail = format!("expected a name of at most {LONGEST_NAME} characters");
        return Err(Problem::new(ProblemKind::BadRequest, detail));
    }
    let announced = announced(request.headers()).unwrap_or(0);
    check_size(announced, &app)?;
    let mut place = app.videos.place()?;
    place.reserve(announced)?;
    save(request.into_body(), &mut place, &app).await?;
    let id = random_hex().map_err(|error| Problem::new(ProblemKind::Failed, error.to_string()))?;
    let status = app.videos.add(Video::new(id, name, place, query.annotated.unwrap_or(false)));
    let location = format!("/v1/videos/{}", status.id);
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], Json(status)).into_response())
}

/// Writes a body to its place, at most as many bytes as allowed, none slower than allowed.
async fn save(body: Body, place: &mut VideoPlace, app: &App) -> Result<(), Problem> {
    let failed = |error: std::io::Error| write_failed(&error);
    let mut file = tokio::fs::File::create(place.original()).await.map_err(failed)?;
    let mut chunks = body.into_data_stream();
    let mut n_bytes = 0;
    loop {
        let chunk = tokio::time::timeout(app.limits.body_time, chunks.next()).await.map_err(|_| {
            let detail = format!("no byte came for {} s", app.limits.body_time.as_secs());
            Problem::new(ProblemKind::TooSlow, detail)
        })?;
        let Some(chunk) = chunk else { break };
        let chunk = chunk
            .map_err(|error| Problem::new(ProblemKind::BadRequest, format!("the body broke off: {error}")))?;
        n_bytes += chunk.len() as u64;
        check_size(n_bytes, app)?;
        place.reserve(n_bytes)?;
        file.write_all(&chunk).await.map_err(failed)?;
    }
    if n_bytes == 0 {
        let detail = "expected a video as the body, found an empty one";
        return Err(Problem::new(ProblemKind::BadRequest, detail));
    }
    file.flush().await.map_err(failed)
}

fn check_size(n_bytes: u64, app: &App) -> Result<(), Problem> {
    if n_bytes <= app.limits.video_bytes {
        return Ok(());
    }
    let detail = format!("expected a video of at most {} MiB", app.limits.video_bytes >> 20);
    Err(Problem::new(ProblemKind::BodyTooLarge, detail))
}

/// `GET /v1/videos/{id}`: how far it is.
pub(crate) async fn status(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<Status>, Problem> {
    app.videos.shelf.status(&id).map(Json)
}

/// `DELETE /v1/videos/{id}`: stops and removes it.
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    app.videos.shelf.remove(&id).map(|()| StatusCode::NO_CONTENT)
}

#[derive(Serialize)]
struct VideoReadings<'a> {
    name: &'a str,
    labels: &'a [String],
    width: u32,
    height: u32,
    frames: Vec<FrameAnswer<'a>>,
}

#[derive(Serialize)]
struct FrameAnswer<'a> {
    frame: u64,
    timestamp_ms: f64,
    faces: &'a [FaceReading],
}

/// `GET /v1/videos/{id}/readings`: all readings as one JSON document.
pub(crate) async fn readings(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (status, readings) = app.videos.shelf.readings(&id)?;
    let readings = readings.lock().unwrap_or_else(PoisonError::into_inner);
    let frames = readings.iter().map(|reading| FrameAnswer {
        frame: reading.frame,
        timestamp_ms: ms(reading.timestamp),
        faces: &reading.faces,
    });
    let answer = VideoReadings {
        name: &status.name,
        labels: app.labels.names(),
        width: status.width,
        height: status.height,
        frames: frames.collect(),
    };
    Ok(Json(answer).into_response())
}

/// `GET /v1/videos/{id}/readings.{format}`: what the program writes, in one of its formats.
pub(crate) async fn readings_as(
    format: Format,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (status, readings) = app.videos.shelf.readings(&id)?;
    let readings = readings.lock().unwrap_or_else(PoisonError::into_inner);
    let mut bytes = Vec::new();
    let mut write = || {
        let mut recorder = (format.begin)(Box::new(&mut bytes), &app.labels)?;
        let entry = |reading| Recorded { input: &status.name, size: (status.width, status.height), reading };
        readings.iter().try_for_each(|reading| recorder.record(&entry(reading)))?;
        recorder.finish()
    };
    write().map_err(|error: std::io::Error| Problem::new(ProblemKind::Failed, error.to_string()))?;
    Ok(download(format.media_type, bytes.into()))
}

/// `GET /v1/videos/{id}/annotated.mp4`: the video with its readings drawn on it.
pub(crate) async fn annotated(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let path = app.videos.shelf.annotated(&id)?;
    let open_failed =
        |error: std::io::Error| Problem::new(ProblemKind::Failed, format!("the annotated video: {error}"));
    let file = tokio::fs::File::open(&path).await.map_err(open_failed)?;
    let n_bytes = file.metadata().await.map_err(open_failed)?.len();
    let chunks = stream::try_unfold(file, |mut file| async move {
        let mut chunk = vec![0; 64 << 10];
        let n = file.read(&mut chunk).await?;
        chunk.truncate(n);
        Ok::<_, std::io::Error>((n > 0).then_some((Bytes::from(chunk), file)))
    });
    let mut response = download("video/mp4", Body::from_stream(chunks));
    response.headers_mut().insert(header::CONTENT_LENGTH, n_bytes.into());
    Ok(response)
}

/// An answer to be saved; it is named by the last part of its address, or by the page.
fn download(kind: &'static str, body: Body) -> Response {
    ([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, "attachment")], body).into_response()
}
