//! Bytes → the same bytes, damaged.
//! In: an input, others of its kind, words of its format. Out: an input that may be anything.

use rand::{RngExt, rngs::StdRng};

/// The longest input.
const MOST_BYTES: usize = 1 << 18;

/// Values at which counts and sizes break.
const NUMBERS: [&str; 22] = [
    "0",
    "-1",
    "1",
    "2",
    "7",
    "48",
    "255",
    "256",
    "2303",
    "2304",
    "65535",
    "65536",
    "2147483647",
    "2147483648",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "18446744073709551615",
    "1e308",
    "-1e-308",
    "nan",
    "inf",
];

/// What an input is made of.
pub(crate) struct Kin<'a> {
    /// Inputs of the same kind.
    pub(crate) pool: &'a [Vec<u8>],
    /// Words of the format.
    pub(crate) words: &'a [&'a [u8]],
}

/// Damages an input in one to eight places.
pub(crate) fn mutate(bytes: &mut Vec<u8>, kin: &Kin<'_>, rng: &mut StdRng) {
    for _ in 0..1 << rng.random_range(0..4) {
        one(bytes, kin, rng);
        bytes.truncate(MOST_BYTES);
    }
}

fn one(bytes: &mut Vec<u8>, kin: &Kin<'_>, rng: &mut StdRng) {
    let n = bytes.len();
    let at = rng.random_range(0..=n);
    let end = (at + length(rng)).min(n);
    match rng.random_range(0..14) {
        0 | 1 if at < n => bytes[at] ^= 1 << rng.random_range(0..8),
        2 if at < n => bytes[at] = rng.random(),
        3 if at < n => bytes[at] = [0, 1, 0x7f, 0x80, 0xff, b'\n', b',', b'"'][rng.random_range(0..8)],
        4 => whole_number(&mut bytes[at..], rng),
        5 => drop(bytes.drain(at..end)),
        6 => bytes.truncate(at),
        7 => {
            let copy = bytes[at..end].to_vec();
            let to = rng.random_range(0..=n);
            let times = if rng.random_range(0..16) == 0 { rng.random_range(2..400) } else { 1 };
            bytes.splice(to..to, copy.repeat(times));
        }
        8 => {
            let fresh: Vec<u8> = (0..length(rng)).map(|_| rng.random()).collect();
            bytes.splice(at..at, fresh);
        }
        9 if !kin.words.is_empty() => {
            let word = kin.words[rng.random_range(0..kin.words.len())];
            let end = if rng.random() { at } else { (at + word.len()).min(n) };
            bytes.splice(at..end, word.iter().copied());
        }
        10 | 11 => decimal(bytes, at, rng),
        12 => {
            let other = &kin.pool[rng.random_range(0..kin.pool.len())];
            let from = rng.random_range(0..=other.len());
            bytes.truncate(at);
            bytes.extend_from_slice(&other[from..]);
        }
        _ if end > at => bytes[at..end].reverse(),
        _ => {}
    }
}

/// Mostly short, sometimes a few thousand.
fn length(rng: &mut StdRng) -> usize {
    let most = 1 << rng.random_range(1..13);
    rng.random_range(1..=most)
}

/// Replaces up to eight bytes by a binary number at which something may break.
fn whole_number(bytes: &mut [u8], rng: &mut StdRng) {
    let value = [0, 1, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0xffff_ffff, u64::MAX, 1 << 40]
        [rng.random_range(0..10)]
    .wrapping_add(rng.random_range(0..3));
    let width = [2, 4, 8][rng.random_range(0..3)].min(bytes.len());
    let is_big = rng.random();
    for (i, byte) in bytes.iter_mut().take(width).enumerate() {
        let place = if is_big { width - 1 - i } else { i };
        *byte = (value >> (8 * place)) as u8;
    }
}

/// Replaces the next decimal number by another.
fn decimal(bytes: &mut Vec<u8>, at: usize, rng: &mut StdRng) {
    let Some(from) = bytes[at..].iter().position(u8::is_ascii_digit).map(|n| at + n) else { return };
    let end = bytes[from..].iter().position(|byte| !byte.is_ascii_digit()).map_or(bytes.len(), |n| from + n);
    let number = NUMBERS[rng.random_range(0..NUMBERS.len())];
    bytes.splice(from..end, number.bytes());
}
