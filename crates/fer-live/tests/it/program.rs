//! The program as its users meet it: commands, files, exit codes.
#![expect(clippy::disallowed_methods, reason = "a wait for a program has an end")]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use fer_data::{Emotion, Labels};
use fer_live::open::open;
use fer_live::source::{DrawnSource, SourceOptions};
use fer_model::{Architecture, DeviceChoice, ModelCard, Predictor, Tta};
use fer_net::{Net, checkpoint, choose};
use fer_stream::FrameSource;
use fer_stream::record::VideoRecorder;
use fer_vision::{Classified, Classify};
use image::{GrayImage, Luma, RgbImage};
use tempfile::TempDir;

/// A model with random weights: enough for everything but the expressions themselves.
pub(crate) fn model() -> &'static Path {
    static MODEL: OnceLock<TempDir> = OnceLock::new();
    let folder = MODEL.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let device = choose(DeviceChoice::Cpu).unwrap().device;
        let net = Net::new(Architecture::Tiny, 7, 0.0, &device);
        let card = ModelCard::new(Architecture::Tiny, Labels::fer2013(), "2000-01-01");
        checkpoint::save(folder.path(), &net, &card).unwrap();
        folder
    });
    folder.path()
}

#[test]
fn a_photos_face_is_read_from_both_sides_and_a_frames_as_it_is() {
    let predictor = Predictor::load(model()).unwrap();
    let face = fer_drawn::face(4, 0, Emotion::Happy);
    let both = [face.clone(), Tta::Flip.views(&face)[1].clone()];
    let apart = |rows: Vec<Classified>| {
        let pairs = rows[0].probabilities.iter().zip(&rows[1].probabilities);
        pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    };
    // 1e-5: a mean in another order.
    assert!(apart(predictor.classify_photo(&both).unwrap()) < 1e-5);
    assert!(apart(predictor.classify(&both).unwrap()) > 1e-3);
}

pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fer-live"));
    command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY").arg("--model").arg(model());
    command
}

pub(crate) fn run(arguments: &[&str]) -> Output {
    program().args(arguments).stdin(Stdio::null()).output().unwrap()
}

