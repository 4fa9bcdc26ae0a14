//! What `--input` means, and what comes of it.
#![expect(clippy::disallowed_methods, reason = "live sources count their time from the start")]

use std::io::Cursor;
use std::path::Path;
use std::time::{Duration, Instant};

use fer_base::chain;
use fer_live::open::open_input;
use fer_live::source::{DrawnSource, GifSource, Input, JpegStream, RawStream, SourceOptions, read_photo};
use fer_stream::{FrameSource, StreamError};
use fer_vision::Frame;
use image::codecs::gif::GifEncoder;
use image::{Delay, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use insta::assert_snapshot;

fn options(rate: Option<f64>) -> SourceOptions {
    SourceOptions { rate, ..SourceOptions::new(Instant::now()) }
}

fn all(source: &mut dyn FrameSource) -> Vec<Frame> {
    std::iter::from_fn(|| source.next_frame().unwrap()).collect()
}

fn jpeg(value: u8) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    RgbImage::from_pixel(32, 24, Rgb([value; 3])).write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
    bytes.into_inner()
}

#[test]
fn words_mean_cameras_files_addresses_and_the_known_words() {
    assert_eq!(Input::parse("0").unwrap(), Input::Camera(0));
    assert_eq!(Input::parse("/dev/video2").unwrap(), Input::Camera(2));
    assert_eq!(Input::parse("-").unwrap(), Input::Stdin);
    assert_eq!(Input::parse("drawn").unwrap(), Input::Drawn);
    assert_eq!(Input::parse("rtsp://host/a").unwrap(), Input::Address("rtsp://host/a".to_owned()));
}

#[test]
fn files_folders_and_globs_are_told_apart_by_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for name in ["b.png", "a.jpg"] {
        RgbImage::new(4, 4).save(path(name)).unwrap();
    }
    std::fs::write(path("notes.txt"), "no photo").unwrap();
    std::fs::copy(path("b.png"), path("photo")).unwrap();
    std::fs::write(path("clip.mp4"), "anything").unwrap();
    let parse = |path: &Path| Input::parse(&path.display().to_string()).unwrap();
    assert_eq!(parse(folder.path()), Input::Photos(vec![path("a.jpg"), path("b.png")]));
    assert_eq!(parse(&path("*.png")), Input::Photos(vec![path("b.png")]));
    assert_eq!(parse(&path("a.jpg")), Input::Photos(vec![path("a.jpg")]));
    assert_eq!(parse(&path("photo")), Input::Photos(vec![path("photo")]), "by its first bytes");
    assert_eq!(parse(&path("clip.mp4")), Input::Video(path("clip.mp4")));
}

#[test]
fn folders_in_a_folder_are_read_when_asked_for_and_named_when_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir_all(path("a/b[1]")).unwrap();
    RgbImage::new(4, 4).save(path("a/b[1]/deep.png")).unwrap();
    let words = path("a").display().to_string();
    let error = Input::parse(&words).unwrap_err().to_string();
    assert!(error.ends_with("no photos in it, but folders: --recursive reads those too"), "{error}");
    assert_eq!(Input::parse_recursive(&words).unwrap(), Input::Photos(vec![path("a/b[1]/deep.png")]));
    let words = path("a/b[1]").display().to_string();
    assert_eq!(Input::parse_recursive(&words).unwrap(), Input::parse(&words).unwrap());
}

/// Writes a GIF whose pictures are shown so long, in ms.
fn gif(path: &Path, delays: &[u32]) {
    let mut encoder = GifEncoder::new(std::fs::File::create(path).unwrap());
    for (&delay, value) in delays.iter().zip(0..) {
        let picture = RgbaImage::from_pixel(32, 24, Rgba([value * 50, 90, 120, 255]));
        let frame = image::Frame::from_parts(picture, 0, 0, Delay::from_numer_denom_ms(delay, 1));
        encoder.encode_frame(frame).unwrap();
    }
}

