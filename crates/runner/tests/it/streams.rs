//! Events in order and in time, lazy judging, and what happens when nobody listens any more.

use std::time::{Duration, Instant};

use crate::support::{eventually, world};
use contract::Language;
use contract::manifest::{Checker, JudgingMode};
use contract::verdict::Verdict;
use futures::StreamExt;

/// Sleeps as many hundredths of a second as it is told, then says so.
pub(crate) const SLEEPER: &str = "import time\nn = int(input())\ntime.sleep(n / 100)\nprint(n)\n";

#[test]
fn events_come_in_the_tests_order_however_long_each_takes() {
    let world = world();
    let mut asked = world.ask(Language::Python, SLEEPER);
    for n in [30, 1, 20, 1, 10, 1] {
        asked = asked.hidden(&n.to_string(), &n.to_string());
    }
    let answer = asked.judge();
    let order: Vec<u32> = answer.tests().iter().map(|test| test.index).collect();
    assert_eq!(order, [1, 2, 3, 4, 5, 6]);
    assert_eq!(answer.verdict().verdict, Verdict::Accepted, "{answer:?}");
}

#[test]
fn an_event_is_sent_when_it_happens() {
    let world = world();
    let asked = world
        .ask(Language::Python, SLEEPER)
        .hidden("1", "1")
        .hidden("250", "250");
    world.block_on(async {
        let answer = world.post("/internal/judge", &asked.request).await;
        let mut chunks = answer.bytes_stream();
        let mut text = String::new();
        while !text.contains("\"event\":\"test\"") {
            let chunk = chunks.next().await.expect("more comes").expect("is whole");
            text.push_str(std::str::from_utf8(&chunk).expect("whole lines"));
        }
        let first = Instant::now();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.expect("is whole");
            text.push_str(std::str::from_utf8(&chunk).expect("whole lines"));
        }
        assert!(text.contains("\"event\":\"finished\""), "{text}");
        let waited = first.elapsed();
        assert!(
            waited > Duration::from_millis(500),
            "the first test waited for the second"
        );
    });
}

#[test]
fn lazy_judging_skips_what_follows_a_failure() {
    let world = world();
    let answer = world
        .ask(Language::Python, "print(input())")
        .hidden("1", "1")
        .hidden("2", "x")
        .hidden("3", "3")
        .sample("4", "4")
        .judging(|judging| judging.mode = JudgingMode::Lazy)
        .judge();
    assert_eq!(
        answer.verdicts(),
        [
            Verdict::Accepted,
            Verdict::WrongAnswer,
            Verdict::Skipped,
            Verdict::Skipped
        ]
    );
    let verdict = answer.verdict();
    assert_eq!(
        (verdict.verdict, verdict.passed, verdict.total),
        (Verdict::WrongAnswer, 1, 4)
    );
}

#[test]
fn points_and_groups_add_up() {
    let world = world();
    let answer = world
        .ask(Language::Python, "print(input())")
        .test("1", "1", |test| {
            (test.group, test.points) = (Some("a".into()), Some(30.0));
        })
        .test("2", "x", |test| {
            (test.group, test.points) = (Some("b".into()), Some(70.0));
        })
        .judge();
    let verdict = answer.verdict();
    assert_eq!((verdict.score, verdict.max_score), (30.0, 100.0));
    let groups = verdict.groups.as_ref().expect("there are groups");
    assert_eq!(
        (groups[0].verdict, groups[1].verdict),
        (Verdict::Accepted, Verdict::WrongAnswer)
    );
}

#[test]
fn answers_of_many_megabytes_are_compared() {
    let world = world();
    let lines = 700_000;
    let numbers: Vec<String> = (0..lines).map(|n: u32| n.to_string()).collect();
    let expected = numbers.join("\n");
    let code = format!("print('\\n'.join(map(str, range({lines}))))");
    let answer = world
        .ask(Language::Python, &code)
        .hidden(&expected, &expected)
        .hidden("", &expected.replace("699999", "700000"))
        .judge();
    assert_eq!(answer.verdicts(), [Verdict::Accepted, Verdict::WrongAnswer]);
}

#[test]
fn every_checker_is_in_use() {
    let world = world();
    for (checker, expected, verdict) in [
        (Checker::Lines {}, "a  b\nc\n", Verdict::Accepted),
        (Checker::Lines {}, "a b\nc\n", Verdict::WrongAnswer),
        (
            Checker::Tokens {
                case_sensitive: false,
            },
            "A B C",
            Verdict::Accepted,
        ),
        (Checker::Unordered {}, "c\na  b\n", Verdict::Accepted),
        (Checker::Exact {}, "a  b\nc\n", Verdict::Accepted),
        (Checker::Exact {}, "a  b\nc", Verdict::WrongAnswer),
        (
            Checker::Float { abs: 0.1, rel: 0.0 },
            "a b c",
            Verdict::Accepted,
        ),
    ] {
        let answer = world
            .ask(Language::Python, "print('a  b')\nprint('c')")
            .hidden("", expected)
            .judging(|judging| judging.checker = checker.clone())
            .judge();
        assert_eq!(
            answer.verdicts(),
            [verdict],
            "{checker:?} with {expected:?}"
        );
    }
}

/// Processes whose command line holds this text.
fn processes_with(text: &str) -> usize {
    let holds = |pid: &std::ffi::OsStr| {
        std::fs::read(std::path::Path::new("/proc").join(pid).join("cmdline"))
            .is_ok_and(|line| String::from_utf8_lossy(&line).contains(text))
    };
    let entries = std::fs::read_dir("/proc")
        .expect("there is /proc")
        .flatten();
    entries.filter(|entry| holds(&entry.file_name())).count()
}

#[test]
fn programs_die_when_the_client_goes() {
    let world = world();
    // The program shows itself on its command line, where the test can see it from outside.
    let mark = "codementor-disconnect-mark";
    let code = format!(
        "import os, sys\nif len(sys.argv) == 1:\n    os.execv(sys.executable, [sys.executable, '-S', '-c', 'import time; time.sleep(600)', '{mark}'])\n"
    );
    let asked = world
        .ask(Language::Python, &code)
        .hidden("", "")
        .hidden("", "")
        .judging(|judging| judging.limits.time_ms = 60_000);
    world.block_on(async {
        let answer = world.post("/internal/judge", &asked.request).await;
        let mut chunks = answer.bytes_stream();
        chunks
            .next()
            .await
            .expect("compiled comes first")
            .expect("is whole");
        eventually("two programs run", || processes_with(mark) == 2).await;
        drop(chunks);
        eventually("they are dead", || processes_with(mark) == 0).await;
    });
    // The slots are free again.
    let answer = world
        .ask(Language::Python, "print(1)")
        .hidden("", "1")
        .judge();
    assert_eq!(answer.verdict().verdict, Verdict::Accepted);
}
