//! Checkers of the question's own: what they say, what they do wrong, talking ones, and more than one pass.

use contract::Language;
use contract::job::SourceFile;
use contract::manifest::{Checker, CheckerProtocol, GroupScore, JudgingMode, TestGroup};
use contract::verdict::Verdict;

use crate::ask::{Answer, Ask};
use crate::support::{World, world};

fn checker(language: Language, code: &str) -> Checker {
    Checker::Program {
        language,
        files: vec![SourceFile {
            name: "check".to_owned(),
            content: code.to_owned(),
        }],
        protocol: CheckerProtocol::Kattis,
        args: vec!["everywhere".to_owned()],
        interactive: false,
        passes: 1,
    }
}

fn python(code: &str) -> Checker {
    checker(Language::Python, code)
}

fn ask<'a>(world: &'a World, code: &str, checker: Checker) -> Ask<'a> {
    let ask = world.ask(Language::Python, code);
    ask.judging(|judging| judging.checker = checker)
}

fn talking(code: &str) -> Checker {
    match python(code) {
        Checker::Program {
            language,
            files,
            protocol,
            args,
            passes,
            ..
        } => Checker::Program {
            language,
            files,
            protocol,
            args,
            passes,
            interactive: true,
        },
        other => other,
    }
}

fn reason(answer: &Answer) -> &str {
    let tests = answer.tests();
    assert_eq!(tests[0].verdict, Verdict::InternalError, "{answer:?}");
    tests[0].reason.as_deref().expect("the teacher is told why")
}

/// Any two numbers of this sum are right.
const SUM: &str = "import sys
want = int(open(sys.argv[1]).read())
assert open(sys.argv[2]).read() == 'any'
assert sys.argv[4:] == ['everywhere', 'here'], sys.argv
try:
    a, b = map(int, sys.stdin.read().split())
except ValueError:
    sys.exit(43)
open(sys.argv[3] + 'teammessage.txt', 'w').write(f'{a} and {b}')
sys.exit(42 if a + b == want else 43)
";

#[test]
fn a_program_decides_with_its_arguments_and_says_why() {
    let world = world();
    for (code, verdict) in [
        ("n = int(input())\nprint(1, n - 1)", Verdict::Accepted),
        ("n = int(input())\nprint(1, n)", Verdict::WrongAnswer),
        ("print('nothing')", Verdict::WrongAnswer),
        ("raise SystemExit(3)", Verdict::RuntimeError),
    ] {
        let here = |test: &mut contract::manifest::TestRef| {
            test.checker_args = vec!["here".to_owned()];
        };
        let answer = ask(&world, code, python(SUM))
            .test("5", "any", |test| {
                here(test);
                test.sample = true;
            })
            .test("7", "any", here)
            .judge();
        assert_eq!(answer.verdicts(), [verdict, verdict], "{code}: {answer:?}");
        let detail = answer.tests()[0].detail.as_ref().expect("a sample");
        if verdict == Verdict::Accepted {
            assert_eq!(detail.message.as_deref(), Some("1 and 4"));
        }
        assert!(
            !answer.text.contains("1 and 6"),
            "of hidden tests nothing is told"
        );
    }
}

#[test]
fn a_checker_in_cpp_is_compiled_once() {
    let world = world();
    let code = "#include <bits/stdc++.h>\nint main(int n, char **v) { std::ifstream a(v[2]); int x, y; a >> x; std::cin >> y; return x == y ? 42 : 43; }\n";
    for (printed, verdict) in [("3", Verdict::Accepted), ("4", Verdict::WrongAnswer)] {
        let answer = ask(
            &world,
            &format!("print({printed})"),
            checker(Language::Cpp, code),
        )
        .hidden("", "3")
        .judge();
        assert_eq!(answer.verdicts(), [verdict], "{answer:?}");
    }
}

