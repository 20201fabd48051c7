//! Verdicts and points of groups, and whether they are as expected.
#![expect(clippy::float_cmp, reason = "points are small whole numbers")]

use package::{Grade, Outcome, Package, expectation::Judged, test_data::TestOutcome};

use crate::support::package;

use Outcome::{Accepted, RunTimeError, TimeLimit, WrongAnswer};

fn grade(package: &Package, outcomes: &[Outcome]) -> (Option<Outcome>, f64) {
    assert_eq!(outcomes.len(), package.tests.tests.len());
    let outcomes: Vec<_> = outcomes
        .iter()
        .map(|outcome| TestOutcome {
            outcome: Some(*outcome),
            score: None,
            multiplier: None,
        })
        .collect();
    let Grade { outcome, score, .. } = package.tests.grade(&outcomes);
    (outcome, score)
}

/// `problemtools`' example: two groups of min, 50 points each, any of them makes it accepted.
fn odd_echo() -> Package {
    package(&[
        (
            "problem.yaml",
            "problem_format_version: 2023-07-draft\ntype: scoring\nname: Odd\n",
        ),
        (
            "data/testdata.yaml",
            "on_reject: continue\nrange: 0 100\ngrader_flags: ignore_sample\n",
        ),
        (
            "data/sample/testdata.yaml",
            "on_reject: continue\nrange: 0 0\naccept_score: 0\ngrader_flags: first_error\n",
        ),
        ("data/sample/1.in", ""),
        (
            "data/secret/testdata.yaml",
            "on_reject: continue\nrange: 0 100\ngrader_flags: first_error accept_if_any_accepted\n",
        ),
        (
            "data/secret/one/testdata.yaml",
            "on_reject: break\naccept_score: 50\nrange: 0 50\ngrader_flags: min\n",
        ),
        ("data/secret/one/1.in", ""),
        ("data/secret/one/2.in", ""),
        (
            "data/secret/two/testdata.yaml",
            "on_reject: break\naccept_score: 50\nrange: 0 50\ngrader_flags: min\n",
        ),
        ("data/secret/two/3.in", ""),
    ])
    .expect("is a package")
}

#[test]
fn groups_of_the_legacy_format() {
    let odd = odd_echo();
    assert_eq!(grade(&odd, &[Accepted; 4]), (Some(Accepted), 100.0));
    assert_eq!(
        grade(&odd, &[Accepted, Accepted, WrongAnswer, Accepted]),
        (Some(Accepted), 50.0)
    );
    assert_eq!(
        grade(&odd, &[Accepted, WrongAnswer, Accepted, TimeLimit]),
        (Some(WrongAnswer), 0.0)
    );
    assert_eq!(odd.tests.max_score(), Some(100.0));
}

#[test]
fn domjudges_points_are_those_of_the_group() {
    let addone = package(&[
        ("problem.yaml", "name: Add\ntype: scoring\n"),
        (
            "data/testdata.yaml",
            "on_reject: continue\ngrader_flags: sum\n",
        ),
        (
            "data/secret/testdata.yaml",
            "on_reject: continue\ngrader_flags: sum\n",
        ),
        ("data/secret/large/testdata.yaml", "accept_score: 30\n"),
        ("data/secret/large/1.in", ""),
        ("data/secret/large/2.in", ""),
        ("data/secret/small/testdata.yaml", "accept_score: 10\n"),
        ("data/secret/small/1.in", ""),
    ])
    .expect("is a package");
    assert_eq!(grade(&addone, &[Accepted; 3]), (Some(Accepted), 40.0));
    assert_eq!(
        grade(&addone, &[Accepted, WrongAnswer, Accepted]),
        (Some(WrongAnswer), 10.0)
    );
}

#[test]
fn groups_of_2025_09_share_and_depend() {
    let shared = package(&[
        (
            "problem.yaml",
            "problem_format_version: 2025-09\ntype: scoring\nname: S\n",
        ),
        (
            "data/secret/a/test_group.yaml",
            "max_score: 40\nscore_aggregation: sum\n",
        ),
        ("data/secret/a/1.in", ""),
        ("data/secret/a/2.in", ""),
        ("data/secret/b/test_group.yaml", "max_score: 20\n"),
        ("data/secret/b/1.in", ""),
        (
            "data/secret/c/test_group.yaml",
            "max_score: 40\nrequire_pass: [secret/b]\n",
        ),
        ("data/secret/c/1.in", ""),
    ])
    .expect("is a package");
    assert_eq!(grade(&shared, &[Accepted; 4]).1, 100.0);
    assert_eq!(
        grade(&shared, &[Accepted, RunTimeError, Accepted, Accepted]).1,
        80.0
    );
    assert_eq!(
        grade(&shared, &[Accepted, Accepted, WrongAnswer, Accepted]).1,
        40.0
    );
}

#[test]
fn without_groups_the_first_failure_decides() {
    let plain = package(&[
        ("problem.yaml", "name: P\n"),
        ("data/secret/1.in", ""),
        ("data/secret/2.in", ""),
        ("data/secret/3.in", ""),
    ])
    .expect("is a package");
    assert_eq!(
        grade(&plain, &[Accepted, TimeLimit, RunTimeError]).0,
        Some(TimeLimit)
    );
}

#[test]
fn tells_what_does_not_hold() {
    let read = package(&[
        ("problem.yaml", "problem_format_version: 2025-09\nname: P\n"),
        ("data/secret/1.in", ""),
        (
            "submissions/submissions.yaml",
            "wrong_answer/a.py:\n  secret/1:\n    permitted: [AC]\n",
        ),
        ("submissions/wrong_answer/a.py", ""),
    ])
    .expect("is a package");
    let expectation = read.submissions[0].expectation.as_ref().expect("is said");
    let judged = |tests: &[(&str, Outcome)]| Judged {
        overall: Some(WrongAnswer),
        tests: tests
            .iter()
            .map(|(name, outcome)| ((*name).to_owned(), *outcome))
            .collect(),
        ..Judged::default()
    };
    assert_eq!(
        expectation.disagreements(&judged(&[
            ("secret/1", Accepted),
            ("secret/2", WrongAnswer)
        ])),
        Vec::<String>::new()
    );
    assert_eq!(
        expectation.disagreements(&judged(&[("secret/1", WrongAnswer)])),
        ["secret/1 is WA"]
    );
    assert_eq!(
        expectation.disagreements(&judged(&[("secret/1", Accepted)])),
        ["no test is WA"]
    );
    assert_eq!(
        expectation.disagreements(&judged(&[("secret/1", Accepted), ("secret/2", TimeLimit)])),
        ["secret/2 is TLE", "no test is WA"]
    );
}