/// The exit code, and what was said on standard error.
pub(crate) fn refused(arguments: &[&str]) -> (i32, String) {
    let output = run(arguments);
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Two drawn people for `n_frames` frames of 640×480.
pub(crate) fn clip(folder: &Path, n_people: usize, n_frames: u64) -> PathBuf {
    let path = folder.join("clip.mp4");
    let options = SourceOptions { n_people, seed: 3, ..SourceOptions::new(Instant::now()) };
    let mut scene = DrawnSource::clip(&options, Some(n_frames));
    let mut video = VideoRecorder::create(&path).unwrap();
    while let Some(frame) = scene.next_frame().unwrap() {
        video.record(&frame.picture, frame.timestamp).unwrap();
    }
    video.finish().unwrap();
    path
}

pub(crate) fn frames(path: &Path) -> Vec<fer_vision::Frame> {
    let mut source = open(text(path), &SourceOptions::new(Instant::now())).unwrap();
    std::iter::from_fn(|| source.next_frame().ok().flatten()).collect()
}

pub(crate) fn rows(path: &Path) -> Vec<csv::StringRecord> {
    csv::Reader::from_path(path).unwrap().records().map(Result::unwrap).collect()
}

#[test]
fn a_drawn_clip_is_read_from_end_to_end() {
    let folder = tempfile::tempdir().unwrap();
    let (csv, out) = (folder.path().join("out.csv"), folder.path().join("out.mp4"));
    let clip = clip(folder.path(), 1, 150);
    let output =
        run(&["--input", text(&clip), "--headless", "--csv", text(&csv), "--save-video", text(&out)]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rows = rows(&csv);
    assert_eq!(rows.len(), 150, "one person: one row a frame");
    let found: Vec<_> = rows.iter().filter(|row| &row[3] == "1").collect();
    assert!(found.len() * 100 >= 150 * 95, "found in {} of 150 frames", found.len());
    assert!(found.iter().all(|row| &row[4] == "1"), "one track over the clip");
    for (row, index) in rows.iter().zip(0..) {
        assert_eq!(row[1].parse::<u64>().unwrap(), index);
        assert!((row[2].parse::<f64>().unwrap() - index as f64 * 1000.0 / 30.0).abs() < 0.1);
    }
    let annotated = frames(&out);
    assert_eq!(annotated.len(), 150);
    assert_eq!(annotated[0].picture.dimensions(), (640, 480));
}

#[test]
fn times_of_a_file_with_an_uneven_rate_are_the_containers() {
    let folder = tempfile::tempdir().unwrap();
    let (clip, csv) = (folder.path().join("uneven.mp4"), folder.path().join("out.csv"));
    let times: Vec<u64> = (0..40u64).map(|i| i * 20 + (i / 10) * (i / 10) * 130).collect();
    let mut video = VideoRecorder::create(&clip).unwrap();
    for &time in &times {
        video.record(&RgbImage::new(64, 64), Duration::from_millis(time)).unwrap();
    }
    video.finish().unwrap();
    assert!(run(&["--input", text(&clip), "--headless", "--csv", text(&csv)]).status.success());
    let read: Vec<f64> = rows(&csv).iter().map(|row| row[2].parse().unwrap()).collect();
    assert_eq!(read.len(), 40);
    assert!(read.iter().zip(&times).all(|(read, &time)| (read - time as f64).abs() < 1.0), "{read:?}");
}

/// A disk that is full within a row; here the system allows no file beyond 5 blocks of 512 bytes.
#[test]
#[cfg(target_os = "linux")]
fn a_record_that_cannot_go_on_ends_with_a_row() {
    let folder = tempfile::tempdir().unwrap();
    for ending in ["csv", "jsonl"] {
        let file = folder.path().join(format!("out.{ending}"));
        let option = format!("--{ending}");
        let output = Command::new("sh")
            .args(["-c", "trap '' XFSZ; ulimit -f 5; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_fer-live")])
            .args(["--model", text(model()), "--input", "drawn", "--frames", "60", "--headless", "-q"])
            .args([&option, text(&file)])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(5), "{}", String::from_utf8_lossy(&output.stderr));
        let written = std::fs::read_to_string(&file).unwrap();
        assert!(written.lines().count() > 3 && written.ends_with('\n'), "{written}");
    }
}

#[test]
fn photos_are_told_as_a_table_and_as_json() {
    let folder = tempfile::tempdir().unwrap();
    let photo = folder.path().join("photo.png");
    let annotated = folder.path().join("read.png");
    let scene = fer_drawn::Scene::new(3, 1, 640, 480);
    scene.frame(Duration::from_millis(900)).save(&photo).unwrap();
    let output = run(&["--input", text(&photo), "--save-picture", text(&annotated)]);
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("photo.png: 640×480, 1 face\nface  box"), "{table}");
    assert_eq!(image::open(&annotated).unwrap().width(), 640);
    let output = run(&["--input", text(&photo), "--json", "-"]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let sum: f64 = document[0]["faces"][0]["probabilities"]
        .as_object()
        .unwrap()
        .values()
        .filter_map(|p| p.as_f64())
        .sum();
    assert!((sum - 1.0).abs() < 1e-3);
}

#[test]
fn folders_beside_photos_are_read_or_told() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("more")).unwrap();
    for name in ["wall.png", "more/wall.png"] {
        RgbImage::new(64, 64).save(folder.path().join(name)).unwrap();
    }
    let run = |more: &[&str]| {
        let output = run(&[&["--input", text(folder.path()), "--headless"], more].concat());
        [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap())
    };
    let [table, said] = run(&[]);
    assert_eq!(table.matches("wall.png").count(), 1, "{table}");
    assert!(said.contains("1 folders in it are left out; --recursive reads those too"), "{said}");
    let [table, said] = run(&["--recursive"]);
    assert_eq!(table.matches("wall.png").count(), 2, "{table}");
    assert!(!said.contains("left out"), "{said}");
}

