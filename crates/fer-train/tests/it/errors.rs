//! Errors as the programs say them.

use std::io::{Error, ErrorKind};

use fer_base::chain;
use fer_data::DataError;
use fer_train::error::TrainError;

#[test]
fn causes_are_told_once() {
    let denied = || Error::new(ErrorKind::PermissionDenied, "permission denied");
    let unreadable = DataError::Unreadable { path: "faces.csv".into(), source: denied() };
    assert_eq!(chain(&TrainError::Data(unreadable)), "faces.csv: cannot be read: permission denied");
    let unwritten = TrainError::Write { path: "run".into(), source: denied() };
    assert_eq!(chain(&unwritten), "run: cannot be written: permission denied");
}

#[test]
fn an_epoch_that_could_not_be_saved_is_named_with_where_to_go_on() {
    let full = || Error::new(ErrorKind::StorageFull, "no space left");
    let words = |epoch| chain(&TrainError::NotSaved { epoch, source: full().into() });
    assert_eq!(
        words(3),
        "training stopped: epoch 3 could not be saved; make room, then --resume goes on after epoch 2: no space left"
    );
    assert_eq!(
        words(1),
        "training stopped: epoch 1 could not be saved; make room, then --resume goes on with the first epoch: no space left"
    );
}
