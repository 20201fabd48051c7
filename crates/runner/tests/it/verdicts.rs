//! Every verdict in every language, each from a real program.

use contract::Language;
use contract::verdict::{LimitKind, Verdict};

use crate::ask::{Answer, Ask};
use crate::programs::{Fate, NEEDED, program};
use crate::support::{World, world};

/// The program judged on a sample and a hidden test.
fn asked(world: &World, language: Language, fate: Fate) -> Ask<'_> {
    world
        .ask(language, program(language, fate))
        .sample("1 2\n", "3\n")
        .hidden("5 7\n", "12\n")
}

fn hit(answer: &Answer) -> Option<(LimitKind, u64)> {
    let limit = answer.tests().first()?.limit.as_ref()?;
    Some((limit.kind, limit.value))
}

#[test]
fn accepts_the_right_answer() {
    let world = world();
    for language in world.languages() {
        let answer = asked(&world, language, Fate::Right).judge();
        assert!(answer.compiled().ok, "{language}: {answer:?}");
        assert_eq!(
            answer.verdicts(),
            [Verdict::Accepted, Verdict::Accepted],
            "{language}: {answer:?}"
        );
        let verdict = answer.verdict();
        assert_eq!(verdict.verdict, Verdict::Accepted);
        assert_eq!((verdict.score, verdict.max_score), (2.0, 2.0));
        assert_eq!((verdict.passed, verdict.total), (2, 2));
        let detail = answer.tests()[0].detail.as_ref().expect("a sample");
        assert_eq!(
            (
                detail.input.as_str(),
                detail.expected.as_str(),
                detail.output.as_str()
            ),
            ("1 2\n", "3\n", "3\n")
        );
        assert_eq!((detail.exit_code, detail.stderr.as_str()), (Some(0), ""));
    }
}

#[test]
fn tells_where_a_wrong_answer_differs() {
    let world = world();
    for language in world.languages() {
        let answer = asked(&world, language, Fate::Wrong).judge();
        assert_eq!(
            answer.verdicts(),
            [Verdict::WrongAnswer, Verdict::WrongAnswer],
            "{language}: {answer:?}"
        );
        assert_eq!(answer.verdict().verdict, Verdict::WrongAnswer);
        let detail = answer.tests()[0].detail.as_ref().expect("a sample");
        let difference = detail.difference.as_ref().expect("it differs");
        assert_eq!(
            (
                difference.line,
                difference.column,
                difference.expected.as_str(),
                difference.got.as_str()
            ),
            (1, 1, "3", "-1")
        );
    }
}

#[test]
fn ends_what_never_ends() {
    let world = world();
    for language in world.languages() {
        let answer = asked(&world, language, Fate::Endless)
            // Short, so that a busy machine gives it the time before the clock runs out.
            .judging(|judging| judging.limits.time_ms = 150)
            .judge();
        assert_eq!(
            answer.verdicts(),
            [Verdict::TimeLimit, Verdict::TimeLimit],
            "{language}: {answer:?}"
        );
        assert_eq!(hit(&answer), Some((LimitKind::Cpu, 150)), "{language}");
        let time = answer.tests()[0].time_ms;
        assert!((150..1_000).contains(&time), "{language} ran for {time} ms");
    }
}

#[test]
fn sleeping_does_not_save_anybody() {
    let world = world();
    for language in world.languages() {
        let answer = world
            .ask(language, program(language, Fate::Sleeping))
            .sample("", "")
            .judging(|judging| judging.limits.time_ms = 500)
            .judge();
        assert_eq!(
            answer.verdicts(),
            [Verdict::TimeLimit],
            "{language}: {answer:?}"
        );
        assert_eq!(hit(&answer), Some((LimitKind::Wall, 1_500)), "{language}");
    }
}

#[test]
fn stops_who_takes_too_much_memory() {
    let world = world();
    for language in world.languages() {
        let answer = asked(&world, language, Fate::Hungry)
            .judging(|judging| judging.limits.memory_kib = 64 << 10)
            .judge();
        assert_eq!(
            answer.verdicts(),
            [Verdict::MemoryLimit, Verdict::MemoryLimit],
            "{language}: {answer:?}"
        );
        let (kind, value) = hit(&answer).expect("a limit was hit");
        assert_eq!(kind, LimitKind::Memory);
        assert!(value >= 64 << 10, "{language}: {value}");
    }
}