#[test]
fn a_list_of_photos_and_a_cascade_are_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let [photo, list, cascade] = ["wall.png", "list.txt", "faces.xml"].map(|name| folder.path().join(name));
    RgbImage::new(64, 64).save(&photo).unwrap();
    std::fs::write(&list, format!("{}\n", text(&photo))).unwrap();
    std::fs::write(&cascade, "a cascade").unwrap();
    for needed in [&list, &cascade] {
        let before = std::fs::read(needed).unwrap();
        for option in ["--csv", "--json", "--jsonl"] {
            let read = ["--input", text(&list), "--cascade", text(&cascade)];
            let (code, said) = refused(&[&read[..], &[option, text(needed)]].concat());
            assert_eq!(code, 2, "{said}");
            assert!(said.contains("is there too; choose another"), "{said}");
            assert_eq!(std::fs::read(needed).unwrap(), before);
        }
    }
}

#[cfg(unix)]
#[test]
fn a_photos_name_does_not_reach_the_terminal_raw() {
    let folder = tempfile::tempdir().unwrap();
    let photo = folder.path().join("\u{1b}[31m\r.png");
    RgbImage::new(64, 64).save(&photo).unwrap();
    let table = String::from_utf8(run(&["--input", text(&photo)]).stdout).unwrap();
    assert!(table.contains("\\u{1b}[31m\\r.png: 64×64, no face found"), "{table}");
    assert!(!table.contains(['\u{1b}', '\r']), "{table:?}");
}

#[test]
fn a_blurred_picture_has_no_face_left_and_its_reading_has() {
    let folder = tempfile::tempdir().unwrap();
    let [photo, hidden, csv] = ["photo.png", "hidden.png", "out.csv"].map(|name| folder.path().join(name));
    let scene = fer_drawn::Scene::new(3, 1, 640, 480);
    scene.frame(Duration::from_millis(900)).save(&photo).unwrap();
    let saved = ["--save-picture", text(&hidden), "--csv", text(&csv), "--blur"];
    assert!(run(&[&["--input", text(&photo)][..], &saved].concat()).status.success());
    assert_eq!(&rows(&csv)[0][3], "1", "the reading is kept");
    let output = run(&["--input", text(&hidden)]);
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("no face found"), "{table}");
    // What the network sees is the face itself.
    let crops = folder.path().join("crops");
    assert_eq!(refused(&["--input", text(&photo), "--blur", "--dump-inputs", text(&crops)]).0, 2);
}

#[test]
fn an_empty_room_and_a_wall_have_no_face() {
    let folder = tempfile::tempdir().unwrap();
    fer_drawn::Scene::empty(5, 640, 480).frame(Duration::ZERO).save(folder.path().join("room.png")).unwrap();
    RgbImage::from_pixel(300, 200, image::Rgb([180, 170, 160])).save(folder.path().join("wall.png")).unwrap();
    RgbImage::new(1, 1).save(folder.path().join("dot.png")).unwrap();
    let output = run(&["--input", text(folder.path())]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    assert_eq!(said.matches("no face found").count(), 3, "{said}");
}

#[test]
fn a_very_large_photo_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let photo = folder.path().join("large.png");
    GrayImage::from_pixel(12_000, 9_000, Luma([120])).save(&photo).unwrap();
    let output = run(&["--input", text(&photo)]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8(output.stdout).unwrap().contains("large.png: 12000×9000, no face found"));
}

#[test]
fn what_cannot_be_read_is_said_with_exit_code_3() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("text.mp4");
    std::fs::write(&path, "this is no video\n".repeat(100)).unwrap();
    let (code, said) = refused(&["--input", text(&path), "--headless"]);
    assert_eq!(code, 3);
    assert!(said.contains("text.mp4: not a video that OpenCV reads"), "{said}");
    let (code, said) = refused(&["--input", "no-such.mp4", "--headless"]);
    assert_eq!(code, 3);
    assert!(said.contains("no-such.mp4: no such file, folder or camera"), "{said}");
    let photo = folder.path().join("text.jpg");
    std::fs::write(&photo, "no photo").unwrap();
    assert_eq!(refused(&["--input", text(&photo)]).0, 3);
}

