//! What was left out of a data set, for a person.
//! In: the samples skipped. Out: lines of text; none where nothing was.

use fer_data::{Reason, Skipped};

/// Damaged samples with their count, then what was no sample at all.
#[must_use]
pub fn left_out(skipped: &[Skipped]) -> String {
    let is_damaged =
        |skipped: &&Skipped| !matches!(skipped.reason, Reason::NotAnImage | Reason::NonFace | Reason::NoFace);
    let (damaged, others): (Vec<_>, Vec<_>) = skipped.iter().partition(is_damaged);
    let (unfound, others): (Vec<_>, Vec<_>) =
        others.into_iter().partition(|skipped| skipped.reason == Reason::NoFace);
    let list = |what: &str, skipped: Vec<&Skipped>| match skipped.len() {
        0 => String::new(),
        n => {
            let lines: String = skipped.iter().map(|skipped| format!("  {skipped}\n")).collect();
            format!("{n} {what} left out:\n{lines}")
        }
    };
    list("damaged samples", damaged)
        + &list("photographs without a face", unfound)
        + &list("other files and samples", others)
}
