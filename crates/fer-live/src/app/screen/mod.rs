//! The window: every reading drawn on a copy, and what its keys do.
//! In: shots. Out: pictures on a [`Surface`], what the user pressed.
#![cfg_attr(test, expect(clippy::disallowed_methods, reason = "a test begins when it begins"))]

pub(in crate::app) mod pace;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use fer_data::Labels;
use fer_stream::pipeline::Shot;
use fer_stream::{OverlayOptions, StreamError, draw};
use image::RgbImage;

use super::output_files::save_picture;
use crate::cli::WatchArgs;

/// How long a paused window waits for a key before it looks whether the run shall stop, in ms.
const PAUSED_WAIT: i32 = 30;

/// What the keys do, as h shows it.
const HELP: [&str; 6] = [
    "space   pause, go on",
    "s   save the picture",
    "m   mirror",
    "b   boxes only",
    "h   hide this",
    "q   quit",
];

/// What the user pressed while a picture was shown.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Keys {
    pub(super) quit: bool,
    pub(super) snapshots: Vec<PathBuf>,
}

/// Where pictures are shown and keys are pressed.
pub(super) trait Surface {
    /// Shows a picture.
    fn show(&mut self, picture: &RgbImage) -> Result<(), StreamError>;

    /// Waits up to `milliseconds` for a key.
    fn key(&mut self, milliseconds: i32) -> Result<Option<char>, StreamError>;
}

/// The window and what its keys have switched.
pub(super) struct Screen {
    surface: Box<dyn Surface>,
    labels: Labels,
    options: OverlayOptions,
    snapshots: PathBuf,
    last: Option<(Shot, RgbImage)>,
    is_paused: bool,
}

impl Screen {
    /// Opens a window.
    pub(super) fn open(args: &WatchArgs, labels: &Labels) -> Result<Self, StreamError> {
        let window = window::Window::open("fer-live: apparent expressions (h: keys)")?;
        Ok(Self::new(Box::new(window), args, labels))
    }

    /// Shows a picture until the user has seen enough.
    pub(super) fn hold(&mut self, shot: Shot, stop: &AtomicBool) -> Result<Vec<PathBuf>, StreamError> {
        let mut snapshots = Vec::new();
        self.paint(shot)?;
        while !stop.load(Ordering::Relaxed) {
            // A still picture is a pause without an end.
            self.is_paused = true;
            let keys = self.idle(stop)?;
            snapshots.extend(keys.snapshots);
            if keys.quit {
                break;
            }
        }
        Ok(snapshots)
    }

    fn new(surface: Box<dyn Surface>, args: &WatchArgs, labels: &Labels) -> Self {
        let options = OverlayOptions {
            boxes_only: args.boxes_only,
            hide_faces: args.blur,
            mirror: args.mirror,
            ..OverlayOptions::default()
        };
        let (labels, snapshots) = (labels.clone(), args.snapshots.clone());
        Self { surface, labels, options, snapshots, last: None, is_paused: false }
    }

    /// Whether there is a display to open a window on.
    pub(super) fn is_possible() -> bool {
        window::is_possible()
    }

    /// Draws on a copy, shows it, and answers keys; a pause lasts as long as the user wants.
    pub(super) fn show(
        &mut self,
        shot: Shot,
        status: String,
        stop: &AtomicBool,
    ) -> Result<Keys, StreamError> {
        self.options.status = status;
        self.paint(shot)?;
        self.idle(stop)
    }

    /// Answers the keys that wait, also when no new shot has come.
    pub(super) fn idle(&mut self, stop: &AtomicBool) -> Result<Keys, StreamError> {
        let mut keys = Keys::default();
        loop {
            let key = self.surface.key(if self.is_paused { PAUSED_WAIT } else { 1 })?;
            match key {
                Some('q' | '\u{1b}') => keys.quit = true,
                Some(' ') => self.is_paused = !self.is_paused,
                Some('s') => keys.snapshots.extend(self.snapshot()?),
                Some('m') => {
                    self.options.mirror = !self.options.mirror;
                    self.paint_again()?;
                }
                Some('h' | '?') => {
                    let is_shown = !self.options.lines.is_empty();
                    self.options.lines = if is_shown { Vec::new() } else { HELP.map(str::to_owned).to_vec() };
                    self.paint_again()?;
                }
                Some('b') => {
                    self.options.boxes_only = !self.options.boxes_only;
                    self.paint_again()?;
                }
                _ => {}
            }
            let is_done = key.is_none() && !self.is_paused;
            if keys.quit || is_done || stop.load(Ordering::Relaxed) {
                return Ok(keys);
            }
        }
    }

