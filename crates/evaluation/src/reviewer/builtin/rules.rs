//! Rules over verdict, tests and code. Each gives a hint where to look; none knows the answer.

use contract::{
    Language, Verdict,
    event::{FindingKind, Severity, TestDetail, TestResult},
    job::ReviewJob,
};

use super::{
    Remark,
    messages::traced_line,
    source::{Source, language_is_python},
};
use crate::texts::{Phrase, SampleDiffers};

/// Longest quotation of a sample's answer, in bytes; a longer one is not quoted.
const LONGEST_QUOTE: usize = 80;

/// So many lines are still praised as short.
const SHORT: usize = 25;

/// Below this a time is mostly that of starting the program.
const NOTICEABLE_MS: u64 = 200;

/// So much slower than the median, and the input's size is what made the difference.
const MANY_TIMES: u64 = 5;

/// Remarks on why the verdict is what it is.
pub(super) fn from_verdict<'a>(
    job: &'a ReviewJob,
    source: &Source,
    lines: usize,
) -> Vec<Remark<'a>> {
    let failed = job
        .tests
        .iter()
        .find(|test| test.verdict == job.verdict.verdict);
    match job.verdict.verdict {
        Verdict::Accepted => praise(job, lines)
            .into_iter()
            .chain(growth(job, source))
            .collect(),
        Verdict::TimeLimit => too_slow(job.language, source),
        Verdict::WrongAnswer | Verdict::PresentationError => wrong(job, source, failed, lines),
        Verdict::RuntimeError => crashed(failed, lines).into_iter().collect(),
        Verdict::MemoryLimit => vec![Remark::new(
            source.find(ALLOCATIONS).unwrap_or(1),
            FindingKind::Complexity,
            Severity::Essential,
            Phrase::LargeAllocation,
        )],
        Verdict::OutputLimit => vec![Remark::new(
            source.find_in_loop(PRINTS).unwrap_or(1),
            FindingKind::Bug,
            Severity::Essential,
            Phrase::EndlessOutput,
        )],
        Verdict::CompileError | Verdict::InternalError | Verdict::Skipped => Vec::new(),
    }
}

/// Remarks that hold whatever the verdict is.
pub(super) fn from_code(job: &ReviewJob, source: &Source) -> Vec<Remark<'static>> {
    let mut remarks = Vec::new();
    if let Some(line) = source.find(DEBUG_PRINTS) {
        remarks.push(Remark::new(
            line,
            FindingKind::Style,
            Severity::Actionable,
            Phrase::DebugPrint,
        ));
    }
    let slow = job.verdict.verdict == Verdict::TimeLimit;
    if let Some(nest) = source
        .deepest_loop()
        .filter(|nest| !slow && nest.depth >= 3)
    {
        remarks.push(Remark::new(
            nest.line,
            FindingKind::Complexity,
            Severity::Informative,
            Phrase::NestedLoops { depth: nest.depth },
        ));
    }
    if !slow && language_is_python(job.language) {
        remarks.extend(line_per_loop(source, Severity::Informative));
    }
    remarks
}

const ALLOCATIONS: &[&str] = &[
    "vector<",
    "new int",
    "new long",
    "new char",
    "malloc",
    "[[",
    "] * ",
    "append",
    "push_back",
    ".add(",
    "new Array",
    "vec!",
    "make(",
];

const PRINTS: &[&str] = &["print", "cout", "puts", "putchar", "console.log", "write"];

const DEBUG_PRINTS: &[&str] = &[
    "cerr",
    "clog",
    "fprintf(stderr",
    "eprint",
    "dbg!",
    "System.err",
    "console.error",
    "console.debug",
    "file=sys.stderr",
    "printStackTrace",
    "pprint(",
    "breakpoint(",
];

