//! The WebSocket of the browser's camera.

use std::time::Duration;

use fer_web::Limits;
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest, http::HeaderValue},
};

use super::fakes::{Running, dark, encoded, in_time, jpeg};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn connect(server: &Running) -> Socket {
    let (mut socket, _) = connect_async(format!("ws://{}/v1/live", server.address)).await.expect("a place");
    let hello = next(&mut socket).await;
    assert_eq!((hello["type"].as_str(), hello["frames_in_flight"].as_u64()), (Some("hello"), Some(2)));
    socket
}

/// Connects until there is a place.
async fn greeted(address: &str) {
    loop {
        let (mut socket, _) = connect_async(address).await.expect("the upgrade is answered");
        if let Some(Ok(Message::Text(_))) = socket.next().await {
            return;
        }
    }
}

fn frame(id: u32, capture_ms: f64, jpeg: &[u8]) -> Message {
    let mut bytes = vec![1, 0, 0, 0];
    bytes.extend(id.to_le_bytes());
    bytes.extend(capture_ms.to_le_bytes());
    bytes.extend_from_slice(jpeg);
    Message::binary(bytes)
}

/// The next message that is JSON.
async fn next(socket: &mut Socket) -> Value {
    loop {
        let message = in_time(socket.next()).await;
        if let Message::Text(text) = message.expect("open").expect("sound") {
            return serde_json::from_str(&text).expect("JSON");
        }
    }
}

/// The code and reason the server closed with.
async fn closed(socket: &mut Socket) -> (u16, String) {
    loop {
        match in_time(socket.next()).await {
            Some(Ok(Message::Close(Some(frame)))) => return (frame.code.into(), frame.reason.to_string()),
            Some(Ok(_)) => {}
            other => panic!("expected a close frame, found {other:?}"),
        }
    }
}

