//! Comparing what a program wrote with what was expected.
//!
//! Pure functions over bytes, linear in their number; an answer need not be text. They tell the first place that
//! differs, which is shown of samples only. What is expected never enters the sandbox.

mod lines;
mod place;
mod tokens;

use contract::event::Difference;
use contract::manifest::Checker;

/// The first place where an answer is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mismatch<'a> {
    /// Offset in the answer.
    at: usize,
    /// What was expected there; empty at the end of the output.
    expected: &'a [u8],
    /// What was there; empty at the end of the output.
    got: &'a [u8],
}

impl Mismatch<'_> {
    /// The same for people.
    pub(crate) fn describe(&self, answer: &[u8]) -> Difference {
        place::difference(self, answer)
    }
}

/// Compares; `None` means that the answer is right.
pub(crate) fn check<'a>(
    checker: &Checker,
    expected: &'a [u8],
    answer: &'a [u8],
) -> Option<Mismatch<'a>> {
    match *checker {
        Checker::Tokens { case_sensitive } => tokens::compare(expected, answer, |one, other| {
            if case_sensitive {
                one == other
            } else {
                one.eq_ignore_ascii_case(other)
            }
        }),
        Checker::Float { abs, rel } => tokens::compare(expected, answer, |one, other| {
            tokens::near(one, other, abs, rel)
        }),
        Checker::Lines {} => lines::in_order(expected, answer),
        Checker::Unordered {} => lines::in_any_order(expected, answer),
        Checker::Exact {} => lines::exact(expected, answer),
        // A program decides elsewhere; by itself nothing is right here.
        Checker::Program { .. } => Some(Mismatch {
            at: 0,
            expected: &[],
            got: &[],
        }),
    }
}

