//! Code that means harm, or is no code at all.

use std::time::{Duration, Instant};

use contract::Language;
use contract::verdict::Verdict;

use crate::support::world;

#[test]
fn compile_bombs_end_as_compile_errors() {
    let world = world();
    for (language, code) in [
        (
            Language::C,
            "#include </dev/zero>\nint main(void) {}\n".to_owned(),
        ),
        (
            Language::C,
            "#include \"<solution>\"\n#include \"<solution>\"\nint main(void) {}\n".to_owned(),
        ),
        (
            Language::C,
            "char bomb[1L << 40] = {1};\nint main(void) {}\n".to_owned(),
        ),
        (
            Language::Cpp,
            "template<int n> struct X { X<n + 1> a; };\nX<0> x;\nint main() {}\n".to_owned(),
        ),
        (
            Language::Python,
            format!("x = {}1{}\n", "(".repeat(20_000), ")".repeat(20_000)),
        ),
        (
            Language::Java,
            format!(
                "public class Main {{ int x = {}1{}; }}\n",
                "(".repeat(15_000),
                ")".repeat(15_000)
            ),
        ),
    ] {
        let started = Instant::now();
        let answer = world.ask(language, &code).sample("", "").judge();
        let head: String = code.chars().take(60).collect();
        assert_eq!(
            answer.verdict().verdict,
            Verdict::CompileError,
            "{head}: {answer:?}"
        );
        assert!(!answer.compiled().log.is_empty(), "{head}");
        assert!(answer.compiled().log.len() <= (64 << 10) + 20, "{head}");
        assert!(started.elapsed() < Duration::from_mins(1), "{head}");
    }
}

#[test]
fn compilers_see_no_more_than_programs_do() {
    let world = world();
    for code in [
        "#include \"/etc/shadow\"\nint main(void) {}\n",
        "#include \"/proc/1/environ\"\nint main(void) {}\n",
    ] {
        let answer = world.ask(Language::C, code).judge();
        assert_eq!(answer.verdict().verdict, Verdict::CompileError);
        assert!(!answer.compiled().log.contains("root:"), "{answer:?}");
        assert!(!answer.compiled().log.contains("CODEMENTOR"), "{answer:?}");
    }
}

#[test]
fn programs_inherit_nothing_of_ours() {
    let world = world();
    let code =
        "import os\nprint(sorted(os.environ))\nprint(os.listdir('/box'), os.listdir('/app'))\n";
    let answer = world.ask(Language::Python, code).run("");
    assert_eq!(
        answer.outputs()[0].stdout,
        "['HOME', 'LANG', 'PATH', 'PYPY_GC_NURSERY']\n[] ['main.py']\n"
    );
}

#[test]
fn names_that_are_no_plain_names_are_refused() {
    let world = world();
    for name in [
        "../x.py",
        "/etc/passwd",
        "-o",
        "@args",
        "a/b.py",
        "",
        ".",
        "<solution>",
        "a\u{0}b",
        "a\nb",
    ] {
        let (status, problem) = world
            .ask(Language::Python, "print(1)")
            .file(name, "")
            .refused();
        assert!((400..423).contains(&status), "{name:?}: {status} {problem}");
    }
    for name in ["../main.py", "-o", "/"] {
        let (status, _) = world
            .ask(Language::Python, "print(1)")
            .change(|request| name.clone_into(&mut request.files[0].name))
            .refused();
        assert_eq!(status, 422, "{name:?}");
    }
}

#[test]
fn a_second_file_cannot_take_the_place_of_the_first() {
    let world = world();
    let answer = world
        .ask(Language::Python, "print(1)")
        .file("main.py", "print(2)")
        .judge();
    assert_eq!(answer.verdict().verdict, Verdict::CompileError);
    assert!(answer.compiled().log.contains("main.py"), "{answer:?}");
}

#[test]
fn code_with_nul_or_too_much_of_it_is_refused() {
    let world = world();
    let (status, _) = world.ask(Language::C, "int main(void) {}\u{0}").refused();
    assert!((400..423).contains(&status), "{status}");
    let (status, problem) = world
        .ask(Language::C, &"x".repeat((64 << 10) + 1))
        .refused();
    assert_eq!(status, 422);
    assert_eq!(problem["errors"][0]["pointer"], "/files");
    let (status, _) = world
        .ask(Language::C, &"x".repeat(40 << 10))
        .file("y.h", &"y".repeat(40 << 10))
        .refused();
    assert_eq!(status, 422, "all files count together");
    let (status, _) = world
        .ask(Language::C, "")
        .change(|request| request.files.clear())
        .refused();
    assert_eq!(status, 422);
}

type Change = fn(&mut contract::manifest::Judging);

