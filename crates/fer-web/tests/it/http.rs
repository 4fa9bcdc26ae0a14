//! The HTTP interface: what it answers, and how it refuses.

use std::time::Duration;

use fer_web::{Access, Limits};
use image::ImageFormat;
use tokio::{io::AsyncWriteExt, net::TcpStream, task::JoinSet};

use super::fakes::{Answer, Running, dark, encoded, in_time, jpeg, picture};

#[tokio::test]
async fn a_picture_is_answered_with_its_face() {
    let server = Running::start(Limits::default()).await;
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Bmp] {
        let answer = server.post("/v1/analyze", &encoded(&picture(64, 48), format)).await;
        assert_eq!(answer.status, 200, "{format:?}: {}", answer.text());
        let json = answer.json();
        let read = &json["pictures"][0];
        assert_eq!((read["width"].as_u64(), read["height"].as_u64()), (Some(64), Some(48)));
        let face = &read["faces"][0];
        assert_eq!(face["box"]["x"], 10.0);
        assert_eq!(face["label"], json["labels"][3]);
        let sum: f64 =
            face["probabilities"].as_object().expect("by label").values().filter_map(|p| p.as_f64()).sum();
        assert!((sum - 1.0).abs() < 1e-5, "{face}");
        assert!(read["times"]["total_ms"].as_f64().is_some_and(|ms| ms > 0.0));
    }
    server.stop().await;
}

#[tokio::test]
async fn a_picture_without_a_face_is_an_empty_list() {
    let server = Running::start(Limits::default()).await;
    let answer = server.post("/v1/analyze", &encoded(&dark(64, 64), ImageFormat::Png)).await;
    assert_eq!(answer.json()["pictures"][0]["faces"], serde_json::json!([]));
    server.stop().await;
}

/// A form with named parts.
fn form(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, bytes) in parts {
        let head = format!(
            "--x\r\ncontent-disposition: form-data; name=\"picture\"; filename=\"{name}\"\r\n\
             content-type: application/octet-stream\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--x--\r\n");
    body
}

const FORM: (&str, &str) = ("content-type", "multipart/form-data; boundary=x");

#[tokio::test]
async fn a_batch_keeps_its_order_and_a_bad_picture_fails_alone() {
    let server = Running::start(Limits::default()).await;
    let body = form(&[
        ("a.jpg", &jpeg()),
        ("b.txt", b"hello"),
        ("c.png", &encoded(&dark(32, 32), ImageFormat::Png)),
    ]);
    let answer = server.ask("POST", "/v1/analyze", &[FORM], &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let json = answer.json();
    let names: Vec<_> =
        (0..3).map(|i| json["pictures"][i]["name"].as_str().expect("a name").to_owned()).collect();
    assert_eq!(names, ["a.jpg", "b.txt", "c.png"]);
    assert_eq!(json["pictures"][1]["problem"]["type"], "urn:fer:problem:not-a-picture");
    assert_eq!(json["pictures"][2]["width"], 32);
    server.stop().await;
}

#[tokio::test]
async fn the_csv_answer_is_the_recorders_table() {
    let server = Running::start(Limits::default()).await;
    let body = form(&[("a.jpg", &jpeg()), ("b.txt", b"hello")]);
    let answer = server.ask("POST", "/v1/analyze", &[FORM, ("accept", "text/csv")], &body).await;
    let text = answer.text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    let columns = server.get("/v1/model").await.json()["columns"].clone();
    let header: Vec<&str> =
        columns.as_array().expect("columns").iter().filter_map(|name| name.as_str()).collect();
    assert_eq!(lines[0], header.join(","));
    assert!(lines[1].starts_with("a.jpg,0,0.000,1,1,10.00,10.00,40.00,40.00,"), "{text}");
    assert!(lines[2].starts_with("b.txt,0,0.000,0,"), "{text}");
    server.stop().await;
}

#[tokio::test]
async fn every_refusal_is_a_problem_that_says_what_to_do() {
    let limits = Limits { body_bytes: 20_000, pixels: 10_000, pictures: 2, ..Limits::default() };
    let server = Running::start(limits).await;
    let post = |body: Vec<u8>| {
        let server = &server;
        async move { server.post("/v1/analyze", &body).await.problem() }
    };
    assert_eq!(post(Vec::new()).await, "bad-request");
    assert_eq!(post(b"hello".to_vec()).await, "not-a-picture");
    assert_eq!(post(jpeg()[..100].to_vec()).await, "not-a-picture");
    assert_eq!(post(encoded(&dark(200, 51), ImageFormat::Png)).await, "picture-too-large");
    assert_eq!(post(vec![0; 20_001]).await, "body-too-large");
    let three = form(&[("a", b"1"), ("b", b"2"), ("c", b"3")]);
    assert_eq!(server.ask("POST", "/v1/analyze", &[FORM], &three).await.problem(), "bad-request");
    assert_eq!(server.ask("POST", "/v1/analyze", &[FORM], b"--x--\r\n").await.problem(), "bad-request");
    let other = String::from_utf8(form(&[("a", b"1")])).expect("text").replace("picture", "photo");
    assert_eq!(server.ask("POST", "/v1/analyze", &[FORM], other.as_bytes()).await.problem(), "bad-request");
    assert_eq!(server.get("/v1/analyze").await.problem(), "method-not-allowed");
    assert_eq!(server.get("/nothing").await.problem(), "not-found");
    assert_eq!(server.get("/metrics").await.problem(), "not-found");
    assert_eq!(server.get("/stream.mjpg").await.problem(), "not-found");
    server.stop().await;
}

/// A PNG's first bytes, which promise 50,000 × 50,000 pixels and hold none.
fn bomb() -> Vec<u8> {
    let mut png = encoded(&dark(8, 8), ImageFormat::Png);
    png[16..20].copy_from_slice(&50_000_u32.to_be_bytes());
    png[20..24].copy_from_slice(&50_000_u32.to_be_bytes());
    // A wrong checksum would be refused for that and not for the size.
    let checksum = crc32(&png[12..29]);
    png[29..33].copy_from_slice(&checksum.to_be_bytes());
    png
}

/// CRC-32 as PNG uses it.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (!(crc & 1)).wrapping_add(1)))
    })
}

