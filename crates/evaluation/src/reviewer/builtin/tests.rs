//! What the rules say of programs that go wrong in the usual ways.

use contract::{
    Language, Locale, Verdict,
    event::{Compiled, Difference, TestDetail, TestResult},
    job::ReviewJob,
};

use super::*;

fn job(language: Language, verdict: Verdict, code: &str) -> ReviewJob {
    let golden = include_str!("../../../../contract/golden/jobs/review.json");
    let mut job: ReviewJob = serde_json::from_str(golden).expect("a golden file");
    job.language = language;
    job.files[0].content = code.to_owned();
    job.context.locale = Locale::En;
    job.compiled = None;
    job.tests.clear();
    job.verdict.verdict = verdict;
    job
}

fn sample(verdict: Verdict, stderr: &str, output: &str) -> TestResult {
    TestResult {
        index: 1,
        name: "sample-1".into(),
        group: None,
        verdict,
        time_ms: 1,
        wall_ms: 1,
        memory_kib: 1,
        limit: None,
        score: None,
        reason: None,
        detail: Some(TestDetail {
            exit_code: Some(1),
            signal: None,
            input: "1 2\n".into(),
            expected: "3\n".into(),
            output: output.into(),
            stderr: stderr.into(),
            difference: Some(Difference {
                line: 1,
                column: 1,
                expected: "3".into(),
                got: output.trim().into(),
            }),
            message: None,
        }),
    }
}

/// Lines and beginnings of the messages.
fn said(job: &ReviewJob) -> Vec<String> {
    let review = review(job);
    let lines = u32::try_from(job.files[0].content.lines().count().max(1)).expect("few");
    assert!(!review.done.summary.is_empty());
    assert_eq!(review.done.findings as usize, review.findings.len());
    for finding in &review.findings {
        assert!(
            1 <= finding.line_start
                && finding.line_start <= finding.line_end
                && finding.line_end <= lines,
            "{finding:?}"
        );
        assert!(!finding.message.is_empty());
    }
    review
        .findings
        .iter()
        .map(|finding| {
            let beginning: String = finding.message.chars().take(40).collect();
            format!("{}-{} {beginning}", finding.line_start, finding.line_end)
        })
        .collect()
}

#[test]
fn explains_compiler_errors_at_their_lines() {
    let mut job = job(
        Language::Cpp,
        Verdict::CompileError,
        "int main() {\n  return 0\n}\n",
    );
    job.compiled = Some(Compiled {
        ok: false,
        cached: false,
        time_ms: 1,
        log: "<solution>:2:11: error: expected ';' before '}' token\n".into(),
    });
    assert_eq!(said(&job), ["2-2 The compiler stops here: expected ';' be"]);
}

#[test]
fn points_to_the_innermost_loop_when_time_ran_out() {
    let code =
        "n = int(input())\nfor i in range(n):\n    for j in range(n):\n        x = input()\n";
    assert_eq!(
        said(&job(Language::Python, Verdict::TimeLimit, code)),
        [
            "3-3 Loops are nested 2 deep here, and time r",
            "4-4 input() is called once in every turn of ",
        ]
    );
    let code = "int main() {\n  int n; cin >> n;\n  for (;;) cout << n << endl;\n}\n";
    assert_eq!(
        said(&job(Language::Cpp, Verdict::TimeLimit, code)),
        [
            "2-2 Reading like this is slow when the input",
            "3-3 This line flushes the output each time i",
        ]
    );
}

#[test]
fn says_why_a_sample_went_wrong() {
    let mut wrong = job(Language::Python, Verdict::WrongAnswer, "print(4)\n");
    wrong.tests = vec![sample(Verdict::WrongAnswer, "", "4\n")];
    assert_eq!(
        said(&wrong),
        ["1-1 On sample 1 the answer differs first in "]
    );
    wrong.tests = vec![sample(Verdict::WrongAnswer, "", "")];
    assert_eq!(
        said(&wrong),
        ["1-1 On sample 1 the program wrote nothing. I"]
    );

    let mut crash = job(
        Language::Python,
        Verdict::RuntimeError,
        "a = []\nprint(a[1])\n",
    );
    crash.tests = vec![sample(
        Verdict::RuntimeError,
        "Traceback:\n  File \"<solution>\", line 2, in <module>\nIndexError: list index out of range\n",
        "",
    )];
    assert_eq!(
        said(&crash),
        ["2-2 An index lay outside its array, list or "]
    );
    crash.tests[0].detail.as_mut().expect("a sample").stderr = "KeyError: 3".into();
    assert_eq!(
        said(&crash),
        ["1-2 The program ended with KeyError, which n"]
    );
}

#[test]
fn praises_what_was_accepted_and_finds_leftovers() {
    let code = "int main() {\n  int s = 0;\n  std::cerr << s;\n}\n";
    assert_eq!(
        said(&job(Language::Cpp, Verdict::Accepted, code)),
        [
            "1-4 All 2 tests passed; the slowest took 31 ",
            "1-4 Short and to the point: 4 lines do the w",
            "3-3 This looks like a print that was left ov",
        ]
    );
}

#[test]
fn notices_how_time_grows() {
    let code = "for i in range(9):\n    pass\n";
    let mut job = job(Language::Python, Verdict::Accepted, code);
    for (index, time_ms) in [(1, 20), (2, 30), (3, 900)] {
        let mut test = sample(Verdict::Accepted, "", "3\n");
        (test.index, test.time_ms) = (index, time_ms);
        job.tests.push(test);
    }
    assert_eq!(
        said(&job)[2..],
        ["1-1 Test 3 took 900 ms, 30 times as long as "]
    );
}

#[test]
fn warns_of_unflushed_output_and_small_integers() {
    let code = "class A {\n  PrintWriter out = new PrintWriter(System.out);\n  int f(int a) { int b = a * a; return b; }\n}\n";
    assert_eq!(
        said(&job(Language::Java, Verdict::WrongAnswer, code)),
        [
            "2-2 The output is buffered here, but nothing",
            "3-3 This multiplies or sums up 32-bit intege",
        ]
    );
}

#[test]
fn speaks_korean_to_who_reads_korean() {
    let mut job = job(Language::Python, Verdict::Accepted, "print(1)\n");
    job.context.locale = Locale::Ko;
    let review = review(&job);
    assert_eq!(
        review.done.summary,
        "맞았습니다. 테스트 2개를 모두 통과했습니다."
    );
    assert!(review.findings[0].message.starts_with("테스트 2개를"));
}

#[test]
fn says_something_sensible_of_every_verdict_and_of_nothing() {
    for word in [
        "AC", "WA", "PE", "TLE", "MLE", "OLE", "RE", "CE", "IE", "SK",
    ] {
        let verdict = word.parse().expect("a verdict");
        for code in ["", "\n", "}}}} for while", "한글 = '글'"] {
            for language in Language::ALL {
                said(&job(language, verdict, code));
            }
        }
    }
}
