//! The rows of a run: what survives a resume.

use fer_train::run::history::{EpochRow, History};
use tempfile::tempdir;

fn row(epoch: usize, validation_accuracy: f64) -> EpochRow {
    EpochRow {
        epoch,
        rate: 0.1,
        train_loss: 1.0,
        train_accuracy: 0.5,
        validation_loss: 1.0,
        validation_accuracy,
        seconds: 1.0,
        images_per_second: 7.0,
    }
}

#[test]
fn the_best_epoch_is_one_whose_weights_are_there() {
    let folder = tempdir().unwrap();
    let mut history = History::new(folder.path());
    for (epoch, accuracy) in [(1, 0.5), (2, 0.7), (3, 0.6)] {
        history.push(row(epoch, accuracy)).unwrap();
    }
    assert_eq!(history.best().unwrap().epoch, 2);
    let resumed = History::resume(folder.path(), 3, |epoch| epoch != 2).unwrap();
    assert_eq!(resumed.best().unwrap().epoch, 3);
    assert_eq!(resumed.lost_best().unwrap().epoch, 2);
    assert_eq!(History::resume(folder.path(), 2, |_| true).unwrap().lost_best(), None);
}

/// A last digit lost would be another best epoch where two are equal.
#[test]
fn rows_are_read_back_exactly() {
    let folder = tempdir().unwrap();
    let mut history = History::new(folder.path());
    for (epoch, loss) in [1.724_379_479_885_101_3, 1.911_694_169_044_494_6].into_iter().enumerate() {
        history.push(EpochRow { train_loss: loss, ..row(epoch + 1, 0.142_857_142_857_142_88) }).unwrap();
    }
    let resumed = History::resume(folder.path(), 2, |_| true).unwrap();
    assert_eq!(resumed.rows(), history.rows());
}

#[test]
fn a_diverged_epoch_is_read_back() {
    let folder = tempdir().unwrap();
    let mut history = History::new(folder.path());
    history.push(EpochRow { train_loss: f64::NAN, ..row(1, 0.1) }).unwrap();
    let resumed = History::resume(folder.path(), 1, |_| true).unwrap();
    assert!(resumed.rows()[0].train_loss.is_nan());
}

#[test]
fn curves_have_round_ticks() {
    let folder = tempdir().unwrap();
    let mut history = History::new(folder.path());
    for epoch in 1..=48 {
        history.push(row(epoch, 0.3615 + 0.00649 * epoch as f64)).unwrap();
    }
    let svg = std::fs::read_to_string(folder.path().join("curves.svg")).unwrap();
    let ticks: Vec<&str> = svg
        .lines()
        .filter(|line| line.contains("fill=\"#555\""))
        .filter_map(|line| line.split(['>', '<']).nth(2))
        .collect();
    let loss = ["0.0", "0.5", "1.0", "1.5", "2.0", "10", "20", "30", "40"];
    assert_eq!(ticks, [&loss[..], &["30", "40", "50", "60", "70", "10", "20", "30", "40"]].concat());
}
