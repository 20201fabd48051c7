//! Line by line: in order, in any order, or every byte.

use std::collections::HashMap;

use super::{Mismatch, is_space};

/// Lines equal in order; spaces at their ends and empty lines at the end do not count.
pub(super) fn in_order<'a>(expected: &'a [u8], answer: &'a [u8]) -> Option<Mismatch<'a>> {
    let mut wanted = lines(expected);
    let mut given = lines(answer);
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return None,
            (Some((_, want)), Some((_, got))) if want == got => {}
            (Some((_, want)), Some((at, got))) => {
                let same = common(want, got);
                return Some(Mismatch {
                    at: at + same,
                    expected: &want[same..],
                    got: &got[same..],
                });
            }
            (Some((_, want)), None) => return Some(missing(want, answer)),
            (None, Some((at, got))) => return Some(surplus(at, got)),
        }
    }
}

/// The same lines, each as often, in any order.
pub(super) fn in_any_order<'a>(expected: &'a [u8], answer: &'a [u8]) -> Option<Mismatch<'a>> {
    let mut open: HashMap<&[u8], usize> = HashMap::new();
    for (_, line) in lines(expected) {
        *open.entry(line).or_default() += 1;
    }
    for (at, line) in lines(answer) {
        match open.get_mut(line) {
            Some(left) if *left > 0 => *left -= 1,
            _ => return Some(surplus(at, line)),
        }
    }
    lines(expected)
        .map(|(_, line)| line)
        .find(|line| open.get(line).is_some_and(|left| *left > 0))
        .map(|line| missing(line, answer))
}

/// Every byte equal.
pub(super) fn exact<'a>(expected: &'a [u8], answer: &'a [u8]) -> Option<Mismatch<'a>> {
    if expected == answer {
        return None;
    }
    let at = common(expected, answer);
    // To the end of the line and with it, for the line's end may be the difference.
    let line = |text: &'a [u8]| {
        let rest = &text[at..];
        let end = rest.iter().position(|byte| *byte == b'\n');
        &rest[..end.map_or(rest.len(), |end| end + 1)]
    };
    Some(Mismatch {
        at,
        expected: line(expected),
        got: line(answer),
    })
}

fn missing<'a>(expected: &'a [u8], answer: &'a [u8]) -> Mismatch<'a> {
    Mismatch {
        at: answer.len(),
        expected,
        got: &[],
    }
}

fn surplus(at: usize, got: &[u8]) -> Mismatch<'_> {
    Mismatch {
        at,
        expected: &[],
        got,
    }
}

/// Lines without spaces at their ends, each with its offset, up to the last that is not empty.
fn lines(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let text = trimmed(text);
    let mut next = (!text.is_empty()).then_some(0);
    std::iter::from_fn(move || {
        let start = next?;
        let rest = &text[start..];
        let end = rest.iter().position(|byte| *byte == b'\n');
        next = end.map(|end| start + end + 1);
        Some((start, trimmed(&rest[..end.unwrap_or(rest.len())])))
    })
}

fn trimmed(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| !is_space(*byte));
    &text[..end.map_or(0, |end| end + 1)]
}

/// Length of the common beginning that splits no character.
fn common(one: &[u8], other: &[u8]) -> usize {
    let mut same = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    let inside = |text: &[u8], at: usize| text.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
    while same > 0 && (inside(one, same) || inside(other, same)) {
        same -= 1;
    }
    same
}
