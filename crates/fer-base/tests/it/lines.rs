//! Errors and names as lines, digests as digits, and the code of an error.

use std::{error::Error, fmt, io};

use fer_base::{ExitCode, OutputError, chain, exit, hex, terminal};

#[derive(Debug)]
struct Failed(OutputError);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the report is lost")
    }
}

impl Error for Failed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[derive(Debug)]
struct Never;

impl fmt::Display for Never {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("never")
    }
}

impl Error for Never {}

impl ExitCode for Never {
    fn exit_code(&self) -> u8 {
        exit::DEVICE
    }
}

fn failed(path: &str) -> Failed {
    Failed(OutputError { path: path.into(), source: io::Error::other("no space") })
}

#[test]
fn an_error_is_told_with_its_causes_once_each() {
    let line = chain(&failed("a.json"));
    assert_eq!(
        line,
        "the report is lost: a.json: cannot be written; is there space, and may you write there?: no space"
    );
}

#[test]
fn the_code_is_that_of_the_cause_that_has_one() {
    assert_eq!(exit::find::<OutputError>(&failed("a.json")), Some(exit::OUTPUT));
    assert_eq!(exit::find::<Never>(&failed("a.json")), None);
    assert_eq!(exit::find::<Never>(&Never), Some(exit::DEVICE));
}

#[test]
fn a_terminal_is_told_nothing_it_would_obey() {
    assert_eq!(terminal::line("cat\u{1b}[2J\n\u{202e}dog"), "cat\\u{1b}[2J\\n\\u{202e}dog");
    assert_eq!(terminal::line("glücklich 😀"), "glücklich 😀");
    assert!(chain(&failed("a\u{1b}]0;b\u{7}.json")).contains("a\\u{1b}]0;b\\u{7}.json"));
}

#[test]
fn bytes_become_two_digits_each() {
    assert_eq!(hex::encode(&[0, 10, 255]), "000aff");
}
