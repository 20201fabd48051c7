//! What each format says is what is read.

use contract::Language;
use package::{Aggregation, Expectation, Format, Markup, Outcome};

use crate::support::{package, refusal};

const TESTS: [(&str, &str); 4] = [
    ("data/sample/1.in", "1\n"),
    ("data/sample/1.ans", "2\n"),
    ("data/secret/2.in", "2\n"),
    ("data/secret/2.ans", "4\n"),
];

fn with_tests<'a>(files: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    files.iter().chain(&TESTS).copied().collect()
}

#[test]
fn reads_legacy() {
    let read = package(&with_tests(&[
        (
            "problem.yaml",
            "name: Doubling\nauthor: A. Nonym\nvalidator_flags: float_tolerance 1e-4\nlimits:\n  memory: 512\n  time_multiplier: 3\n  code: 128\nkeywords: easy maths\nmystery: 1\n",
        ),
        (".timelimit", "2.5\n"),
        ("problem_statement/problem.en.tex", "\\problemname{Doubling}\nDouble it."),
        ("input_validators/check.py", "import sys\nsys.exit(42)\n"),
        ("submissions/accepted/a.cc", "int main() {}\n"),
        ("submissions/wrong_answer/w.py", "print(1)\n"),
        ("submissions/run_time_error/odd.hs", "main = error\n"),
    ]))
    .expect("is a package");
    assert_eq!(read.metadata.format, Format::Legacy);
    assert_eq!(read.title(&["ko", "en"]), "Doubling");
    assert_eq!(read.metadata.time_limit, Some(2.5));
    assert_eq!(
        (read.metadata.memory_mib, read.metadata.ac_to_time_limit),
        (512.0, 3.0)
    );
    assert_eq!(read.metadata.keywords, ["easy", "maths"]);
    let names: Vec<_> = read
        .tests
        .tests
        .iter()
        .map(|test| test.name.as_str())
        .collect();
    assert_eq!(names, ["sample/1", "secret/2"]);
    assert_eq!(
        read.tests.tests[1].output_validator_args,
        ["float_tolerance", "1e-4"]
    );
    assert_eq!(read.statements[0].markup, Markup::Tex);
    assert_eq!(read.input_validators[0].language, Some(Language::Python));
    let submissions: Vec<_> = read
        .submissions
        .iter()
        .map(|own| (own.name(), own.program.language))
        .collect();
    assert_eq!(
        submissions,
        [
            ("accepted/a.cc", Some(Language::Cpp)),
            ("run_time_error/odd.hs", None),
            ("wrong_answer/w.py", Some(Language::Python)),
        ]
    );
    assert_eq!(
        read.submissions[2].expectation,
        Some(Expectation::only(Outcome::WrongAnswer))
    );
    let places: Vec<_> = read
        .warnings
        .iter()
        .map(|warning| warning.place.as_str())
        .collect();
    assert_eq!(
        places,
        [
            "problem.yaml: limits.code",
            "problem.yaml: author",
            "problem.yaml: mystery"
        ]
    );
}