#[test]
fn a_video_that_is_cut_off_is_read_as_far_as_it_goes_and_then_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (csv, whole) = (folder.path().join("out.csv"), folder.path().join("whole.mp4"));
    let clip = clip(folder.path(), 1, 120);
    // With its index in front, a file knows how long it should be.
    let arguments =
        ["-loglevel", "error", "-i", text(&clip), "-c", "copy", "-movflags", "+faststart", text(&whole)];
    if !Command::new("ffmpeg").args(arguments).status().is_ok_and(|status| status.success()) {
        eprintln!("skipped: no ffmpeg to write a video with its index in front");
        return;
    }
    let bytes = std::fs::read(&whole).unwrap();
    std::fs::write(&clip, &bytes[..bytes.len() / 2]).unwrap();
    let (code, said) = refused(&["--input", text(&clip), "--headless", "--csv", text(&csv)]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("damaged or cut off"), "{said}");
    assert!(rows(&csv).len() >= 20, "{}", rows(&csv).len());
}

#[test]
fn an_output_that_cannot_be_written_is_said_with_exit_code_5_before_anything_is_read() {
    for option in ["--csv", "--jsonl", "--save-video"] {
        let (code, said) = refused(&["--input", "drawn", "--headless", option, "no/such/folder/out"]);
        assert_eq!(code, 5, "{said}");
        assert!(said.contains("no/such/folder/out: not created; is the folder there and writable?: No such file or directory"), "{said}");
    }
}

#[test]
fn wrong_options_are_refused_with_exit_code_2() {
    assert_eq!(refused(&["--size", "big"]).0, 2);
    assert_eq!(refused(&["--uncertain-below", "7"]).0, 2);
    assert_eq!(refused(&["--input", "drawn", "--headless", "--scale-factor", "0.9"]).0, 2);
    assert_eq!(refused(&["--input", "drawn", "--headless", "--detector", "yunet"]).0, 2);
    assert_eq!(refused(&["--input", "drawn", "--headless", "--cascade", "no-such.xml"]).0, 2);
    let (code, said) = refused(&["--input", "drawn", "--headless", "--json", "-"]);
    assert_eq!(code, 2);
    assert!(said.contains("--json is for photos, drawn is none"), "{said}");
}

#[cfg(not(feature = "gpu"))]
#[test]
fn a_gpu_that_is_not_compiled_in_is_exit_code_6_and_told_once() {
    let (code, said) = refused(&["--device", "gpu", "--input", "drawn", "--frames", "1", "--headless"]);
    let expected = "--device gpu: this build leaves the GPU out: --features gpu compiles it in";
    assert_eq!((code, said.matches("--device gpu").count()), (6, 1), "{said}");
    assert!(said.contains(expected), "{said}");
}

#[test]
fn a_missing_model_is_exit_code_4_and_a_missing_camera_or_display_6() {
    let bare = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fer-live"));
        command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY").args(arguments).output().unwrap()
    };
    assert_eq!(bare(&["--input", "drawn", "--headless", "--model", "no-such"]).status.code(), Some(4));
    let (code, said) = refused(&["--input", "/dev/video63", "--headless"]);
    assert_eq!(code, 6, "{said}");
    assert!(said.contains("camera 63: /dev/video63 is not there"), "{said}");
    let (code, said) = refused(&["--input", "drawn"]);
    assert_eq!(code, 6, "{said}");
    assert!(said.contains("use --headless, or fer-live serve"), "{said}");
}

