//! What was left out of a data set, for a person.
//! In: the samples skipped. Out: lines of text; none where nothing was.

use fer_base::terminal;
use fer_data::{Reason, Skipped};

/// Damaged samples with their count, then what was no sample at all.
#[must_use]
pub fn left_out(skipped: &[Skipped]) -> String {
    let (damaged, others): (Vec<_>, Vec<_>) = skipped.iter().partition(|skipped| is_damaged(skipped));
    let (unfound, others): (Vec<_>, Vec<_>) =
        others.into_iter().partition(|skipped| skipped.reason == Reason::NoFace);
    let list = |what: &str, skipped: Vec<&Skipped>| match skipped.len() {
        0 => String::new(),
        n => {
            let line = |skipped: &&Skipped| format!("  {}\n", terminal::line(&skipped.to_string()));
            format!("{n} {what} left out:\n{}", skipped.iter().map(line).collect::<String>())
        }
    };
    list("damaged samples", damaged)
        + &list("photographs without a face", unfound)
        + &list("other files and samples", others)
}

/// How many samples were damaged: what `--skip-bad` leaves out.
#[must_use]
pub fn n_damaged(skipped: &[Skipped]) -> usize {
    skipped.iter().filter(|skipped| is_damaged(skipped)).count()
}

fn is_damaged(skipped: &Skipped) -> bool {
    !matches!(skipped.reason, Reason::NotAnImage | Reason::NonFace | Reason::NoFace | Reason::Contradictory)
}
