//! The order people expect of file names: `face_2` before `face_10`.
//! In: two names. Out: their order, the same on every system.

use std::cmp::Ordering;

/// Compares names, runs of digits by their value; equal only for equal names.
pub(crate) fn compare(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    while !left.is_empty() && !right.is_empty() {
        let (l, r) = (run(left), run(right));
        let order = match (l.as_bytes()[0].is_ascii_digit(), r.as_bytes()[0].is_ascii_digit()) {
            (true, true) => by_value(l, r),
            _ => l.cmp(r),
        };
        if order != Ordering::Equal {
            return order;
        }
        (left, right) = (&left[l.len()..], &right[r.len()..]);
    }
    // Names that differ only in leading zeros still need a fixed order.
    left.len().cmp(&right.len()).then_with(|| a.cmp(b))
}

/// The longest start of digits only, or of other characters only.
fn run(text: &str) -> &str {
    let digits = text.as_bytes()[0].is_ascii_digit();
    let end = text.bytes().position(|byte| byte.is_ascii_digit() != digits);
    &text[..end.unwrap_or(text.len())]
}

fn by_value(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}