#[test]
fn what_a_checker_does_wrong_is_nobodys_mistake_but_its_own() {
    let world = world();
    for (code, told) in [
        ("import os\nos.kill(os.getpid(), 11)", "crashed: SIGSEGV"),
        ("raise SystemExit(1)", "ended with 1, neither 42 nor 43"),
        ("while True: pass", "did not end within its processor time"),
        (
            "import sys\nwhile True: sys.stdout.write('x' * 1000000)",
            "wrote more than 8 MiB",
        ),
        (
            "import signal, sys\nsignal.signal(signal.SIGXFSZ, signal.SIG_DFL)\nf = open(sys.argv[3] + 'judgemessage.txt', 'w')\nwhile True: f.write('x' * 1000000)",
            "wrote a file of more than 64 MiB",
        ),
        (
            "x = []\nwhile True: x.append(bytes(1 << 22))",
            "needed more than 1 GiB",
        ),
        (
            "import sys\nopen(sys.argv[3] + 'score.txt', 'w').write('many')\nsys.exit(42)",
            "wrote no number of points",
        ),
        (
            "import sys\nopen(sys.argv[3] + 'nextpass.in', 'w').write('1')\nsys.exit(42)",
            "asks for another pass",
        ),
        ("if x = 1:", "does not compile"),
    ] {
        let answer = ask(&world, "print(1)", python(code)).hidden("", "").judge();
        assert!(reason(&answer).contains(told), "{code}: {answer:?}");
        assert_eq!(answer.verdict().verdict, Verdict::InternalError);
    }
}

#[test]
fn testlib_codes_and_points_are_understood() {
    let world = world();
    for (code, verdict, score) in [
        ("raise SystemExit(0)", Verdict::Accepted, 1.0),
        ("raise SystemExit(1)", Verdict::WrongAnswer, 0.0),
        ("raise SystemExit(2)", Verdict::PresentationError, 0.0),
        ("raise SystemExit(8)", Verdict::PresentationError, 0.0),
        ("raise SystemExit(3)", Verdict::InternalError, 0.0),
        (
            "import sys\nassert open(sys.argv[2]).read() == '1\\n' and open(sys.argv[3]).read() == 'ok'\nprint('points 0.25 close', file=sys.stderr)\nsys.exit(7)",
            Verdict::Accepted,
            0.25,
        ),
    ] {
        let mut testlib = python(code);
        if let Checker::Program { protocol, .. } = &mut testlib {
            *protocol = CheckerProtocol::Testlib;
        }
        let answer = ask(&world, "print(1)", testlib).hidden("", "ok").judge();
        assert_eq!(answer.verdicts(), [verdict], "{code}: {answer:?}");
        assert!((answer.verdict().score - score).abs() < 1e-9, "{answer:?}");
    }
}

#[test]
fn points_of_a_checker_count_in_groups_by_the_worst() {
    let world = world();
    let code = "import sys\nopen(sys.argv[3] + 'score_multiplier.txt', 'w').write(sys.stdin.read())\nsys.exit(42)";
    let group = |name: &'static str| {
        move |test: &mut contract::manifest::TestRef| test.group = Some(name.to_owned())
    };
    let answer = ask(&world, "print(input())", python(code))
        .test("0.5", "", group("a"))
        .test("0.75", "", group("a"))
        .judging(|judging| {
            judging.groups = vec![TestGroup {
                name: "a".to_owned(),
                score: GroupScore::Min,
                points: Some(40.0),
                ..TestGroup::default()
            }];
        })
        .judge();
    let verdict = answer.verdict();
    assert_eq!(verdict.verdict, Verdict::Accepted);
    assert!((verdict.score - 20.0).abs() < 1e-9, "{verdict:?}");
    assert!((verdict.max_score - 40.0).abs() < 1e-9, "{verdict:?}");
}

#[test]
fn a_group_is_skipped_when_what_it_depends_on_has_failed() {
    let world = world();
    let group = |name: &'static str| {
        move |test: &mut contract::manifest::TestRef| test.group = Some(name.to_owned())
    };
    let rule = |name: &str, depends_on: &[&str]| TestGroup {
        name: name.to_owned(),
        depends_on: depends_on.iter().map(|name| (*name).to_owned()).collect(),
        judging: Some(JudgingMode::Lazy),
        ..TestGroup::default()
    };
    let answer = world
        .ask(Language::Python, "print(input())")
        .test("1", "2", group("a"))
        .test("1", "1", group("a"))
        .test("1", "1", group("b"))
        .test("1", "1", group("c"))
        .judging(|judging| {
            judging.groups = vec![rule("a", &[]), rule("b", &["a"]), rule("c", &[])];
        })
        .judge();
    assert_eq!(
        answer.verdicts(),
        [
            Verdict::WrongAnswer,
            Verdict::Skipped,
            Verdict::Skipped,
            Verdict::Accepted
        ]
    );
    assert!((answer.verdict().score - 1.0).abs() < 1e-9);
}

