//! Errors as the programs say them.

use std::io::{Error, ErrorKind};

use fer_data::DataError;
use fer_train::error::{TrainError, chain};

#[test]
fn causes_are_told_once() {
    let denied = || Error::new(ErrorKind::PermissionDenied, "permission denied");
    let unreadable = DataError::Unreadable { path: "faces.csv".into(), source: denied() };
    assert_eq!(chain(&TrainError::Data(unreadable)), "faces.csv: cannot be read: permission denied");
    let unwritten = TrainError::Write { path: "run".into(), cause: denied() };
    assert_eq!(chain(&unwritten), "run: cannot be written: permission denied");
}
