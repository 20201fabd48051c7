//! Lines in what compilers and run-time systems say: `<solution>:3:5: error: …`, `<solution>:3: …`, `File "<solution>", line 3`.

use contract::event::{FindingKind, Severity};

use super::Remark;
use crate::texts::Phrase;

/// Later messages mostly follow from the first ones.
const MOST_MESSAGES: usize = 3;

/// Longest quotation of a message, in characters.
const LONGEST: usize = 300;

/// Remarks on errors; where no line is known, none.
pub(super) fn compiler_errors(log: &str) -> impl Iterator<Item = Remark<'_>> {
    placed(log)
        .filter(|message| message.class != Class::Warning)
        .take(MOST_MESSAGES)
        .map(|message| {
            Remark::new(
                message.line,
                FindingKind::Bug,
                Severity::Essential,
                Phrase::CompilerError(message.text),
            )
        })
}

/// Remarks on warnings.
pub(super) fn compiler_warnings(log: &str) -> impl Iterator<Item = Remark<'_>> {
    placed(log)
        .filter(|message| message.class == Class::Warning)
        .take(MOST_MESSAGES)
        .map(|message| {
            Remark::new(
                message.line,
                FindingKind::Bug,
                Severity::Actionable,
                Phrase::CompilerWarning(message.text),
            )
        })
}

/// The last line of the learner's code that a stack trace names.
pub(super) fn traced_line(stderr: &str) -> Option<usize> {
    stderr
        .match_indices(MARK)
        .filter_map(|(at, _)| place(&stderr[at..]).map(|(line, _)| line))
        .last()
}

const MARK: &str = "<solution>";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Error,
    Warning,
    Unclear,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Message<'a> {
    line: usize,
    class: Class,
    text: &'a str,
}

fn placed(log: &str) -> impl Iterator<Item = Message<'_>> {
    let lines: Vec<&str> = log.lines().collect();
    let mut messages = Vec::new();
    for (index, text) in lines.iter().enumerate() {
        let Some((line, rest)) = text.find(MARK).and_then(|at| place(&text[at..])) else {
            continue;
        };
        let (class, said) = classify(rest);
        if class == Class::Unclear && said.is_empty() {
            // Python and node place the error first and say what it is at the end.
            let says = lines[index + 1..]
                .iter()
                .map(|line| line.trim())
                .find(|line| line.contains("Error:"));
            if let Some(says) = says {
                messages.push(Message {
                    line,
                    class: Class::Error,
                    text: cut(says),
                });
            }
        } else if class != Class::Unclear || !said.is_empty() {
            messages.push(Message {
                line,
                class,
                text: cut(said),
            });
        }
    }
    // A note (`required from here`) belongs to the message before it.
    messages.retain(|message| !message.text.is_empty());
    messages.into_iter()
}

/// The line number after the mark, and what follows it.
fn place(text: &str) -> Option<(usize, &str)> {
    let rest = text.strip_prefix(MARK)?;
    let rest = rest
        .strip_prefix(':')
        .or_else(|| rest.strip_prefix("\", line "))
        .or_else(|| rest.strip_prefix(", line "))?;
    let digits = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    let line = rest[..digits].parse().ok().filter(|&line| line > 0)?;
    Some((line, &rest[digits..]))
}

fn classify(rest: &str) -> (Class, &str) {
    // A column may come first.
    let rest = rest.strip_prefix(':').map_or(rest, |after| {
        after.trim_start_matches(|c: char| c.is_ascii_digit())
    });
    let rest = rest.trim_start_matches([':', ' ']);
    for (word, class) in [
        ("fatal error:", Class::Error),
        ("error:", Class::Error),
        ("warning:", Class::Warning),
        ("note:", Class::Unclear),
    ] {
        if let Some(said) = rest.strip_prefix(word) {
            let said = if class == Class::Unclear {
                ""
            } else {
                said.trim()
            };
            return (class, said);
        }
    }
    (Class::Unclear, rest.trim_matches([',', ')', ' ']))
}

fn cut(text: &str) -> &str {
    text.char_indices()
        .nth(LONGEST)
        .map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(log: &str) -> Vec<(usize, Class, &str)> {
        placed(log)
            .map(|message| (message.line, message.class, message.text))
            .collect()
    }

    #[test]
    fn reads_messages_of_several_compilers() {
        for (log, expected) in [
            (
                "<solution>: In function 'int main()':\n<solution>:3:5: error: expected ';' before '}' token\n    3 | }\n",
                vec![(3, Class::Error, "expected ';' before '}' token")],
            ),
            (
                "<solution>:7: warning: unused variable 'x'\n<solution>:9:1: note: here\n",
                vec![(7, Class::Warning, "unused variable 'x'")],
            ),
            (
                "  File \"<solution>\", line 4\n    print(\n         ^\nSyntaxError: '(' was never closed\n",
                vec![(4, Class::Error, "SyntaxError: '(' was never closed")],
            ),
            (
                "<solution>:2\nlet a = ;\n        ^\n\nSyntaxError: Unexpected token ';'\n",
                vec![(2, Class::Error, "SyntaxError: Unexpected token ';'")],
            ),
            (
                "nothing of ours\n<solution>:0: error: x\n<solution>:99999999999999999999: error: x\n",
                vec![],
            ),
        ] {
            assert_eq!(found(log), expected, "{log}");
        }
    }

    #[test]
    fn finds_the_innermost_line_of_a_trace() {
        let trace = "Traceback (most recent call last):\n  File \"<solution>\", line 9, in <module>\n  File \"<solution>\", line 3, in f\nIndexError: list index out of range\n";
        assert_eq!(traced_line(trace), Some(3));
        assert_eq!(traced_line("Segmentation fault"), None);
    }
}
