//! A place in an answer, told to people: line and column from 1, columns in characters.

use contract::event::Difference;

use super::Mismatch;
use crate::text::clean;

/// Characters of a difference that are shown.
const SHOWN: usize = 200;

/// Line, column and both texts.
pub(super) fn difference(found: &Mismatch<'_>, answer: &[u8]) -> Difference {
    let before = &answer[..found.at];
    let line_start = before
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |end| end + 1);
    let lines = before.split(|byte| *byte == b'\n').count();
    let column = clean(&before[line_start..]).chars().count();
    Difference {
        line: number(lines),
        column: number(column + 1),
        expected: cut(found.expected),
        got: cut(found.got),
    }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn cut(bytes: &[u8]) -> String {
    // Enough bytes for as many characters, so that a line of megabytes costs nothing.
    let text = clean(&bytes[..bytes.len().min(4 * (SHOWN + 1))]).into_owned();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
