//! The page, its script and its styles, inside the binary.
//! In: a path. Out: the file, with its type and a tag so that a browser asks again only for changes.

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

/// A file of the page: path, type, text.
type Asset = (&'static str, &'static str, &'static str);

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const SVG: &str = "image/svg+xml";
const JSON: &str = "application/json";

/// All files of the page.
const ASSETS: &[Asset] = &[
    ("/", HTML, include_str!("page.html")),
    ("/favicon.svg", SVG, include_str!("favicon.svg")),
    ("/openapi.json", JSON, include_str!("openapi.json")),
    ("/assets/style.css", STYLE, include_str!("style.css")),
    ("/assets/app.js", SCRIPT, include_str!("assets/app.js")),
    ("/assets/api.js", SCRIPT, include_str!("assets/api.js")),
    ("/assets/photos.js", SCRIPT, include_str!("assets/photos.js")),
    ("/assets/server.js", SCRIPT, include_str!("assets/server.js")),
    ("/assets/video.js", SCRIPT, include_str!("assets/video.js")),
    ("/assets/camera/adapt.js", SCRIPT, include_str!("assets/camera/adapt.js")),
    ("/assets/camera/camera.js", SCRIPT, include_str!("assets/camera/camera.js")),
    ("/assets/camera/capture.js", SCRIPT, include_str!("assets/camera/capture.js")),
    ("/assets/camera/record.js", SCRIPT, include_str!("assets/camera/record.js")),
    ("/assets/faces/charts.js", SCRIPT, include_str!("assets/faces/charts.js")),
    ("/assets/faces/faces.js", SCRIPT, include_str!("assets/faces/faces.js")),
    ("/assets/faces/overlay.js", SCRIPT, include_str!("assets/faces/overlay.js")),
    ("/assets/faces/rows.js", SCRIPT, include_str!("assets/faces/rows.js")),
    ("/assets/faces/titles.js", SCRIPT, include_str!("assets/faces/titles.js")),
    ("/assets/reading/live.js", SCRIPT, include_str!("assets/reading/live.js")),
    ("/assets/reading/remote.js", SCRIPT, include_str!("assets/reading/remote.js")),
];

/// The paths of all files, for the router.
pub(crate) fn paths() -> impl Iterator<Item = &'static str> {
    ASSETS.iter().map(|(path, _, _)| *path)
}

/// The file at a path, or 304 when the client has it.
pub(crate) fn answer(path: &str, headers: &HeaderMap) -> Option<Response> {
    let (_, kind, text) = ASSETS.iter().find(|(asset, _, _)| *asset == path)?;
    let tag = tag(text);
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, HeaderValue::from_static(kind))], *text).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::ETAG, HeaderValue::from_str(&tag).expect("hexadecimal digits are a header"));
    Some(response)
}

/// FNV-1a of the text: the same text has the same tag in every build.
fn tag(text: &str) -> String {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("\"{hash:016x}\"")
}
