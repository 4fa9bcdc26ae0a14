//! The server's doors, over real sockets.
//! In: bytes on a connection. Out: the first line of the answer; afterwards the server must still be well.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::Duration,
};

use fer_data::{Face, Labels};
use fer_stream::StreamError;
use fer_vision::{
    Classified, Classify, DetectFaces, FaceBox, Finder, FinderOptions, SmoothOptions, VisionError,
};
use fer_web::{Access, Limits, Server, ServerParts};
use image::{DynamicImage, ImageFormat, RgbImage};

use super::{Door, Target};
use crate::seeds;

const WORDS: &[&[u8]] = &[
    b"GET ", b"POST ", b"DELETE ", b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", b"/v1/analyze", b"/v1/videos?name=a&annotated=true", b"/v1/live", b"/v1/videos/",
    b"/readings.csv", b"/stream.mjpg", b"host: 127.0.0.1\r\n", b"content-length: ", b"transfer-encoding: chunked\r\n", b"\r\n\r\n",
    b"origin: http://evil.example\r\n", b"accept: text/csv\r\n", b"expect: 100-continue\r\n", b"0\r\n\r\n", b"ffffffffffffffff\r\n",
    b"connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n",
    b"%00", b"..%2f", b"\0", b"?token=",
];

pub(super) const HTTP: Target = Target {
    name: "http",
    door: "requests",
    seeds: || {
        let body = jpeg();
        let lengths = format!("content-length: {}", body.len());
        [
            request("GET / ", "accept: text/html", b""),
            request("GET /v1/model ", "accept: */*", b""),
            request("POST /v1/analyze ", &lengths, &body),
            request("POST /v1/videos?name=a ", "content-length: 6", b"clip 3"),
            request("POST /v1/analyze ", "transfer-encoding: chunked", b"5\r\nhello\r\n0\r\n\r\n"),
            request("GET /v1/videos/0/readings.csv ", "range: bytes=0-", b""),
            request("DELETE /v1/videos/0 ", "origin: null", b""),
        ]
        .into()
    },
    words: WORDS,
    open: || door(|bytes| bytes.to_vec()),
    on_request: false,
};

pub(super) const MULTIPART: Target = Target {
    name: "multipart",
    door: "forms with pictures",
    seeds: || {
        let part = b"--x\r\ncontent-disposition: form-data; name=\"picture\"; filename=\"a.jpg\"\r\n\r\n";
        vec![[&part[..], &jpeg(), b"\r\n", part, b"hello", b"\r\n--x--\r\n"].concat()]
    },
    words: &[
        b"--x",
        b"--x--",
        b"\r\n",
        b"\r\n\r\n",
        b"content-disposition: form-data; ",
        b"name=\"picture\"",
        b"filename*=UTF-8''%ff",
        b"content-type: text/plain\r\n",
        b"content-transfer-encoding: base64\r\n",
        b"\"",
        b";",
        b"\0",
    ],
    open: || {
        door(|bytes| {
            let headers = format!(
                "content-type: multipart/form-data; boundary=x\r\naccept: text/csv\r\ncontent-length: {}",
                bytes.len()
            );
            request("POST /v1/analyze ", &headers, bytes)
        })
    },
    on_request: false,
};

pub(super) const WEBSOCKET: Target = Target {
    name: "websocket",
    door: "WebSocket frames",
    seeds: || {
        let mut frame = vec![1, 0, 0, 0, 0, 0, 0, 0];
        frame.extend(12.5_f64.to_le_bytes());
        frame.extend(jpeg());
        let binary = masked(2, &frame);
        vec![
            [&binary[..], &binary, &masked(9, b"ping"), &masked(8, &[3, 232])].concat(),
            masked(1, b"text"),
            binary,
        ]
    },
    words: &[
        b"\x82\x80\0\0\0\0",
        b"\x82\xfe\xff\xff",
        b"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x02\x80\0\0\0\0",
        b"\x80\x80\0\0\0\0",
        b"\x89\xfe",
        b"\x88\x82",
        b"\xf2",
        b"\x7f\xf8\0\0\0\0\0\0",
        b"\x7f\xf0\0\0\0\0\0\0",
    ],
    open: || {
        door(|bytes| {
            let upgrade = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                           sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==";
            request("GET /v1/live ", upgrade, bytes)
        })
    },
    on_request: false,
};

fn jpeg() -> Vec<u8> {
    seeds::encoded(&DynamicImage::ImageRgb8(seeds::picture()), ImageFormat::Jpeg)
}

