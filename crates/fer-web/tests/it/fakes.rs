//! A server of fakes: faces and expressions that a test can predict.
//! In: limits. Out: a running server on a free port, and a client that speaks plain HTTP to it.

use std::{
    net::SocketAddr,
    path::Path,
    sync::{Arc, Condvar, Mutex},
    time::Duration,
};

use fer_data::{Face, Labels};
use fer_stream::{Feed, FrameSource, SourceInfo, StreamError};
use fer_vision::{
    Classified, Classify, DetectFaces, FaceBox, Finder, FinderOptions, Frame, SmoothOptions, VisionError,
};
use fer_web::{Access, Limits, Server, ServerParts};
use image::{ImageFormat, Rgb, RgbImage};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
    task::JoinHandle,
};

/// Finds one face, 40×40 at (10, 10), in every picture with a bright corner.
struct BrightCorner;

impl DetectFaces for BrightCorner {
    fn detect(&mut self, picture: &RgbImage) -> Result<Vec<FaceBox>, VisionError> {
        let is_bright = picture.get_pixel(0, 0).0[0] > 128;
        let face = FaceBox { x: 10.0, y: 10.0, width: 40.0, height: 40.0, score: 50.0 };
        Ok(if is_bright { vec![face] } else { Vec::new() })
    }

    fn sure_score(&self) -> f32 {
        10.0
    }
}

/// Whether the network of fakes answers.
#[derive(Default)]
pub(crate) struct Gate {
    closed: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    pub(crate) fn close(&self) {
        *self.closed.lock().expect("no test panics here") = true;
    }

    pub(crate) fn open(&self) {
        *self.closed.lock().expect("no test panics here") = false;
        self.opened.notify_all();
    }

    fn pass(&self) {
        let closed = self.closed.lock().expect("no test panics here");
        let _open = self.opened.wait_while(closed, |closed| *closed).expect("no test panics here");
    }
}

/// Says label 3 with 0.9 for every face.
struct AlwaysFourth {
    labels: Labels,
    gate: Arc<Gate>,
}

impl Classify for AlwaysFourth {
    fn labels(&self) -> &Labels {
        &self.labels
    }

    fn classify(&self, faces: &[Face]) -> Result<Vec<Classified>, VisionError> {
        self.gate.pass();
        let rest = 0.1 / (self.labels.len() - 1) as f32;
        let row: Vec<f32> = (0..self.labels.len()).map(|label| if label == 3 { 0.9 } else { rest }).collect();
        Ok(vec![row.into(); faces.len()])
    }
}

/// A clip of `n` frames, 40 ms apart, every other one without a face.
pub(crate) struct Clip {
    n: u64,
    next: u64,
    live: bool,
}

impl Clip {
    pub(crate) fn new(n: u64, live: bool) -> Self {
        Self { n, next: 0, live }
    }
}

impl FrameSource for Clip {
    fn info(&self) -> SourceInfo {
        SourceInfo {
            name: "clip".into(),
            live: self.live,
            width: 64,
            height: 64,
            frames_per_second: 25.0,
            n_frames: Some(self.n),
        }
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, StreamError> {
        if self.next == self.n {
            return Ok(None);
        }
        let index = self.next;
        self.next += 1;
        if self.live {
            // A camera has its own pace.
            std::thread::park_timeout(Duration::from_millis(10));
        }
        let picture = picture(64, 64);
        Ok(Some(Frame { picture, timestamp: Duration::from_millis(40 * index), index }))
    }
}

/// A picture with a bright corner and contrast where the face is.
pub(crate) fn picture(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(
        width,
        height,
        |x, y| if (x / 8 + y / 8) % 2 == 0 { Rgb([220; 3]) } else { Rgb([40; 3]) },
    )
}

/// The same without a face.
pub(crate) fn dark(width: u32, height: u32) -> RgbImage {
    RgbImage::from_pixel(width, height, Rgb([10; 3]))
}

/// A picture's bytes in a format.
pub(crate) fn encoded(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).expect("memory takes all");
    bytes.into_inner()
}

/// The bytes of a JPEG with a face.
pub(crate) fn jpeg() -> Vec<u8> {
    encoded(&picture(64, 64), ImageFormat::Jpeg)
}

/// A running server; it is stopped when dropped or by [`Running::stop`].
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) gate: Arc<Gate>,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<()>,
}

