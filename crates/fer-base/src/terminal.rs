//! Names from files, made safe for a terminal.
//! In: any text, such as a folder's name. Out: one line without control characters.

use std::borrow::Cow;

/// The text in one line: what a terminal would obey or turn round is written as an escape, `\u{1b}`.
///
/// A folder may be called `\x1b]0;…` or hold a newline; class names, file names and cells of a CSV file
/// come from whoever made the data.
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_unsafe(c) { safe.extend(c.escape_default()) } else { safe.push(c) }
    }
    Cow::Owned(safe)
}

/// Control characters, line separators, and what reverses the direction of text (CVE-2021-42574).
fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