#[test]
fn an_animated_gif_is_a_clip_with_its_own_times_and_a_still_one_a_photo() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    gif(&path("still.gif"), &[40]);
    gif(&path("moving.gif"), &[40, 200, 0, 60]);
    let parse = |name: &str| Input::parse(&path(name).display().to_string()).unwrap();
    assert_eq!(parse("still.gif"), Input::Photos(vec![path("still.gif")]));
    assert_eq!(parse("moving.gif"), Input::Video(path("moving.gif")));
    let frames = all(&mut *open_input(&parse("moving.gif"), &options(None)).unwrap());
    let times: Vec<u128> = frames.iter().map(|frame| frame.timestamp.as_millis()).collect();
    assert_eq!(times, [0, 40, 240, 340], "a delay of 0 is shown for 100 ms, as browsers do");
    assert!(frames.windows(2).all(|pair| pair[0].picture != pair[1].picture));
    let whole = std::fs::read(path("moving.gif")).unwrap();
    std::fs::write(path("moving.gif"), &whole[..whole.len() - 20]).unwrap();
    let mut cut = GifSource::open(&path("moving.gif")).unwrap();
    let error = std::iter::from_fn(|| cut.next_frame().transpose()).find_map(Result::err).unwrap();
    assert!(chain(&error).contains("moving.gif, frame 3: damaged or cut off"), "{}", chain(&error));
}

#[cfg(unix)]
#[test]
fn a_pipe_is_refused_and_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["pipe", "pipe.png", "pipe.txt", "pipe.mp4"] {
        let path = folder.path().join(name);
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let error = Input::parse(&path.display().to_string()).unwrap_err().to_string();
        assert!(error.ends_with("a pipe: give what it holds on standard input, --input -"), "{error}");
        assert!(chain(&read_photo(&path).unwrap_err()).contains("a pipe or a device"));
    }
    let error = Input::parse(&folder.path().display().to_string()).unwrap_err().to_string();
    assert!(error.contains("no photos there"), "{error}");
}

#[test]
fn words_that_mean_nothing_are_refused() {
    let error = Input::parse("no-such-thing.mp4").unwrap_err().to_string();
    assert!(error.starts_with("no-such-thing.mp4: no such file, folder or camera; "), "{error}");
    assert_snapshot!(Input::parse("nowhere/*.jpg").unwrap_err(), @"nowhere/*.jpg: no photos there (jpg, png, bmp, gif, tiff, webp, pnm)");
}

#[test]
fn a_password_in_an_address_is_never_shown() {
    let input = Input::parse("rtsp://anna:secret@camera.local:554/stream").unwrap();
    assert_eq!(input.to_string(), "rtsp://…@camera.local:554/stream");
}

#[test]
fn jpegs_are_found_between_other_bytes_and_with_previews_inside() {
    let mut stream = b"--boundary\r\nContent-Type: image/jpeg\r\n\r\n".to_vec();
    let first = jpeg(10);
    // An APP1 segment that holds a whole JPEG, as cameras embed their previews.
    let preview = jpeg(99);
    stream.extend(&first[..2]);
    stream.extend([0xff, 0xe1]);
    stream.extend((preview.len() as u16 + 2).to_be_bytes());
    stream.extend(&preview);
    stream.extend(&first[2..]);
    stream.extend(b"\r\n--boundary\r\n");
    stream.extend(jpeg(200));
    let frames = all(&mut JpegStream::new(Cursor::new(stream), &options(Some(25.0))));
    let values: Vec<u8> = frames.iter().map(|frame| frame.picture.get_pixel(5, 5).0[0]).collect();
    assert_eq!(values, [10, 200]);
    assert_eq!(frames[1].timestamp, Duration::from_millis(40));
}

#[test]
fn a_jpeg_that_the_end_cuts_off_is_an_error_after_the_whole_ones() {
    let mut stream = jpeg(10);
    stream.extend(&jpeg(20)[..200]);
    let mut source = JpegStream::new(Cursor::new(stream), &options(Some(25.0)));
    assert_eq!(source.next_frame().unwrap().unwrap().index, 0);
    assert_snapshot!(chain(&source.next_frame().unwrap_err()), @"-, frame 1: no whole JPEG: the stream ends within a JPEG");
}

