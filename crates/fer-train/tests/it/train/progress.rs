//! What a terminal shows of a run.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex};

use burn_train::logger::TrainingProgressLogger;
use fer_train::run::history::EpochRow;
use fer_train::train::progress::{BarRenderer, line};
use indicatif::{ProgressBar, ProgressDrawTarget, TermLike};

/// A terminal of 100 columns that remembers all that was written.
#[derive(Clone, Default)]
struct Terminal(Arc<Mutex<String>>);

impl fmt::Debug for Terminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Terminal")
    }
}

impl TermLike for Terminal {
    fn width(&self) -> u16 {
        100
    }
    fn move_cursor_up(&self, _n: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_down(&self, _n: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_right(&self, _n: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_left(&self, _n: usize) -> io::Result<()> {
        Ok(())
    }
    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)
    }
    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.lock().unwrap().push_str(text);
        Ok(())
    }
    fn clear_line(&self) -> io::Result<()> {
        Ok(())
    }
    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_bar_shows_epoch_and_faces_and_no_line_a_step() {
    let terminal = Terminal::default();
    let target = ProgressDrawTarget::term_like_with_hz(Box::new(terminal.clone()), 255);
    let bar = ProgressBar::with_draw_target(None, target).with_style(BarRenderer::style());
    let mut renderer = BarRenderer::new(bar.clone());
    renderer.start(5, 1, None, None);
    renderer.start_split("valid", 70);
    for n_done in 1..=5 {
        renderer.update_split(14 * n_done);
        renderer.log_event_training("Iteration".to_owned());
    }
    bar.force_draw();
    let shown = terminal.0.lock().unwrap().clone();
    assert!(!shown.contains("Iteration"), "{shown}");
    assert!(shown.contains("epoch 1/5 validation") && shown.contains("70/70 faces"), "{shown}");
}

#[test]
fn an_epoch_is_a_line_of_80_columns() {
    let row = |epoch: usize, seconds| EpochRow {
        epoch,
        rate: 0.09755,
        train_loss: 1.2345,
        train_accuracy: 0.612,
        validation_loss: 1.1034,
        validation_accuracy: 0.6345,
        seconds,
        images_per_second: 523.4,
    };
    insta::assert_snapshot!(line(&row(12, 55.2), &row(9, 55.0), 60), @"epoch  12/60  rate 0.0975  loss 1.234 val 1.103  top-1 61.2 val 63.45 %  55 s");
    let best = line(&row(12, 55.2), &row(12, 55.2), 60);
    assert!(best.ends_with(" *") && best.len() <= 80, "{} columns: {best}", best.len());
    let longest = line(&row(112, 1234.0), &row(112, 1234.0), 120);
    assert!(longest.len() <= 84, "{} columns: {longest}", longest.len());
}