#[tokio::test]
async fn every_frame_is_answered_under_its_number_and_a_face_keeps_its_track() {
    let server = Running::start(Limits::default()).await;
    let mut socket = connect(&server).await;
    for id in 0..5_u32 {
        socket.send(frame(id, 5000.0 + f64::from(id) * 40.0, &jpeg())).await.expect("open");
        let answer = next(&mut socket).await;
        assert_eq!((answer["type"].as_str(), answer["id"].as_u64()), (Some("reading"), Some(id.into())));
        assert_eq!(answer["timestamp_ms"].as_f64(), Some(f64::from(id) * 40.0));
        assert_eq!(answer["faces"][0]["track"], 1);
        assert_eq!(answer["faces"][0]["probabilities"].as_array().map(Vec::len), Some(7));
        let labelled = answer["faces"][0]["label"] == 3;
        assert_eq!(labelled, id >= 2, "a label comes with the third frame: {answer}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_newer_frame_replaces_an_older_one_and_the_drop_is_told() {
    let server = Running::start(Limits::default()).await;
    let mut socket = connect(&server).await;
    server.gate.close();
    // One at the gate, more than the network's queue holds behind it: then newer frames replace older ones.
    let n = 60;
    for id in 0..n {
        socket.send(frame(id, f64::from(id), &jpeg())).await.expect("open");
    }
    let first = next(&mut socket).await;
    assert_eq!(first["type"], "dropped", "{first}");
    server.gate.open();
    let mut answers = vec![first];
    while answers.len() < n as usize {
        answers.push(next(&mut socket).await);
    }
    let ids = |kind: &str| -> Vec<u64> {
        answers
            .iter()
            .filter(|answer| answer["type"] == kind)
            .filter_map(|answer| answer["id"].as_u64())
            .collect()
    };
    let (read, dropped) = (ids("reading"), ids("dropped"));
    assert_eq!(read.len() + dropped.len(), n as usize, "every frame is answered once");
    assert!(read.is_sorted(), "{read:?}");
    assert_eq!(read.last(), Some(&u64::from(n - 1)), "the newest frame is read");
    let counted = answers.iter().filter_map(|answer| answer["n_dropped"].as_u64()).max();
    assert_eq!(counted, Some(dropped.len() as u64));
    server.stop().await;
}

#[tokio::test]
async fn two_browsers_do_not_share_faces() {
    let server = Running::start(Limits::default()).await;
    let (mut one, mut two) = (connect(&server).await, connect(&server).await);
    for id in 0..4 {
        one.send(frame(id, f64::from(id) * 40.0, &jpeg())).await.expect("open");
        two.send(frame(id + 100, f64::from(id) * 40.0, &encoded(&dark(64, 64), image::ImageFormat::Jpeg)))
            .await
            .expect("open");
        let (first, second) = (next(&mut one).await, next(&mut two).await);
        assert_eq!(
            (first["id"].as_u64(), first["faces"].as_array().map(Vec::len)),
            (Some(id.into()), Some(1))
        );
        assert_eq!(
            (second["id"].as_u64(), second["faces"].as_array().map(Vec::len)),
            (Some((id + 100).into()), Some(0))
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn a_frame_that_is_no_picture_is_refused_and_the_next_one_is_read() {
    let server = Running::start(Limits::default()).await;
    let mut socket = connect(&server).await;
    socket.send(frame(1, 0.0, b"hello")).await.expect("open");
    let refused = next(&mut socket).await;
    assert_eq!((refused["type"].as_str(), refused["id"].as_u64()), (Some("refused"), Some(1)));
    assert_eq!(refused["problem"]["type"], "urn:fer:problem:not-a-picture");
    socket.send(frame(2, 40.0, &jpeg())).await.expect("open");
    assert_eq!(next(&mut socket).await["type"], "reading");
    server.stop().await;
}

#[tokio::test]
async fn what_is_no_frame_ends_the_connection_with_a_reason() {
    let server = Running::start(Limits { frame_bytes: 10_000, ..Limits::default() }).await;
    for (message, code) in [
        (Message::text("hello"), 1003),
        (Message::binary(vec![9; 40]), 1002),
        (Message::binary(vec![1; 3]), 1002),
        (Message::binary(vec![1; 10_001]), 1009),
    ] {
        let mut socket = connect(&server).await;
        socket.send(message.clone()).await.expect("open");
        let (found, reason) = closed(&mut socket).await;
        assert_eq!(found, code, "{reason}");
        assert!(!reason.is_empty());
    }
    server.stop().await;
}

#[tokio::test]
async fn one_browser_too_many_is_told_to_try_again() {
    let server = Running::start(Limits { live_clients: 1, ..Limits::default() }).await;
    let first = connect(&server).await;
    let address = format!("ws://{}/v1/live", server.address);
    let (mut second, _) = connect_async(&address).await.expect("the upgrade is answered");
    assert_eq!(closed(&mut second).await.0, 1013);
    drop(first);
    // The place is free as soon as the server has noticed.
    in_time(greeted(&address)).await;
    server.stop().await;
}

#[tokio::test]
async fn a_page_of_another_site_gets_no_websocket() {
    let server = Running::start(Limits::default()).await;
    let mut request = format!("ws://{}/v1/live", server.address).into_client_request().expect("an address");
    request.headers_mut().insert("origin", HeaderValue::from_static("https://evil.example"));
    let Err(Error::Http(response)) = connect_async(request).await else { panic!("a foreign page got in") };
    assert_eq!(response.status(), 403);
    server.stop().await;
}

#[tokio::test]
async fn a_dead_client_is_dropped() {
    let limits = Limits { ping_time: Duration::from_millis(50), live_clients: 1, ..Limits::default() };
    let server = Running::start(limits).await;
    let socket = connect(&server).await;
    // A client that reads nothing answers no ping: its place becomes free for another one.
    in_time(greeted(&format!("ws://{}/v1/live", server.address))).await;
    drop(socket);
    server.stop().await;
}

#[tokio::test]
async fn a_stopping_server_says_goodbye() {
    let server = Running::start(Limits::default()).await;
    let mut socket = connect(&server).await;
    let stopped = tokio::spawn(server.stop());
    assert_eq!(closed(&mut socket).await.0, 1012);
    drop(socket);
    stopped.await.expect("no panic");
}
