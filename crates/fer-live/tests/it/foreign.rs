//! Videos that other programs wrote, with uneven rates and pictures out of order.

use std::path::Path;
use std::process::Command;

use crate::program::{rows, run, text};

/// Seconds at which the pictures are shown, in order, as ffprobe tells.
fn shown(path: &Path) -> Vec<f64> {
    let words = "-v error -select_streams v -show_entries packet=pts_time -of csv=p=0";
    let output = Command::new("ffprobe").args(words.split(' ')).arg(path).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let mut times: Vec<f64> =
        said.lines().filter_map(|line| line.trim_end_matches(',').parse().ok()).collect();
    times.sort_by(f64::total_cmp);
    times
}

/// Ninety pictures of which about every second is left out, unevenly; `false` without ffmpeg.
fn write_uneven(path: &Path, codec: &str) -> bool {
    let thinned = "select='not(mod(n,2))+not(mod(n,7))'";
    let words =
        format!("-v error -f lavfi -i testsrc=size=160x120:rate=30:duration=3.2 {codec} -vsync vfr -vf");
    let status = Command::new("ffmpeg").args(words.split(' ')).arg(thinned).arg(path).status();
    status.is_ok_and(|status| status.success())
}

#[test]
fn every_frame_keeps_its_containers_time() {
    let folder = tempfile::tempdir().unwrap();
    let csv = folder.path().join("out.csv");
    for (name, codec) in [
        ("ordered.webm", "-c:v libvpx -deadline realtime"),
        ("reordered.mp4", "-c:v libx264 -bf 3"),
        ("reordered.mkv", "-c:v libx264 -bf 3"),
        ("old.avi", "-c:v mpeg4 -r 15"),
    ] {
        let path = folder.path().join(name);
        if !write_uneven(&path, codec) {
            eprintln!("skipped: no ffmpeg to write {name}");
            continue;
        }
        let output = run(&["--input", text(&path), "--headless", "--csv", text(&csv)]);
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        let read: Vec<f64> = rows(&csv).iter().map(|row| row[2].parse::<f64>().unwrap() / 1000.0).collect();
        let shown = shown(&path);
        assert_eq!(read.len(), shown.len(), "{name}");
        let first = shown[0] - read[0];
        // The last pictures of a file that stores them out of order have no time in OpenCV 4.6.
        let n_sure = shown.len() - if name.starts_with("reordered") { 3 } else { 0 };
        for (idx, (read, shown)) in read.iter().zip(&shown).enumerate() {
            let allowed = if idx < n_sure { 0.002 } else { 0.07 };
            assert!((shown - first - read).abs() < allowed, "{name}: {read} is shown at {shown}");
        }
        assert!(read.is_sorted(), "{name}");
    }
}
