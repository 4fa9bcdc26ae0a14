//! How much a client may ask for.
//! In: nothing. Out: the numbers every other file of the web app checks against.

use std::time::Duration;

use serde::Serialize;

/// Limits of the web app; every one has its own answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Limits {
    /// Open connections; a further one is answered 503 and closed.
    pub connections: usize,
    /// Browsers that send camera frames at once; a further one is closed with code 1013.
    pub live_clients: usize,
    /// Frames of one browser on their way at once.
    pub frames_in_flight: usize,
    /// Pictures waiting for a detector, all clients together; a further one is answered 503.
    pub waiting: usize,
    /// Bytes of one camera frame; a larger one closes the WebSocket with code 1009.
    pub frame_bytes: usize,
    /// Bytes of one request with pictures; more are answered 413.
    pub body_bytes: usize,
    /// Bytes of the bodies with pictures of all requests together; what does not fit is answered 503.
    pub all_body_bytes: usize,
    /// Bytes of memory that the pictures being decoded and searched need together; one that needs more is read
    /// alone.
    pub decoded_bytes: u64,
    /// Pictures in one request; more are answered 400.
    pub pictures: usize,
    /// Pixels of one picture, known before it is decoded; more are answered 413.
    pub pixels: u64,
    /// Bytes of one video; more are answered 413.
    pub video_bytes: u64,
    /// Bytes of all videos on the disk, from the first byte of an upload on; what does not fit is answered 503.
    pub all_video_bytes: u64,
    /// Videos that are uploaded, wait or are read at once; a further one is answered 503.
    pub videos: usize,
    /// Time a request's headers may take; then the connection is closed.
    #[serde(skip)]
    pub header_time: Duration,
    /// Time a body of pictures may take to arrive; then 408.
    #[serde(skip)]
    pub body_time: Duration,
    /// Time a picture may wait for its answer; then 503. Shorter than [`Limits::idle_time`], which would close the
    /// connection without a word.
    #[serde(skip)]
    pub answer_time: Duration,
    /// Time without a byte going out or coming in before a stuck connection is closed.
    #[serde(skip)]
    pub idle_time: Duration,
    /// Time between pings on a WebSocket; one that answers none of three is closed.
    #[serde(skip)]
    pub ping_time: Duration,
    /// Time a finished video's readings are kept for download.
    #[serde(skip)]
    pub video_keep: Duration,
    /// Time running requests get when the server is asked to stop.
    #[serde(skip)]
    pub stop_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 256,
            live_clients: 32,
            frames_in_flight: 2,
            waiting: 64,
            frame_bytes: 2 << 20,
            body_bytes: 32 << 20,
            all_body_bytes: 256 << 20,
            decoded_bytes: 256 << 20,
            pictures: 64,
            pixels: 50_000_000,
            video_bytes: 1 << 30,
            all_video_bytes: 2 << 30,
            videos: 4,
            header_time: Duration::from_secs(10),
            body_time: Duration::from_secs(30),
            answer_time: Duration::from_secs(45),
            idle_time: Duration::from_secs(60),
            ping_time: Duration::from_secs(10),
            video_keep: Duration::from_secs(15 * 60),
            stop_time: Duration::from_secs(5),
        }
    }
}