impl Running {
    pub(crate) async fn start(limits: Limits) -> Self {
        Self::start_with(limits, Access::Loopback, None).await
    }

    pub(crate) async fn start_with(limits: Limits, access: Access, input: Option<Clip>) -> Self {
        let gate = Arc::new(Gate::default());
        let make = || Ok(Finder::new(Box::new(BrightCorner), FinderOptions::default()));
        let open_video = |path: &Path| {
            let bytes = std::fs::read(path).expect("the upload was saved");
            match bytes.strip_prefix(b"clip ") {
                Some(n) => {
                    let n = String::from_utf8_lossy(n).parse().expect("a test writes a number");
                    Ok(Box::new(Clip::new(n, false)) as Box<dyn FrameSource>)
                }
                None => Err(StreamError::open(path.display(), "no video")),
            }
        };
        let parts = ServerParts {
            classifier: Arc::new(AlwaysFourth { labels: Labels::fer2013(), gate: gate.clone() }),
            make_finder: Arc::new(make),
            make_photo_finder: Arc::new(make),
            smoothing: SmoothOptions::default(),
            card: serde_json::json!({ "name": "fake" }),
            open_video: Box::new(open_video),
            input: input.map(|clip| Feed::once(Box::new(clip))),
            n_threads: 2,
            limits,
            give_back: Arc::new(|| {}),
        };
        let any = "127.0.0.1:0".parse().expect("an address");
        let server = Server::start(parts, any, access).await.expect("a free port");
        let address = server.address().expect("a listening server");
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(server.run(async {
            drop(stopped.await);
        }));
        Self { address, gate, stop: Some(stop), served }
    }

    /// Asks the server to stop and waits until it has.
    pub(crate) async fn stop(mut self) {
        drop(self.stop.take());
        self.served.await.expect("the server does not panic");
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut socket = TcpStream::connect(self.address).await.expect("the server listens");
        socket.write_all(&self.head(method, path, headers, body.len())).await.expect("the server reads");
        // A server that refuses may close before it has read everything.
        drop(socket.write_all(body).await);
        Answer::read(&mut socket).await
    }

    pub(crate) fn head(&self, method: &str, path: &str, headers: &[(&str, &str)], n_bytes: usize) -> Vec<u8> {
        let host = self.address;
        let mut head =
            format!("{method} {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: {n_bytes}\r\n");
        if !headers.iter().any(|(name, _)| *name == "host") {
            head.push_str(&format!("host: {host}\r\n"));
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], b"").await
    }

    pub(crate) async fn post(&self, path: &str, body: &[u8]) -> Answer {
        self.ask("POST", path, &[], body).await
    }
}

/// The value of a wait that ends well long before; one that does not fails its test instead of hanging it.
pub(crate) async fn in_time<T>(wait: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(120), wait).await.expect("it comes to an end")
}

/// What a server answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) async fn read(socket: &mut TcpStream) -> Self {
        let mut bytes = Vec::new();
        let mut chunk = [0; 4096];
        // A reset after the answer is as good as a close.
        while let Ok(n) = socket.read(&mut chunk).await
            && n > 0
        {
            bytes.extend_from_slice(&chunk[..n]);
        }
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer has a head");
        let headers = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let status = headers.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let mut body = bytes[end + 4..].to_vec();
        if headers.contains("transfer-encoding: chunked") {
            body = unchunk(&body);
        }
        Self { status, headers, body }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    /// The part of a problem's type after `urn:fer:problem:`; checks that it is one.
    pub(crate) fn problem(&self) -> String {
        assert!(self.headers.contains("content-type: application/problem+json"), "{}", self.headers);
        let json = self.json();
        assert_eq!(json["status"], self.status);
        assert!(json["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{json}");
        json["type"]
            .as_str()
            .and_then(|kind| kind.strip_prefix("urn:fer:problem:"))
            .expect("a type")
            .to_owned()
    }
}

fn unchunk(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = body.windows(2).position(|two| two == b"\r\n") {
        let size = String::from_utf8_lossy(&body[..end]);
        let size = usize::from_str_radix(size.trim(), 16).expect("a chunk's size");
        if size == 0 {
            break;
        }
        whole.extend_from_slice(&body[end + 2..end + 2 + size]);
        body = &body[end + 2 + size + 2..];
    }
    whole
}