#[test]
fn stops_who_writes_too_much_and_keeps_the_beginning() {
    let world = world();
    for language in world.languages() {
        let answer = asked(&world, language, Fate::Talkative)
            .judging(|judging| judging.limits.output_kib = 64)
            .judge();
        assert_eq!(
            answer.verdicts(),
            [Verdict::OutputLimit, Verdict::OutputLimit],
            "{language}: {answer:?}"
        );
        assert_eq!(hit(&answer), Some((LimitKind::Output, 64)), "{language}");
        let detail = answer.tests()[0].detail.as_ref().expect("a sample");
        assert!(
            detail.output.starts_with("talk talk talk talk\n")
                && detail.output.ends_with("… (cut)"),
            "{language}: {}",
            detail.output
        );
    }
}

#[test]
fn tells_how_a_program_crashed() {
    let world = world();
    for (language, signal, code, said) in [
        (Language::C, Some("SIGSEGV"), None, "before"),
        (Language::Cpp, Some("SIGABRT"), None, "before"),
        (Language::Java, None, Some(1), "(<solution>:3)"),
        (Language::Python, None, Some(1), "File \"<solution>:3\""),
        (Language::Javascript, None, Some(1), "<solution>:3"),
        (Language::Pypy, None, Some(1), "File \"<solution>:3\""),
        (Language::Typescript, None, Some(1), "<solution>:3"),
        (Language::Go, None, Some(2), "<solution>:4"),
        (Language::Rust, None, Some(101), "<solution>:3"),
        (Language::Kotlin, None, Some(1), "(<solution>:3)"),
    ] {
        if !world.languages().contains(&language) {
            continue;
        }
        let answer = asked(&world, language, Fate::Crashing).judge();
        assert_eq!(
            answer.verdicts(),
            [Verdict::RuntimeError, Verdict::RuntimeError],
            "{language}: {answer:?}"
        );
        let detail = answer.tests()[0].detail.as_ref().expect("a sample");
        assert_eq!(
            (detail.signal.as_deref(), detail.exit_code),
            (signal, code),
            "{language}"
        );
        assert!(
            detail.stderr.contains(said),
            "{language}: {}",
            detail.stderr
        );
    }
}

#[test]
fn python_ends_as_learners_end_it() {
    let world = world();
    for end in ["exit()", "quit()", "exit(0)", "raise SystemExit"] {
        let code = format!("print(sum(map(int, input().split())))\n{end}\n");
        let answer = world
            .ask(Language::Python, &code)
            .sample("1 2\n", "3\n")
            .judge();
        assert_eq!(answer.verdicts(), [Verdict::Accepted], "{end}: {answer:?}");
    }
}

#[test]
fn a_mistake_is_told_with_the_learners_line() {
    let world = world();
    for language in world.languages() {
        let answer = asked(&world, language, Fate::Broken).judge();
        let compiled = answer.compiled();
        assert!(!compiled.ok, "{language}");
        assert!(
            compiled.log.contains("<solution>:3"),
            "{language}: {}",
            compiled.log
        );
        for leaked in [
            "/box",
            "/app",
            "main.py",
            "main.js",
            "Main.java",
            "main.ts",
            "main.go",
            "main.rs",
            "main.kt",
        ] {
            assert!(
                !compiled.log.contains(leaked),
                "{language}: {}",
                compiled.log
            );
        }
        assert_eq!(answer.tests(), Vec::<&_>::new());
        let verdict = answer.verdict();
        assert_eq!(
            (verdict.verdict, verdict.passed, verdict.total),
            (Verdict::CompileError, 0, 2)
        );
    }
}

#[test]
fn templates_are_right_programs() {
    let world = world();
    let ids = world.languages();
    assert!(NEEDED.iter().all(|id| ids.contains(id)), "{ids:?}");
    for language in world.installed() {
        assert!(language.version.contains('.'), "{language:?}");
        let answer = world
            .ask(language.id, &language.template)
            .sample("20 22\n", "42\n")
            .judge();
        assert_eq!(answer.verdict().verdict, Verdict::Accepted, "{answer:?}");
        assert_eq!(answer.compiled().log, "", "{}", language.id);
    }
}
