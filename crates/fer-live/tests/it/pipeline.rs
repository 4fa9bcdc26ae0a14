//! Frames in, readings out, side by side.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use fer_data::{Face, Labels};
use fer_live::classify::Classify;
use fer_live::error::LiveError;
use fer_live::frame::{Frame, FrameSource};
use fer_live::pipeline::{Analyzer, Finder, FinderOptions, LiveOptions, Opener, Shot, Sink, Stages, run};
use fer_live::smooth::{SmoothOptions, Smoother};

use crate::fakes::{ByBrightness, RedSquares, Scripted, Step, picture, sure_of};

/// Keeps what it is given.
#[derive(Default)]
struct Kept {
    shots: Vec<Shot>,
    notices: Vec<String>,
    most: Option<usize>,
    fails: bool,
}

impl Sink for Kept {
    fn shot(&mut self, shot: Shot) -> Result<ControlFlow<()>, LiveError> {
        if self.fails {
            return Err(LiveError::Write { path: "full.csv".to_owned(), reason: "no space left".to_owned() });
        }
        self.shots.push(shot);
        let enough = self.most.is_some_and(|most| self.shots.len() >= most);
        Ok(if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    fn notice(&mut self, text: &str) {
        self.notices.push(text.to_owned());
    }
}

fn stages(classifier: Arc<dyn Classify>) -> Stages {
    Stages {
        finder: Finder::new(Box::new(RedSquares), FinderOptions::default()),
        classifier,
        smoother: Smoother::new(SmoothOptions::default()),
    }
}

fn quick() -> LiveOptions {
    LiveOptions {
        stall_after: Duration::from_millis(120),
        open_within: Duration::from_millis(600),
        n_attempts: 2,
        pause: Duration::from_millis(1),
    }
}

fn go(
    source: Scripted,
    open_again: Option<Opener>,
    classifier: Arc<dyn Classify>,
    sink: &mut Kept,
) -> Result<(), LiveError> {
    let stop = Arc::new(AtomicBool::new(false));
    run(Box::new(source), open_again, quick(), stages(classifier), &stop, sink)
}

fn frames(n: usize) -> impl Iterator<Item = Step> {
    (0..n).map(|_| Step::Frame(picture(&[(1, 1)], 40)))
}

#[test]
fn a_file_loses_no_frame_and_keeps_their_order() {
    let mut sink = Kept::default();
    go(Scripted::new(false, frames(100)), None, Arc::new(ByBrightness::new()), &mut sink).unwrap();
    let indices: Vec<u64> = sink.shots.iter().map(|shot| shot.reading.frame).collect();
    assert_eq!(indices, (0..100).collect::<Vec<_>>());
    assert!(sink.shots.iter().all(|shot| shot.reading.n_dropped == 0 && shot.reading.faces.len() == 1));
}

/// Reads nothing until it is told that the source has run ahead.
struct Waiting {
    labels: Labels,
    go: Mutex<Option<Receiver<()>>>,
}

impl Classify for Waiting {
    fn labels(&self) -> &Labels {
        &self.labels
    }

    fn classify(&self, faces: &[Face]) -> Result<Vec<Vec<f32>>, LiveError> {
        if let Some(go) = self.go.lock().unwrap().take() {
            go.recv().unwrap();
        }
        Ok(faces.iter().map(|_| sure_of(3, 0.9)).collect())
    }
}

#[test]
fn a_live_source_works_on_the_newest_frame_and_counts_the_dropped_ones() {
    let (ready, go_on) = channel();
    let ahead = Step::Do(Box::new(move || ready.send(()).unwrap()));
    let source = Scripted::new(true, frames(500).chain([ahead]));
    let classifier = Waiting { labels: Labels::fer2013(), go: Mutex::new(Some(go_on)) };
    let mut sink = Kept::default();
    go(source, None, Arc::new(classifier), &mut sink).unwrap();
    let last = &sink.shots.last().unwrap().reading;
    assert_eq!(last.frame, 499, "the newest frame is read");
    assert_eq!(last.n_dropped + sink.shots.len() as u64, 500, "every frame is read or counted");
    assert!(sink.shots.len() < 20, "{} frames were read while the network was busy", sink.shots.len());
    assert!(sink.shots.is_sorted_by_key(|shot| shot.reading.frame));
}

#[test]
fn all_faces_of_a_frame_are_read_in_one_batch() {
    let classifier = Arc::new(ByBrightness::new());
    let cells = [(0, 0), (2, 0), (4, 0), (0, 2), (3, 2)];
    let steps = (0..6).map(|_| Step::Frame(picture(&cells, 40)));
    let mut sink = Kept::default();
    go(Scripted::new(false, steps), None, Arc::clone(&classifier) as Arc<dyn Classify>, &mut sink).unwrap();
    assert_eq!(*classifier.batches.lock().unwrap(), [5; 6]);
    assert!(sink.shots.iter().all(|shot| shot.reading.faces.len() == 5));
}

#[test]
fn a_frame_without_a_face_asks_the_network_nothing() {
    let classifier = Arc::new(ByBrightness::new());
    let mut sink = Kept::default();
    let steps = [Step::Frame(picture(&[], 0))];
    go(Scripted::new(false, steps), None, Arc::clone(&classifier) as Arc<dyn Classify>, &mut sink).unwrap();
    assert!(sink.shots[0].reading.faces.is_empty());
    assert!(classifier.batches.lock().unwrap().is_empty());
}

#[test]
fn a_frame_comes_out_as_it_went_in() {
    let original = picture(&[(1, 1)], 40);
    let mut sink = Kept::default();
    let steps = [Step::Frame(original.clone())];
    go(Scripted::new(false, steps), None, Arc::new(ByBrightness::new()), &mut sink).unwrap();
    assert_eq!(sink.shots[0].frame.picture, original);
}

#[test]
fn side_by_side_reads_the_same_as_one_after_the_other() {
    let pictures: Vec<_> = (0..40).map(|i| picture(&[(i / 10, 1), (4, 2)], (i * 6) as u8)).collect();
    let mut sink = Kept::default();
    let steps = pictures.iter().cloned().map(Step::Frame);
    go(Scripted::new(false, steps), None, Arc::new(ByBrightness::new()), &mut sink).unwrap();
    let classifier: Arc<dyn Classify> = Arc::new(ByBrightness::new());
    let mut analyzer =
        Analyzer::new(Box::new(RedSquares), classifier, FinderOptions::default(), SmoothOptions::default());
    for (index, (picture, shot)) in pictures.into_iter().zip(&sink.shots).enumerate() {
        let frame =
            Frame { picture, timestamp: Duration::from_millis(40 * index as u64), index: index as u64 };
        assert_eq!(analyzer.analyze(&frame).unwrap().faces, shot.reading.faces);
    }
}

#[test]
fn a_photo_is_read_alone_left_to_right() {
    let classifier: Arc<dyn Classify> = Arc::new(ByBrightness::new());
    let mut analyzer =
        Analyzer::new(Box::new(RedSquares), classifier, FinderOptions::default(), SmoothOptions::default());
    for _ in 0..2 {
        let reading = analyzer.analyze_photo(&picture(&[(4, 0), (1, 2)], 40)).unwrap();
        let places: Vec<(u64, f32)> =
            reading.faces.iter().map(|face| (face.track, face.face_box.x)).collect();
        assert_eq!(places, [(1, 16.0), (2, 64.0)]);
        assert!(reading.faces.iter().all(|face| face.label == Some(5)), "dark faces are sad to this network");
    }
}

#[test]
fn an_evenly_lit_wall_is_no_face_even_if_the_detector_says_so() {
    let wall = image::RgbImage::from_pixel(96, 64, image::Rgb([230, 230, 230]));
    let classifier: Arc<dyn Classify> = Arc::new(ByBrightness::new());
    let mut analyzer =
        Analyzer::new(Box::new(RedSquares), classifier, FinderOptions::default(), SmoothOptions::default());
    assert!(analyzer.analyze_photo(&wall).unwrap().faces.is_empty());
}

#[test]
fn a_damaged_file_ends_the_run_with_its_error_after_the_frames_before_it() {
    let mut sink = Kept::default();
    let steps = frames(3).chain([Step::Fail]);
    let error = go(Scripted::new(false, steps), None, Arc::new(ByBrightness::new()), &mut sink).unwrap_err();
    assert_eq!(error.to_string(), "scripted: unplugged");
    assert_eq!(sink.shots.len(), 3);
}

fn opener(sources: Vec<Result<Scripted, LiveError>>) -> Opener {
    let sources = Mutex::new(sources.into_iter());
    Arc::new(move || {
        let gone = || Err(LiveError::Device { device: "scripted".to_owned(), reason: "gone".to_owned() });
        let next = sources.lock().unwrap().next();
        next.unwrap_or_else(gone).map(|source| Box::new(source) as Box<dyn FrameSource>)
    })
}

#[test]
fn a_camera_that_is_unplugged_is_opened_again_and_goes_on_counting() {
    let mut sink = Kept { most: Some(2), ..Kept::default() };
    // Each source waits until its frame was taken: a live source would else drop it.
    let (taken, wait) = channel();
    let first =
        Scripted::new(true, frames(1).chain([Step::Do(Box::new(move || wait.recv().unwrap())), Step::Fail]));
    let gone = Err(LiveError::Device { device: "scripted".to_owned(), reason: "still gone".to_owned() });
    let classifier = Telling { labels: Labels::fer2013(), taken: Mutex::new(Some(taken)) };
    let second = Scripted::new(true, frames(1));
    go(first, Some(opener(vec![gone, Ok(second)])), Arc::new(classifier), &mut sink).unwrap();
    let indices: Vec<u64> = sink.shots.iter().map(|shot| shot.reading.frame).collect();
    assert_eq!(indices, [0, 1]);
    let notices = sink.notices.join("\n");
    assert!(
        notices.contains("unplugged") && notices.contains("attempt 1 of 2: scripted: still gone"),
        "{notices}"
    );
}

/// Tells when the first frame was taken.
struct Telling {
    labels: Labels,
    taken: Mutex<Option<std::sync::mpsc::Sender<()>>>,
}

impl Classify for Telling {
    fn labels(&self) -> &Labels {
        &self.labels
    }

    fn classify(&self, faces: &[Face]) -> Result<Vec<Vec<f32>>, LiveError> {
        if let Some(taken) = self.taken.lock().unwrap().take() {
            taken.send(()).unwrap();
        }
        Ok(faces.iter().map(|_| sure_of(3, 0.9)).collect())
    }
}

#[test]
fn a_camera_that_stays_away_is_given_up_with_its_last_error() {
    let mut sink = Kept::default();
    let source = Scripted::new(true, [Step::Fail]);
    let error = go(source, Some(opener(vec![])), Arc::new(ByBrightness::new()), &mut sink).unwrap_err();
    assert_eq!(error.to_string(), "scripted: gone");
}

#[test]
fn a_camera_that_falls_silent_is_opened_again_and_at_last_given_up_without_a_hang() {
    let mut sink = Kept::default();
    let start = Instant::now();
    let again = opener(vec![Ok(silence()), Ok(silence()), Ok(silence())]);
    let error = go(silence(), Some(again), Arc::new(ByBrightness::new()), &mut sink).unwrap_err();
    assert!(error.to_string().starts_with("scripted: no frame for 0.12 s, given up"), "{error}");
    assert!(sink.notices.iter().any(|notice| notice.contains("no frame for 0.12 s, opening it again")));
    assert!(start.elapsed() < Duration::from_secs(20));
}

/// A source that never gives a frame and never ends.
fn silence() -> Scripted {
    let (keep, never) = channel::<()>();
    // The sender outlives the test: dropping it would wake the source.
    std::mem::forget(keep);
    Scripted::new(true, [Step::Do(Box::new(move || assert!(never.recv().is_err())))])
}

#[test]
fn an_output_that_fails_ends_the_run() {
    let mut sink = Kept { fails: true, ..Kept::default() };
    let error =
        go(Scripted::new(false, frames(50)), None, Arc::new(ByBrightness::new()), &mut sink).unwrap_err();
    assert_eq!(error.to_string(), "full.csv: no space left");
}

#[test]
fn a_run_that_is_asked_to_stop_stops_well() {
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    let endless = frames(3)
        .chain([Step::Do(Box::new(move || asked.store(true, Ordering::Relaxed)))])
        .chain(frames(100_000));
    let mut sink = Kept::default();
    let stages = stages(Arc::new(ByBrightness::new()));
    run(Box::new(Scripted::new(false, endless)), None, quick(), stages, &stop, &mut sink).unwrap();
    assert!(sink.shots.len() < 1000);
}
