//! Bytes as hexadecimal digits.
//! In: bytes, such as a SHA-256. Out: two lower-case digits a byte.

use std::fmt::Write;

/// Two lower-case digits a byte, in the order of the bytes.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        write!(digits, "{byte:02x}").expect("a String takes all text");
    }
    digits
}
