//! Which address is answered by what.
//! In: the shared state. Out: the router with its guard.

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, MatchedPath, Request, State},
    http::{HeaderMap, Uri, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Json, Response},
    routing::{get, post},
};

use super::{
    analyze::analyze,
    assets,
    live::live,
    problem::{Kind, Problem},
    security::{Access, guard},
    source, state,
    state::App,
    uploads,
};

/// The router of the whole web app.
pub(super) fn router(app: Arc<App>, access: Access) -> Router {
    let mut router = Router::new()
        .route("/v1/analyze", post(analyze))
        .route("/v1/live", get(live))
        .route("/v1/model", get(model))
        .route("/v1/readings", get(source::readings))
        .route("/v1/videos", post(uploads::upload))
        .route("/v1/videos/{id}", get(uploads::status).delete(uploads::remove))
        .route("/v1/videos/{id}/readings", get(uploads::readings))
        .route("/v1/videos/{id}/readings.csv", get(uploads::csv))
        .route("/v1/videos/{id}/readings.jsonl", get(uploads::jsonl))
        .route("/v1/videos/{id}/annotated.mp4", get(uploads::annotated))
        .route("/stream.mjpg", get(source::mjpeg))
        .route("/healthz", get(health))
        .route("/metrics", get(metrics));
    for path in assets::paths() {
        router = router.route(path, get(asset));
    }
    router
        .fallback(nothing_here)
        .method_not_allowed_fallback(other_method)
        // Bodies have their own limits, which answer as problems.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(app.clone(), count))
        .layer(from_fn_with_state(access, guard))
        .with_state(app)
}

async fn asset(uri: Uri, headers: HeaderMap) -> Response {
    assets::answer(uri.path(), &headers).unwrap_or_else(|| not_found(&uri).into_response())
}

async fn model(State(app): State<Arc<App>>) -> Json<serde_json::Value> {
    Json(app.model.clone())
}

async fn health(State(app): State<Arc<App>>) -> Response {
    if *app.stop.borrow() {
        return state::stopping().into_response();
    }
    Json(serde_json::json!({ "status": "ok" })).into_response()
}

async fn metrics(State(app): State<Arc<App>>) -> Response {
    let text = app.metrics.text(app.engine.n_waiting());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

async fn nothing_here(uri: Uri) -> Problem {
    not_found(&uri)
}

fn not_found(uri: &Uri) -> Problem {
    let detail = format!("{} is no address of this server: /openapi.json lists them", uri.path());
    Problem::new(Kind::NotFound, detail)
}

async fn other_method(request: Request) -> Problem {
    let detail = format!(
        "{} does not take {}: /openapi.json lists what it takes",
        request.uri().path(),
        request.method()
    );
    Problem::new(Kind::MethodNotAllowed, detail)
}

/// Counts every answer by its route, not its address, so that strangers cannot grow the list.
async fn count(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let route =
        request.extensions().get::<MatchedPath>().map_or("none".to_owned(), |path| path.as_str().to_owned());
    let response = next.run(request).await;
    app.metrics.response(&route, response.status().as_u16());
    response
}
