//! What a server holds of large pictures: a bounded amount while it reads them, and nothing afterwards.
#![expect(clippy::disallowed_methods, reason = "a wait for a program has an end")]

use std::fs;
use std::io::{BufRead, BufReader, Cursor, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use image::{ImageFormat, RgbImage};

use super::program::model;

/// A server that ends with its test.
struct Serving {
    process: Child,
    address: String,
}

impl Serving {
    fn start() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fer-live"));
        command.args(["serve", "--address", "127.0.0.1:0", "--model"]).arg(model());
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut page = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut page).unwrap();
        let page = page.trim().trim_start_matches("http://");
        let address = page.split('/').next().unwrap_or_default().to_owned();
        Self { process, address }
    }

    /// The first line of the answer to a picture.
    fn ask(&self, picture: &[u8]) -> String {
        let mut socket = TcpStream::connect(&self.address).unwrap();
        let head = format!(
            "POST /v1/analyze HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            self.address,
            picture.len()
        );
        socket.write_all(head.as_bytes()).unwrap();
        socket.write_all(picture).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer.lines().next().unwrap_or_default().to_owned()
    }

    /// What the system says of the process, by its name in `/proc/PID/status`; its first number.
    fn status(&self, field: &str) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(field))?;
        Some(line.split_whitespace().nth(1).unwrap().parse().unwrap())
    }

    /// Memory of the process in MiB: `VmRSS` now, `VmHWM` at most so far.
    fn memory(&self, field: &str) -> u64 {
        self.status(field).unwrap() >> 10
    }

    /// MiB beyond `before` once they are no more than `most`, or after 20 s.
    fn holds_after(&self, before: u64, most: u64) -> u64 {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            let held = self.memory("VmRSS").saturating_sub(before);
            if held <= most || Instant::now() >= end {
                return held;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// A PNG of one colour.
fn png(side: u32) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    RgbImage::from_pixel(side, side, image::Rgb([90; 3])).write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[test]
#[cfg(target_os = "linux")]
fn large_pictures_at_once_stay_within_the_memory_and_leave_none_behind() {
    let server = Serving::start();
    assert_eq!(server.ask(&png(64)), "HTTP/1.1 200 OK");
    let before = server.memory("VmRSS");
    let large = png(7000);
    std::thread::scope(|scope| {
        let asked: Vec<_> = (0..8).map(|_| scope.spawn(|| server.ask(&large))).collect();
        assert!(asked.into_iter().all(|answer| answer.join().unwrap() == "HTTP/1.1 200 OK"));
    });
    // One needs 294 MB, and two are never in work at once; two and their grey copies need 390 MB and more.
    let most = server.memory("VmHWM") - before;
    assert!(most < 360, "{most} MiB beyond the {before} before");
    let held = server.holds_after(before, 80);
    assert!(held <= 80, "{held} MiB are still held");
}

/// A body arrives in one thread and is dropped in another: an allocator would keep it for the first.
#[test]
#[cfg(target_os = "linux")]
fn refused_bodies_leave_no_memory_behind() {
    let server = Serving::start();
    assert_eq!(server.ask(&png(64)), "HTTP/1.1 200 OK");
    let before = server.memory("VmRSS");
    let mut body = vec![7; 24 << 20];
    body[..4].copy_from_slice(&[0xff, 0xd8, 0xff, 0xe0]);
    std::thread::scope(|scope| {
        let asked: Vec<_> = (0..8).map(|_| scope.spawn(|| server.ask(&body))).collect();
        assert!(asked.into_iter().all(|answer| answer.join().unwrap().contains("415")));
    });
    let held = server.holds_after(before, 60);
    assert!(held <= 60, "{held} MiB of 192 are still held");
}

/// With huge pages, memory that was given back comes again: a camera and two servers grew by 5 to 15 MiB an hour.
#[test]
#[cfg(target_os = "linux")]
fn the_system_fills_up_no_huge_pages() {
    // Linux before 5.0 does not tell.
    let told = Serving::start().status("THP_enabled");
    assert!(told.is_none_or(|value| value == 0), "{told:?}");
}
