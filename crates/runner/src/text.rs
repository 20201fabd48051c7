//! Bytes of a program as text for people: cut, valid UTF-8, free of control characters.
//!
//! Everything a compiler or a learner's program wrote passes here before it enters an event: events end up in JSON
//! columns that hold no NUL, on terminals that obey escapes, and in messages that are bounded, where JSON would write a
//! control character with six. It never guesses encodings.

use std::borrow::Cow;

/// The last line of a text that was cut.
pub(crate) const CUT: &str = "… (cut)";

/// The first `limit` bytes as text; when there were more, [`CUT`] on a line of its own follows.
pub(crate) fn shown(bytes: &[u8], limit: usize) -> String {
    let whole = bytes.len() <= limit;
    let kept = if whole {
        bytes
    } else {
        &bytes[..boundary(bytes, limit)]
    };
    let mut text = clean(kept).into_owned();
    if !whole {
        mark_cut(&mut text);
    }
    text
}

/// Appends [`CUT`] on a line of its own.
pub(crate) fn mark_cut(text: &mut String) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(CUT);
}

/// Valid UTF-8 without control characters but those of lines and columns; what was not becomes U+FFFD.
pub(crate) fn clean(bytes: &[u8]) -> Cow<'_, str> {
    match String::from_utf8_lossy(bytes) {
        text if text.contains(is_control) => Cow::Owned(text.replace(is_control, "\u{fffd}")),
        text => text,
    }
}

fn is_control(c: char) -> bool {
    c.is_ascii_control() && !matches!(c, '\n' | '\r' | '\t')
}

/// The largest place at or before `limit` where no character is split.
fn boundary(bytes: &[u8], limit: usize) -> usize {
    let is_start = |index: &usize| bytes.get(*index).is_none_or(|byte| byte & 0xc0 != 0x80);
    // A character has at most four bytes; anything longer is no character and may be split.
    (limit.saturating_sub(3)..=limit)
        .rev()
        .find(is_start)
        .unwrap_or(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_short_text_alone_and_marks_a_cut() {
        assert_eq!(shown(b"abc\n", 4), "abc\n");
        assert_eq!(shown(b"abcde", 4), "abcd\n… (cut)");
        assert_eq!(shown(b"abc\nde", 4), "abc\n… (cut)");
        assert_eq!(shown(b"a", 0), "… (cut)");
    }

    #[test]
    fn never_splits_a_character() {
        assert_eq!(shown("가나다".as_bytes(), 7), "가나\n… (cut)");
        assert_eq!(shown("가나다".as_bytes(), 6), "가나\n… (cut)");
    }

    #[test]
    fn shows_what_is_no_text_as_replacement_characters() {
        assert_eq!(shown(b"a\0b\xff", 10), "a\u{fffd}b\u{fffd}");
        assert_eq!(shown(b"\t\x1b[31m\r\n", 10), "\t\u{fffd}[31m\r\n");
    }
}