fn praise(job: &ReviewJob, lines: usize) -> Vec<Remark<'static>> {
    let mut praise = vec![Remark::on_all(
        lines,
        FindingKind::Praise,
        Severity::Informative,
        Phrase::AllPassed {
            total: job.verdict.total,
            time_ms: job.verdict.time_ms,
        },
    )];
    if (1..=SHORT).contains(&lines) {
        praise.push(Remark::on_all(
            lines,
            FindingKind::Praise,
            Severity::Informative,
            Phrase::ShortAndClear { lines },
        ));
    }
    praise
}

/// Measured growth: one test took many times as long as most.
fn growth(job: &ReviewJob, source: &Source) -> Option<Remark<'static>> {
    let mut times: Vec<u64> = job.tests.iter().map(|test| test.time_ms).collect();
    times.sort_unstable();
    let usual = times.get(times.len() / 2).copied()?.max(1);
    let slowest = job.tests.iter().max_by_key(|test| test.time_ms)?;
    let times = slowest.time_ms / usual;
    let line = source.deepest_loop()?.line;
    (slowest.time_ms >= NOTICEABLE_MS && times >= MANY_TIMES).then(|| {
        Remark::new(
            line,
            FindingKind::Complexity,
            Severity::Informative,
            Phrase::Growth {
                test: slowest.index,
                time_ms: slowest.time_ms,
                times,
            },
        )
    })
}

fn too_slow(language: Language, source: &Source) -> Vec<Remark<'static>> {
    let mut remarks = Vec::new();
    if let Some(nest) = source.deepest_loop().filter(|nest| nest.depth >= 2) {
        remarks.push(Remark::new(
            nest.line,
            FindingKind::Complexity,
            Severity::Essential,
            Phrase::NestedLoopsTooSlow { depth: nest.depth },
        ));
    }
    let slow_input: (&[&str], &str, &[&str]) = match language {
        Language::Java => (
            &["new Scanner"],
            "BufferedReader",
            &["BufferedReader", "StreamTokenizer", "DataInputStream"],
        ),
        Language::Cpp => (
            &["cin >>", "cin>>"],
            "ios::sync_with_stdio(false)",
            &["sync_with_stdio", "scanf", "getchar", "fread"],
        ),
        _ => (&[], "", &[]),
    };
    let (slow, instead, fast) = slow_input;
    if let Some(line) = source.find(slow).filter(|_| !source.has(fast)) {
        remarks.push(Remark::new(
            line,
            FindingKind::Complexity,
            Severity::Actionable,
            Phrase::SlowInput { instead },
        ));
    }
    if let Some(line) = source.find_in_loop(&["endl", "flush=True", ".flush()", "fflush("]) {
        remarks.push(Remark::new(
            line,
            FindingKind::Complexity,
            Severity::Actionable,
            Phrase::SlowOutput,
        ));
    }
    if language_is_python(language) {
        remarks.extend(line_per_loop(source, Severity::Actionable));
    }
    remarks
}

fn line_per_loop(source: &Source, severity: Severity) -> Option<Remark<'static>> {
    let own_input = source.has(&["import sys", "from sys", "def input", "input ="]);
    let line = source.find_in_loop(&["input()"]).filter(|_| !own_input)?;
    Some(Remark::new(
        line,
        FindingKind::Complexity,
        severity,
        Phrase::ReadsLinePerLoop,
    ))
}

fn wrong<'a>(
    job: &ReviewJob,
    source: &Source,
    failed: Option<&'a TestResult>,
    lines: usize,
) -> Vec<Remark<'a>> {
    let mut remarks = Vec::new();
    if let Some(remark) = failed.and_then(|test| on_sample(test, lines)) {
        remarks.push(remark);
    }
    let buffered = source.find(&[
        "new PrintWriter",
        "new BufferedWriter",
        "BufWriter::new",
        "bufio.NewWriter",
    ]);
    if let Some(line) =
        buffered.filter(|_| !source.has(&["flush", "Flush", ".close()", "BufWriter", "try ("]))
    {
        remarks.push(Remark::new(
            line,
            FindingKind::Bug,
            Severity::Essential,
            Phrase::UnflushedOutput,
        ));
    }
    if matches!(
        job.language,
        Language::C | Language::Cpp | Language::Java | Language::Kotlin
    ) && !source.has(&["long", "Long", "int64", "BigInteger"])
        && let Some((line, _)) = source
            .lines()
            .find(|(_, line)| line.contains("+=") || is_product(line))
    {
        remarks.push(Remark::new(
            line,
            FindingKind::EdgeCase,
            Severity::Informative,
            Phrase::SmallIntegers,
        ));
    }
    remarks
}

