//! The server's own camera or file.

use std::time::Duration;

use fer_web::{Access, Limits};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::fakes::{Clip, Running, in_time};

/// Reads an answer until it holds a text `n` times.
async fn read_until(server: &Running, path: &str, text: &str, n: usize) -> Vec<u8> {
    let mut socket = TcpStream::connect(server.address).await.expect("a place");
    socket.write_all(&server.head("GET", path, &[], 0)).await.expect("sent");
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    let read = async {
        while bytes.windows(text.len()).filter(|window| *window == text.as_bytes()).count() < n {
            let n_read = socket.read(&mut chunk).await.expect("open");
            assert!(n_read > 0, "ended: {}", String::from_utf8_lossy(&bytes));
            bytes.extend_from_slice(&chunk[..n_read]);
        }
    };
    in_time(read).await;
    bytes
}

#[tokio::test]
async fn the_servers_camera_is_shown_as_pictures_and_as_readings() {
    let server =
        Running::start_with(Limits::default(), Access::Loopback, Some(Clip::new(100_000, true))).await;
    let source = server.get("/v1/model").await.json()["source"].clone();
    assert_eq!((source["name"].as_str(), source["live"].as_bool()), (Some("clip"), Some(true)));
    let stream = read_until(&server, "/stream.mjpg", "--fer-frame", 4).await;
    let head = String::from_utf8_lossy(&stream).to_lowercase();
    assert!(head.contains("content-type: multipart/x-mixed-replace; boundary=fer-frame"), "{head}");
    let start = stream.windows(2).position(|two| two == [0xff, 0xd8]).expect("a JPEG");
    let end = stream.windows(2).position(|two| two == [0xff, 0xd9]).expect("a whole JPEG");
    let picture = image::load_from_memory(&stream[start..end + 2]).expect("a sound JPEG");
    assert_eq!((picture.width(), picture.height()), (64, 64));
    let events = read_until(&server, "/v1/readings", "event: reading", 4).await;
    let text = String::from_utf8_lossy(&events).into_owned();
    let data =
        text.lines().rfind(|line| line.starts_with("data: {") && line.ends_with('}')).expect("an event");
    let reading: serde_json::Value = serde_json::from_str(&data[6..]).expect("JSON");
    assert_eq!((reading["width"].as_u64(), reading["faces"][0]["track"].as_u64()), (Some(64), Some(1)));
    server.stop().await;
}

#[tokio::test]
async fn the_end_of_a_file_is_told_also_to_those_who_come_later() {
    let server = Running::start_with(Limits::default(), Access::Loopback, Some(Clip::new(3, false))).await;
    for _ in 0..2 {
        let events = read_until(&server, "/v1/readings", "\"ended\":true", 1).await;
        assert!(String::from_utf8_lossy(&events).contains("clip has ended"));
    }
    server.stop().await;
}

#[tokio::test]
async fn an_open_stream_does_not_keep_the_server_from_stopping() {
    // Nothing that still ran would be cut within the test's time.
    let limits = Limits { stop_time: Duration::from_secs(3600), ..Limits::default() };
    let server = Running::start_with(limits, Access::Loopback, Some(Clip::new(100_000, true))).await;
    let mut socket = TcpStream::connect(server.address).await.expect("a place");
    socket.write_all(&server.head("GET", "/stream.mjpg", &[], 0)).await.expect("sent");
    let mut first = [0; 64];
    assert!(socket.read(&mut first).await.expect("open") > 0);
    in_time(server.stop()).await;
}
