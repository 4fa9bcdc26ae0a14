//! Errors of the HTTP interface.
//! In: what went wrong. Out: RFC 9457 problem JSON, the same for every route.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// The kinds of problems, each with its fixed status and title.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProblemKind {
    /// The request is not what the route takes.
    BadRequest,
    /// The access token is missing or wrong.
    TokenMissing,
    /// The request comes from another site or names another host.
    ForeignOrigin,
    /// No such address or no such video.
    NotFound,
    /// The address exists, the method does not.
    MethodNotAllowed,
    /// The body did not arrive in time.
    TooSlow,
    /// The body has more bytes than allowed.
    BodyTooLarge,
    /// The picture has more pixels than allowed.
    PictureTooLarge,
    /// The bytes are no picture of a known format.
    NotAPicture,
    /// The file is no video that can be read.
    NotAVideo,
    /// The video is not read yet.
    NotReady,
    /// All work places are taken.
    Busy,
    /// The server is shutting down.
    Stopping,
    /// The disk has no room for the file.
    StorageFull,
    /// The detector or the network failed.
    Failed,
}

impl ProblemKind {
    /// The HTTP status.
    #[must_use]
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::TokenMissing => StatusCode::UNAUTHORIZED,
            Self::ForeignOrigin => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::BodyTooLarge | Self::PictureTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotAPicture | Self::NotAVideo => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NotReady => StatusCode::CONFLICT,
            Self::Busy | Self::Stopping => StatusCode::SERVICE_UNAVAILABLE,
            Self::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
            Self::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The last part of the problem's type URN.
    fn slug(self) -> &'static str {
        match self {
            Self::BadRequest => "bad-request",
            Self::TokenMissing => "token-missing",
            Self::ForeignOrigin => "foreign-origin",
            Self::NotFound => "not-found",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::TooSlow => "too-slow",
            Self::BodyTooLarge => "body-too-large",
            Self::PictureTooLarge => "picture-too-large",
            Self::NotAPicture => "not-a-picture",
            Self::NotAVideo => "not-a-video",
            Self::NotReady => "not-ready",
            Self::Busy => "busy",
            Self::Stopping => "stopping",
            Self::StorageFull => "storage-full",
            Self::Failed => "failed",
        }
    }

    /// One short sentence for people, the same for every problem of the kind.
    fn title(self) -> &'static str {
        match self {
            Self::BadRequest => "The request could not be understood",
            Self::TokenMissing => "This server asks for its access token",
            Self::ForeignOrigin => "Requests from other sites are refused",
            Self::NotFound => "There is nothing at this address",
            Self::MethodNotAllowed => "This address does not take this method",
            Self::TooSlow => "The request took too long to arrive",
            Self::BodyTooLarge => "The file is too large",
            Self::PictureTooLarge => "The picture has too many pixels",
            Self::NotAPicture => "This is not a picture that can be read",
            Self::NotAVideo => "This is not a video that can be read",
            Self::NotReady => "The video is not read yet",
            Self::Busy => "The server is busy",
            Self::Stopping => "The server is shutting down",
            Self::StorageFull => "The server has no room for the file",
            Self::Failed => "Reading the picture failed",
        }
    }

    /// Seconds after which trying again makes sense, where it does.
    fn retry_after_s(self) -> Option<u32> {
        match self {
            Self::Busy => Some(1),
            Self::Stopping => Some(5),
            _ => None,
        }
    }
}

/// One problem: a kind, and what was expected and found.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Problem {
    /// The kind.
    pub(crate) kind: ProblemKind,
    /// Where, expected, found, and what to try.
    pub(crate) detail: String,
}

/// The members of RFC 9457, section 3.1.
#[derive(Serialize)]
struct Members<'a> {
    #[serde(rename = "type")]
    urn: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
}

impl Problem {
    /// A problem of a kind with its detail.
    #[must_use]
    pub(crate) fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }

    /// The problem as RFC 9457 JSON.
    #[must_use]
    pub(crate) fn to_json(&self) -> serde_json::Value {
        let members = Members {
            urn: format!("urn:fer:problem:{}", self.kind.slug()),
            title: self.kind.title(),
            status: self.kind.status().as_u16(),
            detail: &self.detail,
        };
        serde_json::to_value(members).expect("strings and a number are JSON")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.kind.status(), self.to_json().to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.kind.retry_after_s() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.kind == ProblemKind::TokenMissing {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