#[test]
fn reads_2025_09() {
    let read = package(&[
        (
            "problem.yaml",
            "problem_format_version: 2025-09\ntype: [scoring, interactive]\nname:\n  en: Guess\n  ko: 맞히기\nuuid: 1\nlimits:\n  time_limit: 1.5\n",
        ),
        ("statement/problem.en.md", "Guess."),
        ("statement/problem.ko.md", "맞히세요."),
        ("output_validator/validate.py", "import sys\n"),
        ("data/sample/1.in", ""),
        ("data/sample/1.ans", ""),
        ("data/secret/test_group.yaml", "max_score: 100\n"),
        ("data/secret/a/test_group.yaml", "max_score: 40\nscore_aggregation: min\noutput_validator_args: [fast]\n"),
        ("data/secret/a/01.in", "1"),
        ("data/secret/a/01.ans", "1"),
        ("data/secret/b/test_group.yaml", "max_score: 60\nrequire_pass: secret/a\n"),
        ("data/secret/b/deep/02.in", "2"),
        ("data/secret/b/deep/02.ans", "2"),
        ("data/secret/b/deep/02.yaml", "output_validator_args: [slow]\nhint: be quick\n"),
        (
            "submissions/submissions.yaml",
            "accepted/*:\n  authors: One\npartial/p.py:\n  score: [40, 60]\n  secret/a:\n    permitted: [AC]\n  secret/*:\n    required: [WA, TLE]\nmixed:\n  permitted: [AC, RTE]\n",
        ),
        ("submissions/accepted/a.py", "print(1)"),
        ("submissions/partial/p.py", "print(1)"),
        ("submissions/time_limit_exceeded/t/main.cpp", "int main() {}"),
        ("submissions/time_limit_exceeded/t/help.h", ""),
    ])
    .expect("is a package");
    assert!(read.metadata.scoring && read.metadata.interactive && !read.metadata.multi_pass);
    assert_eq!(read.title(&["ko"]), "맞히기");
    assert_eq!(
        read.output_validator.as_ref().and_then(|own| own.language),
        Some(Language::Python)
    );
    let groups: Vec<_> = read
        .tests
        .groups
        .iter()
        .map(|group| (group.name.as_str(), group.aggregation))
        .collect();
    assert_eq!(
        groups,
        [
            ("", Aggregation::Sum),
            ("sample", Aggregation::PassFail),
            ("secret", Aggregation::Sum),
            ("secret/a", Aggregation::Min),
            ("secret/b", Aggregation::PassFail),
        ]
    );
    let last = &read.tests.tests[2];
    assert_eq!((last.name.as_str(), last.group), ("secret/b/deep/02", 4));
    assert_eq!(last.output_validator_args, ["slow"]);
    assert_eq!(read.tests.tests[1].output_validator_args, ["fast"]);
    assert_eq!(read.tests.max_score(), Some(100.0));
    let slow = &read.submissions[2];
    assert_eq!(
        slow.program.files[0],
        "submissions/time_limit_exceeded/t/main.cpp"
    );
    let partial = read.submissions[1].expectation.as_ref().expect("is said");
    assert_eq!(partial.rules.len(), 3);
}

#[test]
fn what_stands_in_a_source_decides() {
    let read = package(&with_tests(&[
        ("problem.yaml", "name: Any\n"),
        (
            "submissions/mixed/a.c",
            "/* @EXPECTED_RESULTS@: TIMELIMIT, RUN-ERROR */\nint main() {}\n",
        ),
        (
            "submissions/accepted/b.py",
            "# @EXPECTED_RESULTS@: WRONG-ANSWER\n# @EXPECTED_SCORE@: 30\n",
        ),
    ]))
    .expect("is a package");
    let said = |index: usize| {
        read.submissions[index]
            .expectation
            .clone()
            .expect("is said")
    };
    assert_eq!(
        said(1).overall,
        [Outcome::TimeLimit, Outcome::RunTimeError].into()
    );
    assert_eq!(said(0).overall, [Outcome::WrongAnswer].into());
    assert_eq!(said(0).rules[0].score, Some((30.0, 30.0)));
}

#[test]
fn names_what_is_wrong_in_yaml() {
    let cases = [
        ("name: [", "format"),
        ("name: a\nname: b\n", "format"),
        ("- 1\n", "type"),
        ("limits: 3\n", "type"),
        ("limits: {memory: lots}\n", "type"),
        ("problem_format_version: 1999\n", "unknown"),
        ("type: puzzle\n", "unknown"),
        ("validation: magic\n", "unknown"),
    ];
    for (text, code) in cases {
        let (place, word) = refusal(package(&with_tests(&[("problem.yaml", text)])));
        assert_eq!(word, code, "{text}");
        assert!(place.starts_with("problem.yaml"), "{place}");
    }
    let (place, code) = refusal(package(&TESTS));
    assert_eq!((place.as_str(), code), ("problem.yaml", "missing"));
}

#[test]
fn aliases_that_explode_are_refused() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let alias = format!("*a{}", level - 1);
        text.push_str(
            &[
                "a",
                &level.to_string(),
                ": &a",
                &level.to_string(),
                " [",
                &vec![alias; 9].join(", "),
                "]\n",
            ]
            .concat(),
        );
    }
    let (_, code) = refusal(package(&with_tests(&[("problem.yaml", &text)])));
    assert_eq!(code, "format");
    let deep = format!("name: {}{}\n", "[".repeat(20_000), "]".repeat(20_000));
    let (_, code) = refusal(package(&with_tests(&[("problem.yaml", &deep)])));
    assert_eq!(code, "format");
}