#[test]
fn a_jpeg_on_a_stream_that_claims_gigapixels_is_refused_from_its_header() {
    let mut stream = jpeg(10);
    let frame = stream.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    // Length and precision come first, then height and width.
    stream[frame + 5..frame + 9].copy_from_slice(&[0xff, 0xff, 0xff, 0xff]);
    let mut source = JpegStream::new(Cursor::new(stream), &options(Some(25.0)));
    assert_snapshot!(chain(&source.next_frame().unwrap_err()), @"-, frame 0: damaged JPEG: 65535×65535 pixels, expected sides of 1 to 16384 and 50 megapixels at most");
}

#[test]
fn a_stream_without_any_jpeg_says_what_is_expected() {
    let mut source = JpegStream::new(Cursor::new(vec![7; 1000]), &options(None));
    assert_snapshot!(source.next_frame().unwrap_err(), @"-, frame 0: no JPEG on standard input: for raw RGB frames give --stdin-size WxH");
}

#[test]
fn raw_frames_have_the_size_they_are_said_to_have() {
    let bytes: Vec<u8> = (0..4 * 3 * 3 * 2).map(|i| i as u8).collect();
    let frames = all(&mut RawStream::new(Cursor::new(bytes.clone()), (4, 3), &options(Some(10.0))));
    assert_eq!(frames.len(), 2);
    assert_eq!(frames[1].picture.get_pixel(0, 0).0, [36, 37, 38]);
    let mut cut = RawStream::new(Cursor::new(bytes[..50].to_vec()), (4, 3), &options(Some(10.0)));
    cut.next_frame().unwrap();
    assert_snapshot!(cut.next_frame().unwrap_err(), @"-, frame 1: the stream ended after 14 bytes of a frame, expected 36 = 4 × 3 × 3: is --stdin-size right?");
}

#[test]
fn a_stream_with_a_rate_is_a_recording_and_one_without_is_live() {
    let live = |rate| RawStream::new(Cursor::new(vec![]), (4, 3), &options(rate)).info().live;
    assert!(!live(Some(25.0)));
    assert!(live(None));
}

#[test]
fn a_drawn_clip_has_its_length_and_even_times() {
    let mut clip =
        DrawnSource::clip(&SourceOptions { size: Some((160, 120)), ..options(Some(20.0)) }, Some(5));
    let frames = all(&mut clip);
    let times: Vec<u128> = frames.iter().map(|frame| frame.timestamp.as_millis()).collect();
    assert_eq!(times, [0, 50, 100, 150, 200]);
    assert_eq!(frames[0].picture.dimensions(), (160, 120));
}

#[test]
fn a_drawn_scene_in_real_time_leaves_out_frames_that_are_late() {
    let started = Instant::now() - Duration::from_secs(2);
    let mut scene =
        DrawnSource::live(&SourceOptions { started, size: Some((64, 64)), ..options(Some(10.0)) });
    let first = scene.next_frame().unwrap().unwrap();
    assert!(first.index >= 20, "{}", first.index);
    assert_eq!(first.timestamp.as_millis(), u128::from(first.index) * 100);
}

#[test]
fn what_is_no_photo_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text.jpg");
    std::fs::write(&text, "just words").unwrap();
    let error = read_photo(&text).unwrap_err();
    assert!(matches!(error, StreamError::Open { cause: Some(_), .. }), "{error:?}");
    assert!(chain(&error).contains("text.jpg: "), "{error}");
    let damaged = folder.path().join("cut.png");
    RgbImage::new(50, 50).save(&damaged).unwrap();
    let bytes = std::fs::read(&damaged).unwrap();
    std::fs::write(&damaged, &bytes[..bytes.len() / 2]).unwrap();
    let error = read_photo(&damaged).unwrap_err().to_string();
    assert!(error.contains("cut.png: damaged, or not a picture"), "{error}");
}