/// A multiplication, and neither a pointer nor an import.
fn is_product(line: &str) -> bool {
    line.contains('=') && line.contains(" * ")
}

fn on_sample(test: &TestResult, lines: usize) -> Option<Remark<'_>> {
    let detail = test.detail.as_ref()?;
    let phrase = match &detail.difference {
        _ if detail.output.trim().is_empty() => Phrase::SampleNoOutput { test: test.index },
        Some(differs)
            if differs.expected.len() <= LONGEST_QUOTE && differs.got.len() <= LONGEST_QUOTE =>
        {
            Phrase::SampleDiffers(SampleDiffers {
                test: test.index,
                line: differs.line,
                column: differs.column,
                expected: &differs.expected,
                got: &differs.got,
            })
        }
        _ => return None,
    };
    Some(Remark::on_all(
        lines,
        FindingKind::Bug,
        Severity::Essential,
        phrase,
    ))
}

/// Of a hidden test only is known that it crashed: the verdict says so already.
fn crashed(failed: Option<&TestResult>, lines: usize) -> Option<Remark<'_>> {
    let detail = failed?.detail.as_ref()?;
    let phrase = crash(detail)?;
    Some(match traced_line(&detail.stderr) {
        Some(line) => Remark::new(line, FindingKind::Bug, Severity::Essential, phrase),
        None => Remark::on_all(lines, FindingKind::Bug, Severity::Essential, phrase),
    })
}

fn crash(detail: &TestDetail) -> Option<Phrase<'_>> {
    let known: &[(&[&str], Phrase<'static>)] = &[
        (
            &["RecursionError", "StackOverflowError", "Maximum call stack"],
            Phrase::DeepRecursion,
        ),
        (
            &[
                "IndexError",
                "OutOfBoundsException",
                "out_of_range",
                "index out of bounds",
                "index out of range",
            ],
            Phrase::OutOfRange,
        ),
        (
            &["ZeroDivisionError", "/ by zero", "divide by zero"],
            Phrase::DivisionByZero,
        ),
        (&["EOFError", "NoSuchElementException"], Phrase::InputEnded),
        (
            &[
                "NullPointerException",
                "NoneType",
                "of undefined",
                "of null",
                "nil pointer",
            ],
            Phrase::NothingThere,
        ),
        (
            &[
                "NumberFormatException",
                "InputMismatchException",
                "invalid literal for int",
            ],
            Phrase::BadConversion,
        ),
    ];
    let stderr = detail.stderr.as_str();
    if let Some((_, phrase)) = known
        .iter()
        .find(|(any, _)| any.iter().any(|text| stderr.contains(text)))
    {
        return Some(phrase.clone());
    }
    if let Some(name) = uncaught(stderr) {
        return Some(Phrase::Uncaught(name));
    }
    match detail.signal.as_deref()? {
        "SIGFPE" => Some(Phrase::DivisionByZero),
        signal => Some(Phrase::Crashed(signal)),
    }
}

/// The name of an exception, such as `KeyError` or `java.lang.IllegalStateException`.
fn uncaught(stderr: &str) -> Option<&str> {
    stderr
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '_'))
        .map(|word| word.trim_matches('.'))
        .find(|word| {
            word.len() <= LONGEST_QUOTE
                && (word.ends_with("Error") || word.ends_with("Exception"))
                && word.starts_with(|c: char| c.is_ascii_alphabetic())
        })
}