/// What separates words: the white space of C's `isspace`.
fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    const TOKENS: Checker = Checker::Tokens {
        case_sensitive: true,
    };
    const FLOAT: Checker = Checker::Float {
        abs: 1e-6,
        rel: 1e-6,
    };

    fn right(checker: &Checker, expected: &str, answer: &str) -> bool {
        check(checker, expected.as_bytes(), answer.as_bytes()).is_none()
    }

    #[test]
    fn tokens_differ_only_in_their_words() {
        assert!(right(&TOKENS, "1 2\n3\n", " 1\t2 3"));
        assert!(right(&TOKENS, "", "\n\n"));
        assert!(!right(&TOKENS, "1 2", "12"));
        assert!(!right(&TOKENS, "yes", "Yes"));
        assert!(!right(&TOKENS, "1", "1 2"));
        assert!(!right(&TOKENS, "1 2", "1"));
        assert!(!right(&TOKENS, "1.0", "1.00"));
        let any_case = Checker::Tokens {
            case_sensitive: false,
        };
        assert!(right(&any_case, "yes", "YES"));
    }

    #[test]
    fn lines_ignore_only_spaces_at_their_ends_and_empty_lines_at_the_end() {
        let checker = Checker::Lines {};
        assert!(right(&checker, "a b\nc\n", "a b  \r\nc"));
        assert!(right(&checker, "a\n", "a\n\n \n"));
        assert!(!right(&checker, "a b", "a  b"));
        assert!(!right(&checker, "a\nb", "a\n\nb"));
        assert!(!right(&checker, "a", " a"));
    }

    #[test]
    fn exact_means_every_byte() {
        let checker = Checker::Exact {};
        assert!(right(&checker, "a\n", "a\n"));
        assert!(!right(&checker, "a\n", "a"));
        assert!(!right(&checker, "a", "a\n"));
    }

    #[test]
    fn unordered_counts_lines() {
        let checker = Checker::Unordered {};
        assert!(right(&checker, "b\na\na\n", "a\nb \na"));
        assert!(!right(&checker, "a\na\nb", "a\nb\nb"));
        assert!(!right(&checker, "a", "a\na"));
        assert!(!right(&checker, "a\nb", "a"));
    }

    #[test]
    fn floats_pass_by_either_tolerance() {
        assert!(right(&FLOAT, "0.333333333", "0.3333334"));
        assert!(right(&FLOAT, "1000000", "1000000.9"));
        assert!(!right(&FLOAT, "1000000", "1000001.1"));
        assert!(right(&FLOAT, "0", "0.0000009"));
        assert!(!right(&FLOAT, "0", "0.0000011"));
        assert!(right(&FLOAT, "1e3", "1000"));
        assert!(!right(&FLOAT, "1.5", "one"));
        assert!(!right(&FLOAT, "1.5", "nan"));
        assert!(!right(&FLOAT, "1.5", "inf"));
        assert!(right(&FLOAT, "inf", "Inf"));
        assert!(!right(&FLOAT, "inf", "Infinity"));
        assert!(!right(&FLOAT, "inf", "-inf"));
        assert!(!right(&FLOAT, "1e3", "0x3e8"));
        assert!(right(&FLOAT, "+.5 5.", "0.5 5"));
        assert!(right(&FLOAT, "Case 1.0", "Case 1"));
        assert!(right(&FLOAT, "yes", "Yes"));
        assert!(!right(&FLOAT, "yes", "no"));
        assert!(right(
            &Checker::Float { abs: 0.0, rel: 0.1 },
            "10 -10",
            "10.9 -9.1"
        ));
    }

    fn difference(
        checker: &Checker,
        expected: &str,
        answer: &str,
    ) -> Option<(u64, u64, String, String)> {
        let found = check(checker, expected.as_bytes(), answer.as_bytes())?;
        let told = found.describe(answer.as_bytes());
        Some((told.line, told.column, told.expected, told.got))
    }

    #[test]
    fn the_first_difference_has_line_and_column_in_characters() {
        let told = |line, column, expected: &str, got: &str| {
            Some((line, column, expected.to_owned(), got.to_owned()))
        };
        assert_eq!(
            difference(&TOKENS, "가 나\n다 라\n", "가 나\n다 마\n"),
            told(2, 3, "라", "마")
        );
        assert_eq!(difference(&TOKENS, "1 2 3", "1 2\n"), told(2, 1, "3", ""));
        assert_eq!(difference(&TOKENS, "1", "1 9 9"), told(1, 3, "", "9"));
        assert_eq!(
            difference(&Checker::Lines {}, "ab cd\n", "ab xd\n"),
            told(1, 4, "cd", "xd")
        );
        assert_eq!(
            difference(&Checker::Exact {}, "1\n", "1"),
            told(1, 2, "\n", "")
        );
        assert_eq!(
            difference(&Checker::Exact {}, "가나", "가다"),
            told(1, 2, "나", "다")
        );
        assert_eq!(
            difference(&Checker::Unordered {}, "a\nb\n", "b\nc\n"),
            told(2, 1, "", "c")
        );
        assert_eq!(
            difference(&Checker::Unordered {}, "a\nb\n", "b\n"),
            told(2, 1, "a", "")
        );
    }

    #[test]
    fn a_long_difference_is_cut() {
        let long = "x".repeat(10_000);
        let (_, _, _, got) = difference(&TOKENS, "1", &long).expect("differs");
        assert!(got.len() < 300, "{} bytes", got.len());
        assert!(got.ends_with('…'));
    }

    #[test]
    fn answers_need_not_be_text() {
        let found = check(&TOKENS, b"a", b"\xff\xfe\0").expect("differs");
        assert_eq!(
            found.describe(b"\xff\xfe\0").got,
            "\u{fffd}\u{fffd}\u{fffd}"
        );
    }

    /// The rules again, as short as they can be said.
    mod model {
        use super::HashMap;

        pub(super) fn words(text: &str) -> Vec<&str> {
            text.split([' ', '\t', '\n', '\r'])
                .filter(|word| !word.is_empty())
                .collect()
        }

        pub(super) fn lines(text: &str) -> Vec<&str> {
            let mut lines: Vec<&str> = text
                .split('\n')
                .map(|line| line.trim_end_matches([' ', '\t', '\r']))
                .collect();
            while lines.last().is_some_and(|line| line.is_empty()) {
                lines.pop();
            }
            lines
        }

        pub(super) fn counted(text: &str) -> HashMap<&str, usize> {
            let mut counts = HashMap::new();
            for line in lines(text) {
                *counts.entry(line).or_default() += 1;
            }
            counts
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_model(expected in "[ab \t\r\n]{0,12}", answer in "[ab \t\r\n]{0,12}") {
            prop_assert_eq!(right(&TOKENS, &expected, &answer), model::words(&expected) == model::words(&answer));
            prop_assert_eq!(right(&Checker::Lines {}, &expected, &answer), model::lines(&expected) == model::lines(&answer));
            prop_assert_eq!(right(&Checker::Unordered {}, &expected, &answer), model::counted(&expected) == model::counted(&answer));
            prop_assert_eq!(right(&Checker::Exact {}, &expected, &answer), expected == answer);
        }

        #[test]
        fn every_answer_is_right_for_itself(answer in "\\PC{0,40}") {
            for checker in [TOKENS, FLOAT, Checker::Lines {}, Checker::Unordered {}, Checker::Exact {}] {
                prop_assert!(right(&checker, &answer, &answer));
            }
        }

        #[test]
        fn floats_agree_with_the_definition(expected in -1e9..1e9f64, offset in -2.0..2.0f64, abs in 0.0..1.0f64, rel in 0.0..1e-6f64) {
            let answer = expected + offset;
            let by_definition = (expected - answer).abs() <= abs || (expected - answer).abs() <= rel * expected.abs();
            let checker = Checker::Float { abs, rel };
            prop_assert_eq!(right(&checker, &format!("{expected:?}"), &format!("{answer:?}")), by_definition);
        }

        #[test]
        fn a_difference_lies_inside_the_answer(expected in "[가a \n]{0,12}", answer in "[가a \n]{0,12}") {
            for checker in [TOKENS, Checker::Lines {}, Checker::Exact {}, Checker::Unordered {}] {
                if let Some((line, column, ..)) = difference(&checker, &expected, &answer) {
                    let lines: Vec<&str> = answer.split('\n').collect();
                    let at = lines.get(usize::try_from(line).expect("small") - 1);
                    prop_assert!(at.is_some_and(|text| usize::try_from(column).expect("small") <= text.chars().count() + 1));
                }
            }
        }
    }
}
