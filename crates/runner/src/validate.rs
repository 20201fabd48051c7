//! What a request must be before anything is started for it.
//!
//! Execute and question have checked most of this for people; here it is checked again for safety, because limits become
//! limits of real processes and names become names of real files.

use contract::job::SourceFile;
use contract::manifest::{Checker, Judging, Limits};
use contract::runner_api::{JudgeRequest, RunRequest};
use service::Problem;

use crate::blobs::is_hash;

/// All files of a submission together.
const MAX_CODE: usize = 64 << 10;
/// Files of a submission.
const MAX_FILES: usize = 32;
/// All files of a checker together.
const MAX_CHECKER: usize = 1 << 20;
const MAX_DRIVER: usize = 256 << 10;
const MAX_STDIN: usize = 64 << 10;
const MAX_TESTS: usize = 5_000;

/// Collects what is wrong, each with its place in the document.
#[derive(Debug, Default)]
struct Faults(Vec<(String, &'static str, String)>);

impl Faults {
    fn unless(&mut self, holds: bool, pointer: &str, code: &'static str, message: &str) {
        if !holds {
            self.0.push((pointer.to_owned(), code, message.to_owned()));
        }
    }

    fn end(self) -> Result<(), Problem> {
        if self.0.is_empty() {
            return Ok(());
        }
        let problem = Problem::invalid("This cannot be judged; see errors.");
        Err(self
            .0
            .into_iter()
            .fold(problem, |problem, (pointer, code, message)| {
                problem.with_error(pointer, code, message)
            }))
    }
}

/// Refuses what cannot be judged.
pub(crate) fn judge_request(request: &JudgeRequest) -> Result<(), Problem> {
    let mut faults = Faults::default();
    check_code(&mut faults, &request.files);
    check_judging(&mut faults, &request.judging);
    let tests = &request.judging.tests;
    faults.unless(
        tests.is_empty() || request.blobs.is_some(),
        "/blobs",
        "required",
        "Tests need a place to fetch their bodies from.",
    );
    faults.unless(
        tests.len() <= MAX_TESTS,
        "/judging/tests",
        "too_many",
        "A question has at most 5,000 tests.",
    );
    for (index, test) in tests.iter().enumerate() {
        for (name, blob) in [("input", &test.input), ("output", &test.output)] {
            faults.unless(
                is_hash(&blob.sha256),
                &format!("/judging/tests/{index}/{name}/sha256"),
                "invalid",
                "A hash is 64 lower-case hexadecimal digits.",
            );
        }
        faults.unless(
            test.points
                .is_none_or(|points| points.is_finite() && points >= 0.0),
            &format!("/judging/tests/{index}/points"),
            "out_of_range",
            "Points are zero or more.",
        );
    }
    faults.end()
}

/// Refuses what cannot be run.
pub(crate) fn run_request(request: &RunRequest) -> Result<(), Problem> {
    let mut faults = Faults::default();
    check_code(&mut faults, &request.files);
    check_judging(&mut faults, &request.judging);
    faults.unless(
        request.stdin.len() <= MAX_STDIN,
        "/stdin",
        "too_long",
        "Input of a run is at most 64 KiB.",
    );
    faults.end()
}

fn check_code(faults: &mut Faults, files: &[SourceFile]) {
    faults.unless(
        !files.is_empty() && files.len() <= MAX_FILES,
        "/files",
        "count",
        "A submission has 1 to 32 files.",
    );
    let total: usize = files.iter().map(|file| file.content.len()).sum();
    faults.unless(
        total <= MAX_CODE,
        "/files",
        "too_long",
        "Code is at most 64 KiB, all files together.",
    );
    for (index, file) in files.iter().enumerate() {
        faults.unless(
            is_plain(&file.name),
            &format!("/files/{index}/name"),
            "invalid",
            "A file name is made of letters, digits, dots, dashes and underscores, and begins with a letter, digit or underscore.",
        );
        faults.unless(
            files[..index].iter().all(|other| other.name != file.name),
            &format!("/files/{index}/name"),
            "duplicate",
            "Two files have the same name.",
        );
        faults.unless(
            !file.content.contains('\0'),
            &format!("/files/{index}/content"),
            "invalid",
            "Code holds no NUL character.",
        );
    }
}

fn check_judging(faults: &mut Faults, judging: &Judging) {
    let Limits {
        time_ms,
        memory_kib,
        output_kib,
    } = judging.limits;
    for (holds, name, message) in [
        (
            (1..=60_000).contains(&time_ms),
            "time_ms",
            "A time limit lies between 1 and 60,000 ms.",
        ),
        (
            (4_096..=4_194_304).contains(&memory_kib),
            "memory_kib",
            "A memory limit lies between 4,096 and 4,194,304 KiB.",
        ),
        (
            (1..=65_536).contains(&output_kib),
            "output_kib",
            "An output limit lies between 1 and 65,536 KiB.",
        ),
    ] {
        faults.unless(
            holds,
            &format!("/judging/limits/{name}"),
            "out_of_range",
            message,
        );
    }
    faults.unless(
        Judging::TIME_FACTORS.contains(&judging.time_factor),
        "/judging/time_factor",
        "out_of_range",
        "A time factor lies between 0.1 and 20.",
    );
    let driver = judging.driver.as_deref().unwrap_or_default();
    faults.unless(
        driver.len() <= MAX_DRIVER && !driver.contains('\0'),
        "/judging/driver",
        "invalid",
        "A driver is at most 256 KiB and holds no NUL character.",
    );
    if let Checker::Program {
        files,
        args,
        interactive,
        passes,
        ..
    } = &judging.checker
    {
        let total: usize = files.iter().map(|file| file.content.len()).sum();
        let names_are_plain = files.iter().enumerate().all(|(index, file)| {
            is_plain(&file.name) && files[..index].iter().all(|other| other.name != file.name)
        });
        faults.unless(
            (1..=MAX_FILES).contains(&files.len()) && total <= MAX_CHECKER && names_are_plain,
            "/judging/checker/files",
            "invalid",
            "A checker has 1 to 32 files with plain names of their own, at most 1 MiB together.",
        );
        faults.unless(
            (1..=100).contains(passes) && (*passes == 1 || !interactive),
            "/judging/checker/passes",
            "out_of_range",
            "A checker has 1 to 100 passes, an interactive one has one.",
        );
        check_args(faults, "/judging/checker/args", args);
    }
    for (index, test) in judging.tests.iter().enumerate() {
        check_args(faults, &format!("/judging/tests/{index}/args"), &test.args);
        let pointer = format!("/judging/tests/{index}/checker_args");
        check_args(faults, &pointer, &test.checker_args);
    }
    if let Checker::Float { abs, rel } = judging.checker {
        faults.unless(
            abs >= 0.0 && rel >= 0.0,
            "/judging/checker",
            "out_of_range",
            "Tolerances are zero or more.",
        );
    }
}

fn check_args(faults: &mut Faults, pointer: &str, args: &[String]) {
    let fits = |arg: &String| arg.len() <= 4096 && !arg.contains('\0');
    faults.unless(
        args.len() <= 64 && args.iter().all(fits),
        pointer,
        "invalid",
        "There are at most 64 arguments of 4 KiB without NUL.",
    );
}

/// Whether a name can neither leave a directory nor be taken for an option.
fn is_plain(name: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    name.len() <= 100
        && name.starts_with(is_word)
        && name.chars().all(|c| is_word(c) || c == '.' || c == '-')
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn plain_names_are_names_and_nothing_else() {
        for good in [
            "Main.java",
            "a",
            "_x.py",
            "풀이.py",
            "my-util.h",
            "2.c",
            "a..b",
        ] {
            assert!(is_plain(good), "{good}");
        }
        for bad in [
            "",
            ".",
            "..",
            "../x",
            "a/b",
            "/etc/passwd",
            "-o",
            "@file",
            ".hidden",
            "a b",
            "a\0",
            "a\n",
            "<solution>",
            "a:b",
            &"x".repeat(101),
        ] {
            assert!(!is_plain(bad), "{bad:?}");
        }
    }
}