    fn paint_again(&mut self) -> Result<(), StreamError> {
        self.last.take().map_or(Ok(()), |(shot, _)| self.paint(shot))
    }

    fn paint(&mut self, shot: Shot) -> Result<(), StreamError> {
        let mut picture = shot.frame.picture.clone();
        draw(&shot.reading, &self.labels, &mut picture, &self.options);
        self.surface.show(&picture)?;
        self.last = Some((shot, picture));
        Ok(())
    }

    /// Writes the picture that is shown, under a name no other file has.
    fn snapshot(&self) -> Result<Option<PathBuf>, StreamError> {
        let Some((shot, picture)) = &self.last else { return Ok(None) };
        let frame = shot.frame.index;
        let numbered = |n: u32| self.snapshots.join(format!("fer-live-{frame:06}-{n}.png"));
        let path = (1..).map(numbered).find(|path| !path.exists()).unwrap_or_else(|| numbered(0));
        save_picture(picture, &path)?;
        Ok(Some(path))
    }
}

#[cfg(feature = "opencv")]
mod window {
    use fer_stream::StreamError;
    use image::RgbImage;

    pub(super) use crate::opencv::Window;

    pub(super) fn is_possible() -> bool {
        crate::opencv::display().is_some()
    }

    impl super::Surface for Window {
        fn show(&mut self, picture: &RgbImage) -> Result<(), StreamError> {
            Self::show(self, picture)
        }

        fn key(&mut self, milliseconds: i32) -> Result<Option<char>, StreamError> {
            Self::key(self, milliseconds)
        }
    }
}

#[cfg(not(feature = "opencv"))]
mod window {
    use fer_stream::StreamError;
    use image::RgbImage;

    pub(super) fn is_possible() -> bool {
        false
    }

    /// This build has no window.
    pub(super) struct Window(std::convert::Infallible);

    impl Window {
        pub(super) fn open(_: &str) -> Result<Self, StreamError> {
            let problem = "this build has no OpenCV and so no window: use --headless, or fer-live serve";
            Err(StreamError::device("display", problem))
        }
    }

    impl super::Surface for Window {
        fn show(&mut self, _: &RgbImage) -> Result<(), StreamError> {
            match self.0 {}
        }

