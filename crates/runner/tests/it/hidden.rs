//! Hidden tests tell little, and feedback tells no more than the question allows.

use contract::Language;
use contract::manifest::Feedback;
use contract::runner_api::RunnerEvent;
use contract::verdict::Verdict;

use crate::ask::Ask;
use crate::support::{World, world};

/// Writes its input to both streams, fails on a word that only hidden tests have.
const CODE: &str = "import sys\nword = input()\nprint(word)\nprint(word, file=sys.stderr)\nif word.startswith('secret'): sys.exit(77)\n";

fn asked(world: &World, feedback: Feedback) -> Ask<'_> {
    world
        .ask(Language::Python, CODE)
        .sample("open\n", "open\n")
        .hidden("secret-input\n", "secret-answer\n")
        .hidden("open\n", "other-secret\n")
        .judging(|judging| judging.feedback = feedback)
}

#[test]
fn a_hidden_test_tells_its_verdict_and_rounded_figures_only() {
    let world = world();
    let answer = asked(&world, Feedback::Full).judge();
    assert_eq!(
        answer.verdicts(),
        [
            Verdict::Accepted,
            Verdict::RuntimeError,
            Verdict::WrongAnswer
        ]
    );
    assert!(!answer.text.contains("secret"), "{}", answer.text);
    for test in &answer.tests()[1..] {
        assert_eq!(test.detail, None);
        assert_eq!(
            (test.time_ms % 10, test.wall_ms % 10, test.memory_kib % 1024),
            (0, 0, 0)
        );
    }
    let lines: Vec<&str> = answer.text.lines().collect();
    assert!(lines[1].contains("\"exit_code\":0") && lines[1].contains("\"stderr\""));
    for line in &lines[2..=3] {
        let test: serde_json::Value = serde_json::from_str(line).expect("is JSON");
        let told = test["data"].as_object().expect("an object");
        let mut keys: Vec<&str> = told.keys().map(String::as_str).collect();
        keys.sort_unstable();
        assert_eq!(
            keys,
            [
                "index",
                "memory_kib",
                "name",
                "time_ms",
                "verdict",
                "wall_ms"
            ]
        );
    }
}

#[test]
fn a_limit_of_a_hidden_test_is_rounded_too() {
    let world = world();
    let answer = world
        .ask(Language::Python, "while True: pass")
        .hidden("", "")
        .judging(|judging| judging.limits.time_ms = 103)
        .judge();
    let limit = answer.tests()[0].limit.clone().expect("the time limit");
    assert_eq!(
        (limit.value, limit.measured.map(|measured| measured % 10)),
        (103, Some(0))
    );
    assert_eq!(answer.verdict().time_ms % 10, 0);
}

#[test]
fn feedback_on_samples_tells_hidden_tests_only_as_a_whole() {
    let world = world();
    let answer = asked(&world, Feedback::Samples)
        .judging(|judging| {
            for test in &mut judging.tests {
                test.group = Some("g".to_owned());
            }
        })
        .judge();
    let told: Vec<u32> = answer.tests().iter().map(|test| test.index).collect();
    assert_eq!(told, [1]);
    let verdict = answer.verdict();
    assert_eq!(
        (verdict.verdict, verdict.passed, verdict.total),
        (Verdict::RuntimeError, 1, 3)
    );
    assert_eq!(verdict.groups, None);
}

#[test]
fn without_feedback_no_test_is_told() {
    let world = world();
    let answer = asked(&world, Feedback::None).judge();
    assert_eq!(answer.events.len(), 2, "{answer:?}");
    assert!(matches!(answer.events[0], RunnerEvent::Compiled(_)));
    assert_eq!(answer.verdict().verdict, Verdict::RuntimeError);
}

#[test]
fn a_run_on_samples_shows_output_and_never_a_hidden_test() {
    let world = world();
    let answer = asked(&world, Feedback::Full)
        .change(|request| request.show_output = true)
        .judge();
    assert_eq!(answer.tests().len(), 0);
    let outputs = answer.outputs();
    assert_eq!(outputs.len(), 1, "{answer:?}");
    assert_eq!(
        (
            outputs[0].index,
            outputs[0].verdict,
            outputs[0].stdout.as_str(),
            outputs[0].stderr.as_str()
        ),
        (Some(1), Some(Verdict::Accepted), "open\n", "open\n")
    );
    assert!(!answer.text.contains("secret"), "{}", answer.text);
}

#[test]
fn texts_of_samples_are_cut() {
    let world = world();
    let long = "x".repeat(10_000);
    let answer = world
        .ask(
            Language::Python,
            "import sys\nword = input()\nprint(word)\nprint(word, file=sys.stderr)\n",
        )
        .sample(&long, &long)
        .judge();
    let detail = answer.tests()[0].detail.as_ref().expect("a sample");
    for text in [
        &detail.input,
        &detail.expected,
        &detail.output,
        &detail.stderr,
    ] {
        assert!(
            text.ends_with("x\n… (cut)") && text.len() < 4_200,
            "{} bytes",
            text.len()
        );
    }
    assert_eq!(
        answer.verdict().verdict,
        Verdict::Accepted,
        "the whole is compared"
    );
}