#[test]
fn jpegs_on_standard_input_lose_no_frame_when_their_rate_is_known() {
    let scene = fer_drawn::Scene::new(3, 1, 320, 240);
    let command = &mut program();
    let command = command.args(["--input", "-", "--rate", "10", "--headless", "--quiet", "--jsonl", "-"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for frame in 0..20 {
        let mut jpeg = std::io::Cursor::new(Vec::new());
        scene
            .frame(Duration::from_millis(100 * frame))
            .write_to(&mut jpeg, image::ImageFormat::Jpeg)
            .unwrap();
        stdin.write_all(&jpeg.into_inner()).unwrap();
    }
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let rows: Vec<serde_json::Value> = output
        .stdout
        .split(|&b| b == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    assert_eq!(rows.len(), 20);
    assert_eq!(rows[19]["timestamp_ms"], 1900.0);
}

/// Starts reading the endless scene, sends the signal after 50 rows, and gives the exit code if there is one.
#[cfg(unix)]
fn signalled(signal: &str, video: &Path) -> Option<i32> {
    let command = &mut program();
    let command = command.args([
        "--input",
        "drawn",
        "--size",
        "320x240",
        "--headless",
        "--csv",
        "-",
        "--save-video",
        text(video),
    ]);
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.by_ref().take(50).filter(Result::is_ok).count(), 50);
    Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert!(rest.iter().all(|row| row.split(',').count() == 26), "whole rows only");
    child.wait().unwrap().code()
}

#[cfg(unix)]
#[test]
fn ctrl_c_finishes_the_files_and_exits_with_130() {
    let folder = tempfile::tempdir().unwrap();
    let video = folder.path().join("out.mp4");
    assert_eq!(signalled("-INT", &video), Some(130));
    // Of the 50 lines one is the header, and the last row may be ahead of its picture.
    assert!(frames(&video).len() >= 48, "{}", frames(&video).len());
}

#[cfg(unix)]
#[test]
fn killing_it_leaves_readable_files() {
    let folder = tempfile::tempdir().unwrap();
    let video = folder.path().join("out.mp4");
    assert_eq!(signalled("-KILL", &video), None);
    assert!(!frames(&video).is_empty());
}

/// Memory a process holds, in MiB.
#[cfg(target_os = "linux")]
fn resident_mib(process: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

#[cfg(target_os = "linux")]
#[test]
fn many_frames_need_no_more_memory_than_few() {
    let (few, many) = (600, 1500);
    let scene = fer_drawn::Scene::new(1, 1, 160, 120);
    let frames: Vec<RgbImage> = (0..60).map(|i| scene.frame(Duration::from_millis(33 * i))).collect();
    let command = &mut program();
    let command = command.args(["--input", "-", "--stdin-size", "160x120", "--rate", "30", "--headless"]);
    let command = command.args(["--quiet", "--csv", "-"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut rows = BufReader::new(child.stdout.take().unwrap()).lines();
    // A thousand frames more than are read: the program waits with its rows when it is measured.
    let writer = std::thread::spawn(move || {
        for index in 0..many + 1000 {
            // Forwards, then backwards, so that the face never jumps.
            let at = index % 120;
            if stdin.write_all(&frames[at.min(119 - at)]).is_err() {
                return;
            }
        }
    });
    let mut after = |frame: usize| {
        let start = format!("-,{frame},");
        rows.by_ref().map(Result::unwrap).find(|row| row.starts_with(&start)).expect("the frame has a row");
        resident_mib(child.id())
    };
    let (first, last) = (after(few), after(many));
    drop(rows);
    writer.join().unwrap();
    child.wait().unwrap();
    // A tenth of the frames that came between would be 5 MiB; caches of the allocator come and go.
    assert!(last - first < 20.0, "grown from {first:.1} to {last:.1} MiB");
}

#[test]
fn the_doctor_says_what_to_do_about_everything_that_is_not_well() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fer-live"));
    let output = command
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .args(["doctor", "--device", "cpu", "--model", "no-such"])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    for what in ["opencv", "cascade", "display", "model"] {
        assert!(said.lines().any(|line| line[2..].starts_with(what)), "{said}");
    }
    let lines: Vec<&str> = said.lines().collect();
    let n_ill = lines.iter().filter(|line| line.starts_with('!')).count();
    assert!(n_ill >= 2);
    assert!(
        lines.windows(2).all(|pair| !pair[0].starts_with('!') || pair[1].trim_start().starts_with('→')),
        "{said}"
    );
}

#[test]
fn the_help_says_what_it_is_not_for() {
    let output = Command::new(env!("CARGO_BIN_EXE_fer-live")).arg("--help").output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    for words in
        ["apparent", "never what somebody feels", "at work and in schools", "must be told", "Exit codes"]
    {
        assert!(help.contains(words), "{words}: {help}");
    }
}

#[test]
fn what_phones_save_is_refused_with_what_to_do_whatever_it_is_called() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["IMG_0001.HEIC", "photo.jpg", "photo"] {
        let photo = folder.path().join(name);
        std::fs::write(&photo, b"\0\0\0\x18ftypheic\0\0\0\0mif1heic").unwrap();
        let (code, said) = refused(&["--input", text(&photo)]);
        assert_eq!(code, 3, "{said}");
        assert!(said.contains("HEIC") && said.contains("heif-convert"), "{said}");
    }
    let (code, said) = refused(&["--input", text(folder.path())]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("IMG_0001.HEIC: a format of phones"), "{said}");
}
