//! Uploaded videos.

use std::time::Duration;

use fer_web::Limits;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::fakes::{Running, in_time};

async fn upload(server: &Running, query: &str, body: &[u8]) -> String {
    let answer = server.post(&format!("/v1/videos{query}"), body).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let id = answer.json()["id"].as_str().expect("an id").to_owned();
    assert!(answer.headers.contains(&format!("location: /v1/videos/{id}")));
    id
}

/// Asks until the video is done or failed.
async fn settled(server: &Running, id: &str) -> Value {
    let ask = async {
        loop {
            let status = server.get(&format!("/v1/videos/{id}")).await.json();
            if status["stage"] == "done" || status["stage"] == "failed" {
                return status;
            }
        }
    };
    in_time(ask).await
}

/// Whether a video still waits or is being read.
async fn is_unread(server: &Running, id: &str) -> bool {
    let answer = server.get(&format!("/v1/videos/{id}")).await;
    answer.status == 200 && !["done", "failed"].map(Value::from).contains(&answer.json()["stage"])
}

#[tokio::test]
async fn a_video_is_read_frame_by_frame_and_then_forgotten() {
    let server = Running::start(Limits::default()).await;
    let id = upload(&server, "?name=walk.mp4&annotated=true", b"clip 12").await;
    let status = settled(&server, &id).await;
    assert_eq!((status["stage"].as_str(), status["n_read"].as_u64()), (Some("done"), Some(12)), "{status}");
    let readings = server.get(&format!("/v1/videos/{id}/readings")).await.json();
    let frames = readings["frames"].as_array().expect("frames");
    assert_eq!(frames.len(), 12);
    assert_eq!(frames[11]["timestamp_ms"], 440.0);
    assert_eq!(frames[11]["faces"][0]["label"], 3);
    let csv = server.get(&format!("/v1/videos/{id}/readings.csv")).await.text();
    assert_eq!(csv.lines().count(), 13);
    assert!(csv.lines().nth(1).expect("a row").starts_with("walk.mp4,0,0.000,1,1,"), "{csv}");
    let jsonl = server.get(&format!("/v1/videos/{id}/readings.jsonl")).await.text();
    let row: Value = serde_json::from_str(jsonl.lines().nth(11).expect("a row")).expect("JSON");
    assert_eq!((row["frame"].as_u64(), row["timestamp_ms"].as_f64()), (Some(11), Some(440.0)));
    let video = server.get(&format!("/v1/videos/{id}/annotated.mp4")).await;
    assert!(video.headers.contains("content-type: video/mp4"));
    assert_eq!(&video.body[4..8], b"ftyp");
    assert_eq!(server.ask("DELETE", &format!("/v1/videos/{id}"), &[], b"").await.status, 204);
    assert_eq!(server.get(&format!("/v1/videos/{id}/readings")).await.problem(), "not-found");
    server.stop().await;
}

#[tokio::test]
async fn what_is_no_video_says_so_and_tells_no_path() {
    let server = Running::start(Limits { video_bytes: 1000, ..Limits::default() }).await;
    let id = upload(&server, "", b"hello").await;
    let status = settled(&server, &id).await;
    assert_eq!(status["stage"], "failed");
    assert_eq!(status["problem"]["type"], "urn:fer:problem:not-a-video");
    assert!(!status.to_string().contains("fer-videos-"), "{status}");
    assert_eq!(server.get(&format!("/v1/videos/{id}/readings.csv")).await.problem(), "not-ready");
    let empty = upload(&server, "", b"clip 0").await;
    assert_eq!(settled(&server, &empty).await["problem"]["type"], "urn:fer:problem:not-a-video");
    assert_eq!(server.post("/v1/videos", b"").await.problem(), "bad-request");
    assert_eq!(server.post("/v1/videos", &[0; 1001]).await.problem(), "body-too-large");
    assert_eq!(server.post("/v1/videos?annotated=perhaps", b"clip 1").await.problem(), "bad-request");
    let long = format!("/v1/videos?name={}", "a".repeat(201));
    assert_eq!(server.post(&long, b"clip 1").await.problem(), "bad-request");
    let plain = upload(&server, "", b"clip 2").await;
    settled(&server, &plain).await;
    assert_eq!(server.get(&format!("/v1/videos/{plain}/annotated.mp4")).await.problem(), "not-found");
    server.stop().await;
}

#[tokio::test]
async fn only_so_many_videos_wait_and_a_removed_one_makes_room() {
    let server = Running::start(Limits { videos: 1, ..Limits::default() }).await;
    server.gate.close();
    let id = upload(&server, "", b"clip 50").await;
    let full = server.post("/v1/videos", b"clip 1").await;
    assert_eq!(full.problem(), "busy");
    assert!(full.headers.contains("retry-after"));
    assert_eq!(server.get(&format!("/v1/videos/{id}/readings")).await.problem(), "not-ready");
    assert_eq!(server.ask("DELETE", &format!("/v1/videos/{id}"), &[], b"").await.status, 204);
    server.gate.open();
    let next = upload(&server, "", b"clip 1").await;
    assert_eq!(settled(&server, &next).await["stage"], "done");
    server.stop().await;
}

#[tokio::test]
async fn a_finished_video_is_forgotten_when_its_time_is_over() {
    let server = Running::start(Limits { video_keep: Duration::from_millis(1), ..Limits::default() }).await;
    let id = upload(&server, "", b"clip 1").await;
    // Every upload first forgets what is old; the next one comes when this one is read or forgotten, so that
    // the queue never fills.
    let forgotten = async {
        while server.get(&format!("/v1/videos/{id}")).await.status != 404 {
            let other = upload(&server, "", b"clip 1").await;
            while is_unread(&server, &other).await {}
        }
    };
    in_time(forgotten).await;
    server.stop().await;
}

#[tokio::test]
async fn an_upload_takes_its_place_from_its_first_byte_and_gives_it_back_when_it_breaks_off() {
    let server = Running::start(Limits { videos: 1, ..Limits::default() }).await;
    let mut socket = TcpStream::connect(server.address).await.expect("a place");
    let head = server.head("POST", "/v1/videos", &[("expect", "100-continue")], 1000);
    socket.write_all(&head).await.expect("sent");
    // The server asks for the first byte when the video has its place.
    let mut asked = [0; 12];
    in_time(socket.read_exact(&mut asked)).await.expect("open");
    assert_eq!(&asked, b"HTTP/1.1 100");
    let refused = server.post("/v1/videos", b"clip 1").await;
    assert_eq!(refused.problem(), "busy");
    assert!(refused.text().contains("being uploaded"), "{}", refused.text());
    drop(socket);
    let taken = async { while server.post("/v1/videos", b"clip 1").await.status != 202 {} };
    in_time(taken).await;
    server.stop().await;
}

#[tokio::test]
async fn all_videos_share_one_budget() {
    let server = Running::start(Limits { all_video_bytes: 10, ..Limits::default() }).await;
    server.gate.close();
    upload(&server, "", b"clip 1").await;
    let full = server.post("/v1/videos", b"clip 2").await;
    assert_eq!(full.problem(), "busy", "6 of 10 bytes are taken");
    server.gate.open();
    let taken = async { while server.post("/v1/videos", b"clip 3").await.status != 202 {} };
    in_time(taken).await;
    server.stop().await;
}