/// Guess its number in at most seven questions.
const GUESS: &str = "import sys
secret = int(open(sys.argv[1]).read())
for _ in range(7):
    line = sys.stdin.readline()
    if not line:
        sys.exit(43)
    n = int(line)
    if n == secret:
        print('=', flush=True)
        sys.exit(42)
    print('<' if secret < n else '>', flush=True)
sys.exit(43)
";

#[test]
fn two_programs_talk_and_who_failed_first_is_told() {
    let world = world();
    let search = "lo, hi = 1, 100\nwhile True:\n    n = (lo + hi) // 2\n    print(n, flush=True)\n    said = input()\n    if said == '=':\n        break\n    if said == '<':\n        hi = n - 1\n    else:\n        lo = n + 1\n";
    for (code, verdict) in [
        (search, Verdict::Accepted),
        // It asks too often: the checker says so before it dies of the closed pipe.
        (
            "import time\nn = 1\nwhile True:\n    print(n, flush=True)\n    input()\n    n += 1\n",
            Verdict::WrongAnswer,
        ),
        (
            "print(1, flush=True)\nraise SystemExit(9)",
            Verdict::RuntimeError,
        ),
        (
            "print(1, flush=True)\ninput()\nwhile True: pass",
            Verdict::TimeLimit,
        ),
        // Both wait for the other.
        ("input()", Verdict::TimeLimit),
        ("", Verdict::WrongAnswer),
    ] {
        let answer = ask(&world, code, talking(GUESS))
            .hidden("77", "")
            .judging(|judging| judging.limits.time_ms = 1_000)
            .judge();
        assert_eq!(answer.verdicts(), [verdict], "{code}: {answer:?}");
    }
}

#[test]
fn a_talking_checker_that_crashes_or_hangs_is_to_blame() {
    let world = world();
    for (code, told) in [
        ("raise SystemExit(5)", "ended with 5"),
        // On a machine with much else to do the clock ends it before its processor time does.
        ("while True: pass", "did not end within"),
    ] {
        let answer = ask(&world, "input()\nprint(1)", talking(code))
            .hidden("", "")
            .judging(|judging| judging.limits.time_ms = 500)
            .judge();
        assert!(reason(&answer).contains(told), "{answer:?}");
    }
}

#[test]
fn a_program_is_run_again_on_what_the_checker_writes() {
    let world = world();
    // Each pass sees the input of its own and what the checker kept; after three it is satisfied.
    let code = "import os, sys
n = int(open(sys.argv[1]).read())
assert int(sys.stdin.read()) == 2 * n
state = sys.argv[3] + 'state'
seen = open(state).read() if os.path.exists(state) else ''
open(state, 'w').write(seen + f'{n} ')
if n < 3:
    open(sys.argv[3] + 'nextpass.in', 'w').write(str(n + 1))
else:
    assert (seen + f'{n} ') == '1 2 3 ', seen
sys.exit(42)
";
    for (passes, verdict) in [(3, Verdict::Accepted), (2, Verdict::InternalError)] {
        let mut several = python(code);
        if let Checker::Program { passes: of, .. } = &mut several {
            *of = passes;
        }
        let answer = ask(&world, "print(2 * int(input()))", several)
            .hidden("1", "")
            .judge();
        assert_eq!(answer.verdicts(), [verdict], "{answer:?}");
    }
}

#[test]
fn arguments_of_a_test_reach_the_program() {
    let world = world();
    let answer = world
        .ask(Language::Python, "import sys\nprint(*sys.argv[1:])")
        .test("", "-x y", |test| {
            test.args = vec!["-x".to_owned(), "y".to_owned()];
        })
        .judge();
    assert_eq!(answer.verdicts(), [Verdict::Accepted], "{answer:?}");
}
