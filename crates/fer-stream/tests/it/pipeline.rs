//! Frames in, readings out, side by side.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fer_data::{Face, Labels};
use fer_stream::pipeline::{LiveOptions, Shot, Sink, run};
use fer_stream::{Feed, FrameSource, Opener, StreamError};
use fer_vision::{Analyzer, Classified, Classify, Finder, FinderOptions, Frame, SmoothOptions, VisionError};

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
    fn shot(&mut self, shot: Shot) -> Result<ControlFlow<()>, StreamError> {
        if self.fails {
            return Err(StreamError::write("full.csv", "no space left"));
        }
        self.shots.push(shot);
        let enough = self.most.is_some_and(|most| self.shots.len() >= most);
        Ok(if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    fn notice(&mut self, text: &str) {
        self.notices.push(text.to_owned());
    }
}

fn analyzer(classifier: Arc<dyn Classify>) -> Analyzer {
    let finder = Finder::new(Box::new(RedSquares), FinderOptions::default());
    Analyzer::new(finder, classifier, SmoothOptions::default())
}

/// No machine is so slow that a source of these tests counts as silent.
fn patient() -> LiveOptions {
    LiveOptions {
        stall_after: Duration::from_secs(600),
        open_within: Duration::from_secs(600),
        n_attempts: 2,
        pause: Duration::ZERO,
    }
}

/// For sources that are silent for good: how soon that is noticed decides nothing.
fn impatient() -> LiveOptions {
    LiveOptions {
        stall_after: Duration::from_millis(120),
        open_within: Duration::from_millis(120),
        ..patient()
    }
}

fn go(
    source: Scripted,
    open_again: Option<Opener>,
    classifier: Arc<dyn Classify>,
    sink: &mut Kept,
) -> Result<(), StreamError> {
    let stop = Arc::new(AtomicBool::new(false));
    run(Feed { source: Box::new(source), open_again }, patient(), analyzer(classifier), &stop, sink)
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

    fn classify(&self, faces: &[Face]) -> Result<Vec<Classified>, VisionError> {
        if let Some(go) = self.go.lock().unwrap().take() {
            go.recv().unwrap();
        }
        Ok(faces.iter().map(|_| sure_of(3, 0.9).into()).collect())
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
    let mut analyzer = analyzer(classifier);
    for (index, (picture, shot)) in pictures.into_iter().zip(&sink.shots).enumerate() {
        let frame =
            Frame { picture, timestamp: Duration::from_millis(40 * index as u64), index: index as u64 };
        assert_eq!(analyzer.analyze(&frame).unwrap().faces, shot.reading.faces);
    }
}

#[test]
fn a_damaged_file_ends_the_run_with_its_error_after_the_frames_before_it() {
    let mut sink = Kept::default();
    let steps = frames(3).chain([Step::Fail]);
    let error = go(Scripted::new(false, steps), None, Arc::new(ByBrightness::new()), &mut sink).unwrap_err();
    assert_eq!(error.to_string(), "scripted: unplugged");
    assert_eq!(sink.shots.len(), 3);
}

fn opener(sources: Vec<Result<Scripted, StreamError>>) -> Opener {
    let sources = Mutex::new(sources.into_iter());
    Arc::new(move || {
        let gone = || Err(StreamError::device("scripted", "gone"));
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
    let gone = Err(StreamError::device("scripted", "still gone"));
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

    fn classify(&self, faces: &[Face]) -> Result<Vec<Classified>, VisionError> {
        if let Some(taken) = self.taken.lock().unwrap().take() {
            taken.send(()).unwrap();
        }
        Ok(faces.iter().map(|_| sure_of(3, 0.9).into()).collect())
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
    let open_again = Some(opener(vec![Ok(silence()), Ok(silence()), Ok(silence())]));
    let feed = Feed { source: Box::new(silence()), open_again };
    let stop = Arc::new(AtomicBool::new(false));
    let analyzer = analyzer(Arc::new(ByBrightness::new()));
    let error = run(feed, impatient(), analyzer, &stop, &mut sink).unwrap_err();
    assert!(error.to_string().starts_with("scripted: no frame for 0.12 s, given up"), "{error}");
    assert!(sink.notices.iter().any(|notice| notice.contains("no frame for 0.12 s, opening it again")));
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
    let feed = Feed::once(Box::new(Scripted::new(false, endless)));
    run(feed, patient(), analyzer(Arc::new(ByBrightness::new())), &stop, &mut sink).unwrap();
    assert!(sink.shots.len() < 1000);
}
