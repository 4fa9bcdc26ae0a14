//! Which address is answered by what.
//! In: the shared state. Out: the router with its guard.

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Path, Request, State},
    http::{HeaderMap, Uri},
    middleware::from_fn_with_state,
    response::{IntoResponse, Json, Response},
    routing::{get, post},
};
use fer_stream::record::{FORMATS, Suits};

use super::{access::Access, security::guard};
use crate::{
    app::App,
    live::{camera::live, streams},
    page,
    problem::{Problem, ProblemKind},
    read::analyze_route::analyze,
    stop::stopping,
    uploaded_videos::routes as videos,
};

/// The router of the whole web app.
pub(crate) fn router(app: Arc<App>, access: Access) -> Router {
    let mut router = Router::new()
        .route("/v1/analyze", post(analyze))
        .route("/v1/live", get(live))
        .route("/v1/model", get(model))
        .route("/v1/readings", get(streams::readings))
        .route("/v1/videos", post(videos::upload))
        .route("/v1/videos/{id}", get(videos::status).delete(videos::remove))
        .route("/v1/videos/{id}/readings", get(videos::readings))
        .route("/v1/videos/{id}/annotated.mp4", get(videos::annotated))
        .route("/stream.mjpg", get(streams::mjpeg))
        .route("/healthz", get(health));
    for format in FORMATS.into_iter().filter(|format| format.suits == Suits::Everything) {
        let readings = move |app: State<Arc<App>>, id: Path<String>| videos::readings_as(format, app, id);
        router = router.route(&format!("/v1/videos/{{id}}/readings.{}", format.ending), get(readings));
    }
    for path in page::paths() {
        router = router.route(path, get(asset));
    }
    router
        .fallback(nothing_here)
        .method_not_allowed_fallback(other_method)
        // Bodies have their own limits, which answer as problems.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(access, guard))
        .with_state(app)
}

async fn asset(uri: Uri, headers: HeaderMap) -> Response {
    page::answer(uri.path(), &headers).unwrap_or_else(|| not_found(&uri).into_response())
}

async fn model(State(app): State<Arc<App>>) -> Json<serde_json::Value> {
    Json(app.model.clone())
}

async fn health(State(app): State<Arc<App>>) -> Response {
    if *app.stop.borrow() {
        return stopping().into_response();
    }
    Json(serde_json::json!({ "status": "ok" })).into_response()
}

async fn nothing_here(uri: Uri) -> Problem {
    not_found(&uri)
}

fn not_found(uri: &Uri) -> Problem {
    let detail = format!("{} is no address of this server: /openapi.json lists them", uri.path());
    Problem::new(ProblemKind::NotFound, detail)
}

async fn other_method(request: Request) -> Problem {
    let detail = format!(
        "{} does not take {}: /openapi.json lists what it takes",
        request.uri().path(),
        request.method()
    );
    Problem::new(ProblemKind::MethodNotAllowed, detail)
}