        fn key(&mut self, _: i32) -> Result<Option<char>, StreamError> {
            match self.0 {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::VecDeque;
    use std::rc::Rc;
    use std::time::{Duration, Instant};

    use clap::Parser;
    use fer_vision::{FaceBox, FaceReading, Frame, Reading, Timings};

    use super::*;
    use crate::cli::Cli;

    /// Gives keys one after the other, `None` for no key, and keeps what was shown.
    #[derive(Clone, Default)]
    struct Fake {
        keys: Rc<RefCell<VecDeque<Option<char>>>>,
        shown: Rc<RefCell<Vec<RgbImage>>>,
    }

    impl Surface for Fake {
        fn show(&mut self, picture: &RgbImage) -> Result<(), StreamError> {
            self.shown.borrow_mut().push(picture.clone());
            Ok(())
        }

        fn key(&mut self, _: i32) -> Result<Option<char>, StreamError> {
            Ok(self.keys.borrow_mut().pop_front().flatten())
        }
    }

    fn screen(fake: &Fake, snapshots: &std::path::Path) -> Screen {
        let folder = snapshots.to_str().expect("a plain name");
        let cli = Cli::try_parse_from(["fer-live", "--snapshots", folder]).expect("known options");
        Screen::new(Box::new(fake.clone()), &cli.watch, &Labels::fer2013())
    }

    fn shot(index: u64) -> Shot {
        let picture = RgbImage::from_fn(320, 240, |x, _| image::Rgb([(x / 2) as u8, (index * 40) as u8, 90]));
        let face_box = FaceBox { x: 40.0, y: 40.0, width: 80.0, height: 80.0, score: 30.0 };
        let face = FaceReading {
            track: 1,
            face_box,
            held: false,
            face_score: None,
            probabilities: vec![1.0 / 7.0; 7],
            smooth: vec![1.0 / 7.0; 7],
            label: Some(3),
            confidence: 0.9,
        };
        let reading = Reading {
            frame: index,
            timestamp: Duration::ZERO,
            faces: vec![face],
            timings: Timings::default(),
            n_dropped: 0,
        };
        let frame = Frame { picture, timestamp: Duration::ZERO, index };
        Shot { frame, reading, captured: Instant::now() }
    }

    #[test]
    fn every_key_is_answered_whether_it_comes_with_a_shot_or_between_two() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (fake, stop) = (Fake::default(), AtomicBool::new(false));
        let mut screen = screen(&fake, folder.path());
        fake.keys.borrow_mut().extend([Some('s'), Some('m'), None]);
        let keys = screen.show(shot(0), String::new(), &stop).expect("it shows");
        assert_eq!(keys.snapshots.len(), 1);
        fake.keys.borrow_mut().extend([Some('s'), Some('b'), Some('s'), None]);
        let keys = screen.idle(&stop).expect("keys between shots");
        assert_eq!(keys.snapshots.len(), 2);
        assert_eq!(std::fs::read_dir(folder.path()).expect("it is there").count(), 3);
        fake.keys.borrow_mut().push_back(Some('q'));
        assert!(screen.idle(&stop).expect("keys between shots").quit);
    }

    #[test]
    fn mirror_and_boxes_only_change_the_shown_picture_and_change_it_back() {
        let (fake, stop) = (Fake::default(), AtomicBool::new(false));
        let mut screen = screen(&fake, std::path::Path::new("."));
        screen.show(shot(0), String::new(), &stop).expect("it shows");
        fake.keys.borrow_mut().extend(["m", "b", "b", "m", "h", "?"].map(|key| key.chars().next()));
        screen.idle(&stop).expect("keys between shots");
        let shown = fake.shown.borrow();
        assert_eq!(shown.len(), 7);
        let column = |picture: &RgbImage, x: u32| picture.get_pixel(x, 239).0[0];
        assert_eq!(column(&shown[0], 0), 0);
        assert_eq!(column(&shown[1], 319), 0, "m mirrors");
        assert_ne!(shown[1], shown[2], "b leaves the bars out");
        assert_eq!((&shown[3], &shown[4]), (&shown[1], &shown[0]));
        assert_ne!(shown[5], shown[4], "h shows what the keys do");
        assert_eq!(shown[6], shown[4]);
    }

    #[test]
    fn a_still_picture_stays_until_it_is_closed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (fake, stop) = (Fake::default(), AtomicBool::new(false));
        let mut screen = screen(&fake, folder.path());
        fake.keys.borrow_mut().extend([None, Some(' '), None, Some('s'), None, Some('q')]);
        let snapshots = screen.hold(shot(0), &stop).expect("it shows");
        assert_eq!((snapshots.len(), fake.keys.borrow().len()), (1, 0));
    }

    #[test]
    fn a_pause_lasts_until_its_key_comes_again_or_the_run_stops() {
        let (fake, stop) = (Fake::default(), AtomicBool::new(false));
        let mut screen = screen(&fake, std::path::Path::new("."));
        fake.keys.borrow_mut().extend([Some(' '), None, None, None, Some(' '), None]);
        screen.show(shot(0), String::new(), &stop).expect("it shows");
        assert!(fake.keys.borrow().is_empty(), "it waited through the keyless moments");
        fake.keys.borrow_mut().push_back(Some(' '));
        stop.store(true, Ordering::Relaxed);
        screen.idle(&stop).expect("it returns");
    }
}
