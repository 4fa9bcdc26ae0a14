//! OpenCV's errors, as causes of ours.
//! In: an error of OpenCV. Out: its first line.

use fer_base::Cause;

/// What OpenCV says; it adds the place in its own source on a second line.
pub(super) fn cause(error: &opencv::Error) -> Cause {
    error.message.lines().next().unwrap_or_default().into()
}