#[tokio::test]
async fn a_decompression_bomb_is_refused_from_its_header() {
    let server = Running::start(Limits::default()).await;
    let answer = server.post("/v1/analyze", &bomb()).await;
    assert_eq!(answer.problem(), "picture-too-large");
    assert!(answer.text().contains("50000×50000"), "{}", answer.text());
    server.stop().await;
}

#[tokio::test]
async fn a_full_queue_answers_503_and_says_when_to_try_again() {
    let limits = Limits { waiting: 1, ..Limits::default() };
    let server = std::sync::Arc::new(Running::start(limits).await);
    server.gate.close();
    let mut asked = JoinSet::new();
    for _ in 0..64 {
        let server = server.clone();
        asked.spawn(async move { server.post("/v1/analyze", &jpeg()).await });
    }
    // The network waits at the gate: what its queue, the detectors and the one place hold is answered later.
    let (mut read, mut refused) = (0, 0);
    while let Some(answer) = in_time(asked.join_next()).await {
        let answer = answer.expect("no panic");
        if answer.status == 503 {
            assert_eq!(answer.problem(), "busy");
            assert!(answer.headers.contains("retry-after: 1"), "{}", answer.headers);
            refused += 1;
            server.gate.open();
        } else {
            assert_eq!(answer.status, 200);
            read += 1;
        }
    }
    assert!(read > 0 && refused > 0, "{read} read, {refused} refused");
    assert_eq!(server.post("/v1/analyze", &jpeg()).await.status, 200, "it recovers");
}

#[tokio::test]
async fn a_picture_whose_turn_does_not_come_is_answered_503_and_not_left_alone() {
    let limits = Limits { answer_time: Duration::from_millis(100), ..Limits::default() };
    let server = Running::start(limits).await;
    server.gate.close();
    let answer = in_time(server.post("/v1/analyze", &jpeg())).await;
    assert_eq!((answer.status, answer.problem().as_str()), (503, "busy"));
    server.gate.open();
    server.stop().await;
}

#[tokio::test]
async fn the_bodies_of_all_requests_share_one_memory() {
    let limits = Limits { all_body_bytes: 100 << 10, body_bytes: 100 << 10, ..Limits::default() };
    let server = Running::start(limits).await;
    // One that never sends its end keeps what it has sent.
    let mut slow = TcpStream::connect(server.address).await.expect("a place");
    slow.write_all(&server.head("POST", "/v1/analyze", &[], 90 << 10)).await.expect("sent");
    slow.write_all(&[0; 80 << 10]).await.expect("sent");
    let large = vec![0; 60 << 10];
    let busy = in_time(async {
        loop {
            // What was sent is on its way until the server has read it.
            let answer = server.post("/v1/analyze", &large).await;
            if answer.status == 503 {
                return answer;
            }
        }
    });
    assert_eq!(busy.await.problem(), "busy");
    assert_eq!(server.post("/v1/analyze", &jpeg()).await.status, 200, "a small one has room");
    drop(slow);
    let read = in_time(async { while server.post("/v1/analyze", &large).await.status == 503 {} });
    read.await;
    server.stop().await;
}