#[test]
fn limits_that_would_mean_none_or_too_much_are_refused() {
    let world = world();
    let changes: [Change; 9] = [
        |judging| judging.limits.time_ms = 0,
        |judging| judging.limits.time_ms = 60_001,
        |judging| judging.limits.memory_kib = 0,
        |judging| judging.limits.memory_kib = u32::MAX,
        |judging| judging.limits.output_kib = 0,
        |judging| judging.limits.output_kib = u32::MAX,
        |judging| judging.time_factor = 0.0,
        |judging| judging.time_factor = -1.0,
        |judging| judging.time_factor = 1e9,
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let (status, problem) = world
            .ask(Language::C, "int main(void) {}")
            .judging(change)
            .refused();
        assert_eq!(status, 422, "change {index}");
        let pointer = problem["errors"][0]["pointer"]
            .as_str()
            .expect("names a place");
        assert!(pointer.starts_with("/judging/"), "{pointer}");
    }
}

#[test]
fn empty_code_is_judged_like_any_other() {
    let world = world();
    for language in world.languages() {
        let answer = world.ask(language, "").sample("1 2", "3").judge();
        let expected = match language {
            Language::Python | Language::Pypy | Language::Javascript | Language::Typescript => {
                Verdict::WrongAnswer
            }
            _ => Verdict::CompileError,
        };
        assert_eq!(answer.verdict().verdict, expected, "{language}: {answer:?}");
    }
}

#[test]
fn output_that_is_no_text_is_shown_as_well_as_it_can_be() {
    let world = world();
    let code = "import sys\nsys.stdout.buffer.write(b'a\\x00b\\xff\\n')\nsys.stderr.buffer.write(b'\\xfe\\x00')\n";
    let answer = world.ask(Language::Python, code).sample("", "a\n").judge();
    let detail = answer.tests()[0].detail.as_ref().expect("a sample");
    assert_eq!(detail.output, "a\u{fffd}b\u{fffd}\n");
    assert_eq!(detail.stderr, "\u{fffd}\u{fffd}");
    assert_eq!(answer.verdict().verdict, Verdict::WrongAnswer);
    assert!(!answer.text.contains("\\u0000"), "no NUL enters an event");
}

#[test]
fn a_line_of_a_stream_stays_small_whatever_is_written() {
    let world = world();
    let code =
        "import sys\nsys.stdout.write('\\x01' * 10**6)\nsys.stderr.write('\\xff\\x02' * 10**6)\n";
    let answer = world.ask(Language::Python, code).run("");
    assert_eq!(answer.verdict().verdict, Verdict::Accepted);
    let longest = answer.text.lines().map(str::len).max();
    assert!(
        longest.is_some_and(|length| length < 512 << 10),
        "{longest:?}"
    );
}

#[test]
fn messages_with_unreadable_names_stay_text() {
    let world = world();
    let answer = world
        .ask(Language::C, "int main(void) { return \u{202e}가나다; }")
        .judge();
    assert!(!answer.compiled().ok);
    assert!(answer.compiled().log.contains("<solution>:1"), "{answer:?}");
}

#[test]
fn a_fork_bomb_harms_nobody() {
    let world = world();
    let code = "#include <unistd.h>\nint main(void) { for (;;) fork(); }\n";
    let answer = world
        .ask(Language::C, code)
        .hidden("", "")
        .judging(|judging| judging.limits.time_ms = 300)
        .judge();
    assert!(
        matches!(
            answer.verdict().verdict,
            Verdict::TimeLimit | Verdict::RuntimeError
        ),
        "{answer:?}"
    );
    let after = world
        .ask(Language::Python, "print(1)")
        .hidden("", "1")
        .judge();
    assert_eq!(after.verdict().verdict, Verdict::Accepted);
}

#[test]
fn endless_recursion_is_a_crash_and_not_a_matter_of_memory() {
    let world = world();
    for (language, code) in [
        (
            Language::C,
            "int f(int n) { volatile int x[100]; x[0] = n; return f(n + 1) + x[0]; }\nint main(void) { return f(0); }\n",
        ),
        (
            Language::Cpp,
            "int f(int n) { volatile int x[100]; x[0] = n; return f(n + 1) + x[0]; }\nint main() { return f(0); }\n",
        ),
        (
            Language::Java,
            "public class Main { static int f(int n) { return f(n + 1) + 1; } public static void main(String[] a) { f(0); } }",
        ),
        (Language::Python, "def f(n): return f(n + 1) + 1\nf(0)\n"),
        (
            Language::Javascript,
            "function f(n) { return f(n + 1) + 1; }\nf(0);\n",
        ),
    ] {
        let answer = world.ask(language, code).sample("", "").judge();
        assert_eq!(
            answer.verdicts(),
            [Verdict::RuntimeError],
            "{language}: {answer:?}"
        );
    }
}

#[test]
fn a_learner_cannot_write_the_results_of_a_plain_program() {
    let world = world();
    // Descriptor 3 exists only where a driver uses it.
    let answer = world
        .ask(
            Language::Python,
            "import os\ntry:\n    os.write(3, b'x')\nexcept OSError:\n    print('none')\n",
        )
        .sample("", "none")
        .judge();
    assert_eq!(answer.verdict().verdict, Verdict::Accepted, "{answer:?}");
}