fn request(line: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("{line}HTTP/1.1\r\nhost: 127.0.0.1\r\n{headers}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

/// A client's frame under a mask of zeros.
fn masked(opcode: u8, content: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match u16::try_from(content.len()) {
        Ok(n @ 0..126) => frame.push(0x80 | n as u8),
        Ok(n) => {
            frame.push(0x80 | 126);
            frame.extend(n.to_be_bytes());
        }
        Err(_) => {
            frame.push(0x80 | 127);
            frame.extend((content.len() as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(content);
    frame
}

/// A server of fakes, and what is made of an input before it is sent.
fn door(dress: fn(&[u8]) -> Vec<u8>) -> Door {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("threads start");
    // All addresses of loopback: one alone has too few ports for so many connections.
    let any = SocketAddr::from(([0, 0, 0, 0], 0));
    let server = runtime.block_on(Server::start(parts(), any, Access::Loopback)).expect("a free port");
    let port = server.address().expect("a listening server").port();
    runtime.spawn(server.run(std::future::pending()));
    let mut n = 0_u32;
    Box::new(move |bytes| {
        n += 1;
        // The door holds the runtime, which the server lives on.
        let _enter = runtime.enter();
        let address = SocketAddr::from(([127, 0, (n / 200 % 200) as u8, (n % 200 + 1) as u8], port));
        let outcome = ask(address, &dress(bytes), Then::Close);
        if n.is_multiple_of(64) {
            let health = ask(address, &request("GET /healthz ", "connection: close", b""), Then::Wait)?;
            if !health.starts_with("HTTP/1.1 200 ") {
                return Err(format!("the server is not well afterwards: {health}"));
            }
        }
        outcome
    })
}

/// What a client does when it has sent all.
#[derive(Clone, Copy, PartialEq)]
enum Then {
    /// It says that it is all: what is incomplete is then not waited for.
    Close,
    /// It waits for an answer.
    Wait,
}

/// Sends all, and takes what comes back.
fn ask(address: SocketAddr, bytes: &[u8], then: Then) -> Result<String, String> {
    let mut socket = TcpStream::connect(address).map_err(|error| format!("the server is gone: {error}"))?;
    let time = Some(Duration::from_secs(20));
    socket.set_read_timeout(time).and_then(|()| socket.set_write_timeout(time)).map_err(|e| e.to_string())?;
    // A server that refuses may close before it has read everything.
    drop(socket.write_all(bytes));
    if then == Then::Close {
        drop(socket.shutdown(std::net::Shutdown::Write));
    }
    let mut answer = Vec::new();
    match socket.read_to_end(&mut answer) {
        Err(error)
            if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) =>
        {
            return Err("no answer and no end within 20 s".to_owned());
        }
        // A reset after the answer is as good as a close.
        _ => {}
    }
    let line = answer.split(|&byte| byte == b'\r').next().unwrap_or_default();
    let problem = answer
        .windows(16)
        .position(|window| window == b"urn:fer:problem:")
        .map_or(&b""[..], |at| &answer[at..]);
    let problem = problem.split(|&byte| byte == b'"').next().unwrap_or_default();
    if line.ends_with(b"500 Internal Server Error") {
        return Err(format!(
            "an internal error: {}",
            String::from_utf8_lossy(&answer[answer.len().saturating_sub(300)..])
        ));
    }
    Ok(format!("{} {}", String::from_utf8_lossy(line), String::from_utf8_lossy(problem)))
}

/// Sees a face in every picture that holds one.
struct Corner;

impl DetectFaces for Corner {
    fn detect(&mut self, picture: &RgbImage) -> Result<Vec<FaceBox>, VisionError> {
        let side = picture.width().min(picture.height()) as f32;
        Ok(vec![FaceBox { x: 0.0, y: 0.0, width: side, height: side, score: 50.0 }])
    }

    fn sure_score(&self) -> f32 {
        10.0
    }
}

/// Says the same of every face.
struct Even(Labels);

impl Classify for Even {
    fn labels(&self) -> &Labels {
        &self.0
    }

    fn classify(&self, faces: &[Face]) -> Result<Vec<Classified>, VisionError> {
        Ok(vec![vec![1.0 / self.0.len() as f32; self.0.len()].into(); faces.len()])
    }
}

fn parts() -> ServerParts {
    let make = || Ok(Finder::new(Box::new(Corner), FinderOptions::default()));
    ServerParts {
        classifier: Arc::new(Even(Labels::fer2013())),
        make_finder: Arc::new(make),
        make_photo_finder: Arc::new(make),
        smoothing: SmoothOptions::default(),
        card: serde_json::json!({}),
        open_video: Box::new(|path: &std::path::Path| Err(StreamError::open(path.display(), "no video"))),
        input: None,
        n_threads: 1,
        limits: Limits::default(),
        give_back: Arc::new(|| {}),
    }
}