#[tokio::test]
async fn too_many_connections_are_answered_and_closed() {
    let limits = Limits { connections: 2, ..Limits::default() };
    let server = Running::start(limits).await;
    let _first = TcpStream::connect(server.address).await.expect("a place");
    let _second = TcpStream::connect(server.address).await.expect("a place");
    let mut third = TcpStream::connect(server.address).await.expect("the system accepts");
    third.write_all(&server.head("GET", "/healthz", &[], 0)).await.expect("sent");
    third.shutdown().await.expect("closed");
    let answer = Answer::read(&mut third).await;
    assert_eq!(answer.problem(), "busy");
    assert!(answer.headers.contains("retry-after: 1"));
}

#[tokio::test]
async fn a_body_that_does_not_come_is_given_up() {
    let limits = Limits { body_time: Duration::from_millis(100), ..Limits::default() };
    let server = Running::start(limits).await;
    let mut socket = TcpStream::connect(server.address).await.expect("a place");
    socket.write_all(&server.head("POST", "/v1/analyze", &[], 1000)).await.expect("sent");
    assert_eq!(Answer::read(&mut socket).await.problem(), "too-slow");
    server.stop().await;
}

#[tokio::test]
async fn a_body_that_is_announced_too_large_is_refused_before_it_comes() {
    let limits = Limits { body_bytes: 1000, video_bytes: 1000, ..Limits::default() };
    let server = Running::start(limits).await;
    for path in ["/v1/analyze", "/v1/videos"] {
        let mut socket = TcpStream::connect(server.address).await.expect("a place");
        socket.write_all(&server.head("POST", path, &[], 1001)).await.expect("sent");
        // Not a byte of the body is sent: the default time for one is half a minute.
        let answer = in_time(Answer::read(&mut socket)).await;
        assert_eq!((answer.status, answer.problem().as_str()), (413, "body-too-large"), "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn headers_that_do_not_come_end_the_connection() {
    let limits = Limits { header_time: Duration::from_millis(100), ..Limits::default() };
    let server = Running::start(limits).await;
    let mut socket = TcpStream::connect(server.address).await.expect("a place");
    socket.write_all(b"GET / HTTP/1.1\r\nx-slow: ").await.expect("sent");
    let mut rest = Vec::new();
    let closed = tokio::time::timeout(
        Duration::from_secs(10),
        tokio::io::AsyncReadExt::read_to_end(&mut socket, &mut rest),
    );
    assert!(closed.await.is_ok(), "still open");
    server.stop().await;
}

#[tokio::test]
async fn strangers_are_refused_before_anything_is_read() {
    let server = Running::start(Limits::default()).await;
    let foreign_host = server.ask("GET", "/v1/model", &[("host", "evil.example")], b"").await;
    assert_eq!((foreign_host.status, foreign_host.problem().as_str()), (403, "foreign-origin"));
    let foreign_target = server.get("http://evil.example/v1/model").await;
    assert_eq!((foreign_target.status, foreign_target.problem().as_str()), (403, "foreign-origin"));
    let own_target = server.get(&format!("http://{}/v1/model", server.address)).await;
    assert_eq!(own_target.status, 200, "{}", own_target.text());
    let foreign_page =
        server.ask("POST", "/v1/analyze", &[("origin", "https://evil.example")], &jpeg()).await;
    assert_eq!(foreign_page.problem(), "foreign-origin");
    let embedded = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")];
    assert_eq!(server.ask("GET", "/stream.mjpg", &embedded, b"").await.problem(), "foreign-origin");
    server.stop().await;
}

#[tokio::test]
async fn with_a_token_nothing_is_answered_without_it() {
    let server = Running::start_with(Limits::default(), Access::Token("abc123".into()), None).await;
    for path in ["/", "/v1/model", "/healthz", "/assets/app.js", "/v1/live"] {
        let answer = server.get(path).await;
        assert_eq!((answer.status, answer.problem().as_str()), (401, "token-missing"), "{path}");
    }
    let page = server.ask("GET", "/", &[("accept", "text/html")], b"").await;
    assert!(page.status == 401 && page.text().contains("access token"));
    let signed_in = server.get("/?token=abc123").await;
    assert_eq!(signed_in.status, 303);
    assert!(signed_in.headers.contains("set-cookie: fer_token=abc123; httponly; samesite=strict; path=/"));
    assert!(signed_in.headers.contains("location: /\r\n") || signed_in.headers.ends_with("location: /"));
    let cookie = [("cookie", "fer_token=abc123"), ("host", "studio.example")];
    assert_eq!(server.ask("GET", "/v1/model", &cookie, b"").await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn every_answer_has_the_security_headers_and_no_inline_script_is_allowed() {
    let server = Running::start(Limits::default()).await;
    for path in ["/", "/assets/app.js", "/v1/model", "/nothing"] {
        let answer = server.get(path).await;
        for header in [
            "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self';",
            "x-content-type-options: nosniff",
            "x-frame-options: deny",
            "referrer-policy: no-referrer",
            "cross-origin-resource-policy: same-origin",
            "permissions-policy: camera=(self), microphone=()",
        ] {
            assert!(answer.headers.contains(header), "{path} lacks {header}: {}", answer.headers);
        }
        assert!(!answer.headers.contains("unsafe"), "{path}: {}", answer.headers);
    }
    server.stop().await;
}

#[tokio::test]
async fn the_page_names_only_this_server_and_has_no_script_of_its_own() {
    let server = Running::start(Limits::default()).await;
    let page = server.get("/").await.text();
    let mut seen = Vec::new();
    let words: Vec<&str> = page.split(['"', ' ', '\n']).collect();
    for pair in words.windows(2) {
        let ["href=" | "src=", address] = pair else { continue };
        if address.starts_with('#') {
            continue;
        }
        // The page may stand below any path of a host: its addresses are relative.
        assert!(!address.starts_with('/'), "{address}");
        let answer = server.get(&format!("/{address}")).await;
        assert_eq!(answer.status, 200, "{address}");
        seen.push(*address);
    }
    assert!(seen.contains(&"assets/app.js") && seen.contains(&"openapi.json"), "{seen:?}");
    assert!(!page.contains("<script>") && !page.contains(" style=") && !page.contains(" onclick="));
    for asset in ["/", "/assets/app.js", "/assets/style.css", "/assets/camera/capture.js", "/favicon.svg"] {
        let text = server.get(asset).await.text().replace("http://www.w3.org/2000/svg", "");
        assert!(!text.contains("http://") && !text.contains("https://"), "{asset} names another host");
    }
    server.stop().await;
}

#[tokio::test]
async fn every_script_that_another_imports_is_served() {
    let server = Running::start(Limits::default()).await;
    let mut wanted = vec!["/assets/app.js".to_owned(), "/assets/reading/remote.js".to_owned()];
    let mut n_seen = 0;
    while n_seen < wanted.len() {
        let path = wanted[n_seen].clone();
        n_seen += 1;
        let script = server.get(&path).await;
        assert_eq!(script.status, 200, "{path}");
        for named in script.text().split(" from \"").skip(1) {
            let relative = named.split('"').next().expect("a first part");
            let imported = resolve(&path, relative);
            if !wanted.contains(&imported) {
                wanted.push(imported);
            }
        }
    }
    assert!(n_seen >= 15, "{wanted:?}");
    server.stop().await;
}

/// Where `./a.js` or `../a.js` in a script leads.
fn resolve(from: &str, relative: &str) -> String {
    let mut folders: Vec<&str> = from.split('/').collect();
    folders.pop();
    for part in relative.split('/') {
        match part {
            "." => {}
            ".." => drop(folders.pop()),
            name => folders.push(name),
        }
    }
    folders.join("/")
}

#[tokio::test]
async fn an_unchanged_file_is_not_sent_again() {
    let server = Running::start(Limits::default()).await;
    let first = server.get("/assets/app.js").await;
    let tag = first.headers.lines().find_map(|line| line.strip_prefix("etag: ")).expect("a tag").to_owned();
    let again = server.ask("GET", "/assets/app.js", &[("if-none-match", &tag)], b"").await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    server.stop().await;
}

#[tokio::test]
async fn the_openapi_file_lists_the_addresses_that_answer() {
    let server = Running::start(Limits::default()).await;
    let api = server.get("/openapi.json").await.json();
    assert_eq!(api["openapi"], "3.1.0");
    for (path, methods) in api["paths"].as_object().expect("paths") {
        for method in methods.as_object().expect("methods").keys().filter(|key| *key != "parameters") {
            let answer = server.ask(&method.to_uppercase(), &path.replace("{id}", "0"), &[], b"").await;
            let known = answer.status != 405 && !answer.text().contains("is no address of this server");
            assert!(known, "{method} {path}: {} {}", answer.status, answer.text());
            let described = &methods[method]["responses"][answer.status.to_string()];
            assert!(described.is_object(), "{method} {path}: {} is not described", answer.status);
        }
    }
    server.stop().await;
}
