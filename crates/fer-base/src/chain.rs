//! An error and its causes in one line.
//! In: an error whose causes are its sources. Out: `what failed: why: because of what`.

use std::error::Error;

use crate::terminal;

/// What made something fail, of whatever kind; told by [`Error::source`], not by the text.
pub type Cause = Box<dyn Error + Send + Sync>;

/// An error and its chain of sources, joined by `: `, safe to print on a terminal.
///
/// Errors that keep their cause as `#[source]` do not repeat it in their own words, so nothing is told twice.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    terminal::line(&line).into_owned()
}
