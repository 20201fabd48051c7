//! Word by word, after Kattis's default validator: white space separates, how much of it does not matter.

use super::{Mismatch, is_space};

/// Compares word by word with `same(expected, answer)`.
pub(super) fn compare<'a>(
    expected: &'a [u8],
    answer: &'a [u8],
    same: impl Fn(&[u8], &[u8]) -> bool,
) -> Option<Mismatch<'a>> {
    let mut wanted = Words::new(expected);
    let mut given = Words::new(answer);
    loop {
        let (want, (at, got)) = (wanted.next().1, given.next());
        if want.is_empty() && got.is_empty() {
            return None;
        }
        // An empty word is the end: only both ends match.
        if want.is_empty() || got.is_empty() || !same(want, got) {
            return Some(Mismatch {
                at,
                expected: want,
                got,
            });
        }
    }
}

/// Whether a word is as expected: the same but for capitals, or both numbers and not too far apart by either tolerance. Only
/// what is expected decides whether numbers are compared.
pub(super) fn near(expected: &[u8], answer: &[u8], abs: f64, rel: f64) -> bool {
    let Some(wanted) = number(expected) else {
        return expected.eq_ignore_ascii_case(answer);
    };
    let Some(given) = number(answer) else {
        return false;
    };
    let apart = (wanted - given).abs();
    apart <= abs || apart <= rel * wanted.abs()
}

/// A number as C++ streams read one: decimal, with or without sign, point and exponent. `inf` and `nan` are words.
fn number(word: &[u8]) -> Option<f64> {
    let is_digit_like = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
    let text = std::str::from_utf8(word).ok()?;
    let number: f64 = text
        .parse()
        .ok()
        .filter(|_| word.iter().all(is_digit_like))?;
    // Too large for it, the stream gives up.
    number.is_finite().then_some(number)
}

/// The words of a text, each with its offset; empty ones at the end.
struct Words<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Words<'a> {
    fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    fn next(&mut self) -> (usize, &'a [u8]) {
        let rest = &self.text[self.at..];
        let skipped = rest.iter().take_while(|byte| is_space(**byte)).count();
        let rest = &rest[skipped..];
        let length = rest.iter().take_while(|byte| !is_space(**byte)).count();
        let start = self.at + skipped;
        self.at = start + length;
        (start, &rest[..length])
    }
}
