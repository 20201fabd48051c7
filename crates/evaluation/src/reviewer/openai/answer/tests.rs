//! Answers as models really write them, and as they should not.

use contract::event::{FindingKind, Severity};
use proptest::prelude::*;

use super::*;

const FINDING: &str = r#"{"line_start":2,"line_end":3,"kind":"bug","severity":"essential","message":"루프의 끝을 보세요."}"#;
const SUMMARY: &str = r#"{"summary":"Close.","complexity":{"time":"O(n^2)","space":"O(1)"},"next_step":"Try n = 1."}"#;

fn read(text: &str) -> (Vec<Finding>, Answer) {
    let mut answer = Answer::new(10);
    let findings = answer.push(text);
    (findings, answer)
}

fn finding(line_start: u32, line_end: u32, message: &str) -> String {
    serde_json::json!({
        "line_start": line_start, "line_end": line_end, "kind": "style", "severity": "actionable", "message": message,
    })
    .to_string()
}

#[test]
fn reads_findings_and_a_summary() {
    let (findings, answer) = read(&format!("{FINDING}\n{SUMMARY}\n"));
    assert_eq!(
        findings,
        [Finding {
            line_start: 2,
            line_end: 3,
            kind: FindingKind::Bug,
            severity: Severity::Essential,
            message: "루프의 끝을 보세요.".into(),
        }]
    );
    let summary = answer.summary().expect("a summary came");
    assert_eq!(summary.text, "Close.");
    assert_eq!(summary.next_step.as_deref(), Some("Try n = 1."));
    assert_eq!(
        summary.complexity,
        Some(Complexity {
            time: "O(n^2)".into(),
            space: "O(1)".into()
        })
    );
    assert_eq!(answer.dropped(), 0);
}

#[test]
fn forgives_fences_prose_arrays_and_one_whole_object() {
    for text in [
        format!("```json\n{FINDING}\n{SUMMARY}\n```"),
        format!("Sure {{here}} it is: {{ }}\n{FINDING} and {SUMMARY}"),
        format!("[{FINDING},\n{SUMMARY}]"),
        format!(r#"{{"findings":[{FINDING}],"summary":"Close.","next_step":null}}"#),
        format!("{}\n{SUMMARY}", FINDING.replace(',', ",\n  ")),
    ] {
        let (findings, answer) = read(&text);
        assert_eq!(findings.len(), 1, "{text}");
        assert!(answer.summary().is_some(), "{text}");
    }
}

#[test]
fn drops_and_counts_what_may_not_be_shown() {
    let solution = "a = 1\nb = 2\nfor x in y:\nprint(a)\nreturn b\nc = 3";
    for text in [
        finding(0, 1, "before the first line"),
        finding(3, 2, "ends before it begins"),
        finding(10, 11, "after the last line"),
        finding(1, 1, "  \u{202e}\n "),
        finding(1, 1, &"x".repeat(LONGEST_MESSAGE + 1)),
        finding(1, 1, "do it so: ```python\nprint(1)\n```"),
        finding(1, 1, solution),
        r#"{"line_start":1,"line_end":1,"kind":"opinion","severity":"essential","message":"x"}"#
            .to_owned(),
        r#"{"summary":"```\nx\n```"}"#.to_owned(),
        r#"{"anything":"else"}"#.to_owned(),
        format!(r#"{{"message":"{}"}}"#, "x".repeat(LONGEST_OBJECT)),
    ] {
        let (findings, answer) = read(&text);
        assert_eq!(findings, [], "{text}");
        assert_eq!(answer.summary(), None, "{text}");
        assert_eq!(answer.dropped(), 1, "{text}");
    }
}

#[test]
fn stops_at_the_limit_of_findings() {
    let (findings, answer) = read(&format!("{FINDING}\n").repeat(MOST_FINDINGS + 3));
    assert_eq!(findings.len(), MOST_FINDINGS);
    assert_eq!(answer.dropped(), 3);
}

#[test]
fn a_broken_object_does_not_swallow_the_next() {
    let (findings, _) = read(&format!(
        "{{\"line_start\": 1, \"message\": \"cut\n{FINDING}\n"
    ));
    assert_eq!(findings.len(), 1);
}

proptest! {
    #[test]
    fn pieces_make_no_difference(cuts in prop::collection::vec(0usize..400, 0..20)) {
        let text = format!("```\n{FINDING}\nnot {{ json }}\n{}\n{SUMMARY}", finding(1, 1, "쉼표 \\\" } {"));
        let (expected, whole) = read(&text);
        let mut cuts: Vec<usize> = cuts
            .into_iter()
            .filter(|&cut| cut < text.len() && text.is_char_boundary(cut))
            .collect();
        cuts.push(text.len());
        cuts.sort_unstable();
        let mut answer = Answer::new(10);
        let mut findings = Vec::new();
        let mut from = 0;
        for cut in cuts {
            findings.extend(answer.push(&text[from..cut]));
            from = cut;
        }
        prop_assert_eq!(findings, expected);
        prop_assert_eq!(answer.summary(), whole.summary());
    }

    #[test]
    fn no_text_breaks_it(text in ".{0,300}") {
        let (findings, _) = read(&text);
        prop_assert!(findings.len() <= MOST_FINDINGS);
    }
}
