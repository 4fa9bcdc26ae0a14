//! `/v1/videos`: a video in, progress, readings and the annotated copy out.
//! In: requests. Out: answers of the shelf, as JSON, CSV, JSON Lines or MP4.

use std::sync::{Arc, PoisonError};

use axum::{
    body::{Body, Bytes},
    extract::{Path, Query, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Json, Response},
};
use fer_data::Labels;
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{
    problem::{Kind, Problem},
    security,
    state::App,
    videos::Status,
};
use crate::{
    error::LiveError,
    reading::{FaceReading, Reading, ms},
    record::{CsvRecorder, JsonlRecorder},
};

/// Characters of a video's name.
const LONGEST_NAME: usize = 200;

/// How a video is uploaded.
#[derive(Deserialize)]
pub(super) struct UploadQuery {
    name: Option<String>,
    annotated: Option<bool>,
}

/// `POST /v1/videos`: takes a video as the body and puts it on the shelf.
pub(super) async fn upload(
    State(app): State<Arc<App>>,
    query: Result<Query<UploadQuery>, axum::extract::rejection::QueryRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let Query(query) = query.map_err(|rejection| Problem::new(Kind::BadRequest, rejection.body_text()))?;
    let name = query.name.unwrap_or_else(|| "video".into());
    if name.chars().count() > LONGEST_NAME {
        let detail = format!("expected a name of at most {LONGEST_NAME} characters");
        return Err(Problem::new(Kind::BadRequest, detail));
    }
    let (folder, path) = app.videos.folder()?;
    save(request.into_body(), &path, &app).await?;
    let id = security::random_hex().map_err(|error| Problem::new(Kind::Failed, error.to_string()))?;
    let status = app.videos.add(id, name, folder, query.annotated.unwrap_or(false));
    let location = format!("/v1/videos/{}", status.id);
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], Json(status)).into_response())
}

/// Writes a body to a file, at most as many bytes as allowed, none slower than allowed.
async fn save(body: Body, path: &std::path::Path, app: &App) -> Result<(), Problem> {
    let write_failed =
        |error: std::io::Error| Problem::new(Kind::Failed, format!("keeping the video: {error}"));
    let mut file = tokio::fs::File::create(path).await.map_err(write_failed)?;
    let mut chunks = body.into_data_stream();
    let mut n_bytes = 0;
    loop {
        let chunk = tokio::time::timeout(app.limits.body_time, chunks.next()).await.map_err(|_| {
            let detail = format!("no byte came for {} s", app.limits.body_time.as_secs());
            Problem::new(Kind::TooSlow, detail)
        })?;
        let Some(chunk) = chunk else { break };
        let chunk =
            chunk.map_err(|error| Problem::new(Kind::BadRequest, format!("the body broke off: {error}")))?;
        n_bytes += chunk.len() as u64;
        if n_bytes > app.limits.video_bytes {
            let detail = format!("expected a video of at most {} MiB", app.limits.video_bytes >> 20);
            return Err(Problem::new(Kind::BodyTooLarge, detail));
        }
        file.write_all(&chunk).await.map_err(write_failed)?;
    }
    if n_bytes == 0 {
        return Err(Problem::new(Kind::BadRequest, "expected a video as the body, found an empty one"));
    }
    file.flush().await.map_err(write_failed)
}

/// `GET /v1/videos/{id}`: how far it is.
pub(super) async fn status(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<Status>, Problem> {
    app.videos.status(&id).map(Json)
}

/// `DELETE /v1/videos/{id}`: stops and removes it.
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    app.videos.remove(&id).map(|()| StatusCode::NO_CONTENT)
}

#[derive(Serialize)]
struct Readings<'a> {
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
pub(super) async fn readings(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (status, readings) = app.videos.readings(&id)?;
    let readings = readings.lock().unwrap_or_else(PoisonError::into_inner);
    let frames = readings.iter().map(|reading| FrameAnswer {
        frame: reading.frame,
        timestamp_ms: ms(reading.timestamp),
        faces: &reading.faces,
    });
    let answer = Readings {
        name: &status.name,
        labels: app.labels.names(),
        width: status.width,
        height: status.height,
        frames: frames.collect(),
    };
    Ok(Json(answer).into_response())
}

/// `GET /v1/videos/{id}/readings.csv`: the recorder's table.
pub(super) async fn csv(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Response, Problem> {
    let (status, readings) = app.videos.readings(&id)?;
    let readings = readings.lock().unwrap_or_else(PoisonError::into_inner);
    let text = csv_text(&status.name, &readings, &app.labels).map_err(|error| failed(&error))?;
    Ok(download("text/csv; charset=utf-8; header=present", text.into()))
}

/// `GET /v1/videos/{id}/readings.jsonl`: the recorder's table as JSON Lines.
pub(super) async fn jsonl(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Response, Problem> {
    let (status, readings) = app.videos.readings(&id)?;
    let readings = readings.lock().unwrap_or_else(PoisonError::into_inner);
    let text = jsonl_text(&status.name, &readings, &app.labels).map_err(|error| failed(&error))?;
    Ok(download("application/jsonl", text.into()))
}

fn csv_text(name: &str, readings: &[Reading], labels: &Labels) -> Result<Vec<u8>, LiveError> {
    let mut text = Vec::new();
    let mut recorder = CsvRecorder::new(&mut text, labels, "answer")?;
    readings.iter().try_for_each(|reading| recorder.record(name, reading))?;
    drop(recorder);
    Ok(text)
}

fn jsonl_text(name: &str, readings: &[Reading], labels: &Labels) -> Result<Vec<u8>, LiveError> {
    let mut text = Vec::new();
    let mut recorder = JsonlRecorder::new(&mut text, labels, "answer");
    readings.iter().try_for_each(|reading| recorder.record(name, reading))?;
    drop(recorder);
    Ok(text)
}

fn failed(error: &LiveError) -> Problem {
    Problem::new(Kind::Failed, error.to_string())
}

/// `GET /v1/videos/{id}/annotated.mp4`: the video with its readings drawn on it.
pub(super) async fn annotated(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let path = app.videos.annotated(&id)?;
    let open_failed =
        |error: std::io::Error| Problem::new(Kind::Failed, format!("the annotated video: {error}"));
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
