//! What a package asks of the runner: limits, checker, tests.

use std::path::PathBuf;

use anyhow::Result;
use contract::{
    Language,
    job::SourceFile,
    manifest::{
        BlobRef, Checker, CheckerProtocol, Feedback, Judging, JudgingMode, Limits, QuestionKind,
        TestRef,
    },
};
use package::{Format, Package, Program};

use crate::lone_runner::LoneRunner;

/// Seconds that a submission gets while the limit is still to be found.
const UNKNOWN_LIMIT_MS: u32 = 20_000;

/// How all submissions of a package are judged.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) judging: Judging,
    has_limit: bool,
}

impl Plan {
    /// The plan, or why the package cannot be judged here.
    pub(super) fn of(package: &Package, runner: &LoneRunner) -> Result<Self, String> {
        let metadata = &package.metadata;
        if metadata.submit_answer {
            return Err("outputs are submitted, not programs".to_owned());
        }
        let checker = checker(package)?;
        let failed = |error: anyhow::Error| format!("a test cannot be read: {error:#}");
        let empty = runner.add(PathBuf::from("/dev/null")).map_err(failed)?;
        let add = |name: &str| -> Result<BlobRef, String> {
            let path = package
                .files
                .path(name)
                .ok_or_else(|| format!("{name} is missing"))?;
            runner.add(path.to_owned()).map_err(failed)
        };
        let in_program = matches!(checker, Checker::Program { .. });
        let mut tests = Vec::with_capacity(package.tests.tests.len());
        for test in &package.tests.tests {
            let group = &package.tests.groups[test.group];
            tests.push(TestRef {
                name: format!("{:05}", tests.len() + 1),
                sample: false,
                group: None,
                points: (metadata.scoring && group.accept_score.is_finite())
                    .then_some(group.accept_score),
                args: Vec::new(),
                checker_args: if in_program {
                    test.output_validator_args.clone()
                } else {
                    Vec::new()
                },
                input: add(&test.input)?,
                output: match &test.answer {
                    Some(answer) => add(answer)?,
                    None => empty.clone(),
                },
            });
        }
        if tests.is_empty() {
            return Err("there is no test".to_owned());
        }
        let lazy = package.metadata.format == Format::Legacy
            && !metadata.scoring
            && package
                .tests
                .groups
                .iter()
                .all(|group| group.breaks && !group.accept_if_any && !group.always_accept);
        let limits = Limits {
            time_ms: metadata.time_limit.map_or(UNKNOWN_LIMIT_MS, |seconds| {
                whole(seconds * 1000.0, 1, 60_000)
            }),
            memory_kib: whole(metadata.memory_mib * 1024.0, 4_096, 4_194_304),
            output_kib: whole(metadata.output_mib * 1024.0, 1, 65_536),
        };
        Ok(Self {
            judging: Judging {
                kind: QuestionKind::Stdio,
                limits,
                time_factor: 1.0,
                checker,
                mode: if lazy {
                    JudgingMode::Lazy
                } else {
                    JudgingMode::Full
                },
                feedback: Feedback::Full,
                driver: None,
                tests,
                groups: Vec::new(),
            },
            has_limit: metadata.time_limit.is_some(),
        })
    }

    /// Whether the accepted submissions are to tell the limit.
    pub(super) fn limit_is_to_be_found(&self) -> bool {
        !self.has_limit
    }

    /// The limit in force.
    pub(super) fn limit_ms(&self) -> u32 {
        self.judging.limits.time_ms
    }

    /// The slowest accepted submission times the package's factor, in whole seconds.
    pub(super) fn set_limit_from(&mut self, package: &Package, slowest_ms: u64) {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of a run")]
        let seconds = slowest_ms as f64 / 1000.0 * package.metadata.ac_to_time_limit;
        self.judging.limits.time_ms = whole(seconds.ceil() * 1000.0, 1_000, 60_000);
        self.has_limit = true;
    }

    /// More time for slow machines.
    pub(super) fn scale_limit(&mut self, factor: f64) {
        self.judging.limits.time_ms =
            whole(f64::from(self.judging.limits.time_ms) * factor, 1, 60_000);
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped before"
)]
fn whole(number: f64, least: u32, most: u32) -> u32 {
    number.round().clamp(f64::from(least), f64::from(most)) as u32
}

/// How answers are compared.
fn checker(package: &Package) -> Result<Checker, String> {
    let metadata = &package.metadata;
    let own = metadata.format != Format::Legacy
        || metadata.custom_validation
        || metadata.interactive
        || metadata.multi_pass;
    if let Some(program) = package.output_validator.as_ref().filter(|_| own) {
        let language = program
            .language
            .ok_or_else(|| format!("{} is in a language that is not supported", program.path))?;
        return Ok(Checker::Program {
            language,
            files: sources(package, program, language)?,
            protocol: CheckerProtocol::Kattis,
            args: Vec::new(),
            interactive: metadata.interactive,
            passes: if metadata.multi_pass {
                metadata.validation_passes.min(100)
            } else {
                1
            },
        });
    }
    if metadata.interactive || metadata.multi_pass {
        return Err("its output validator is missing".to_owned());
    }
    let mut all = package
        .tests
        .tests
        .iter()
        .map(|test| &test.output_validator_args);
    let first = all.next().cloned().unwrap_or_default();
    if all.any(|other| *other != first) {
        return Err("tests give the default validator different arguments".to_owned());
    }
    package::default_validator(&first)
}

/// A program's files as the runner takes them.
pub(super) fn sources(
    package: &Package,
    program: &Program,
    language: Language,
) -> Result<Vec<SourceFile>, String> {
    let single = program.files.len() == 1;
    let mut files = Vec::with_capacity(program.files.len());
    for file in &program.files {
        let content = package
            .files
            .text(file)
            .map_err(|error| error.to_string())?;
        let inside = file.strip_prefix(&format!("{}/", program.path));
        let name = inside.unwrap_or_else(|| file.rsplit('/').next().unwrap_or(file));
        let plain = name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-'));
        let name = match (plain, single) {
            (true, _) => name.to_owned(),
            (false, true) => format!("solution.{}", ending(language)),
            (false, false) => return Err(format!("{file}: the runner takes no such file name")),
        };
        files.push(SourceFile { name, content });
    }
    Ok(files)
}

fn ending(language: Language) -> &'static str {
    match language {
        Language::C => "c",
        Language::Cpp => "cpp",
        Language::Java => "java",
        Language::Python | Language::Pypy => "py",
        Language::Javascript => "js",
        Language::Typescript => "ts",
        Language::Go => "go",
        Language::Rust => "rs",
        Language::Kotlin => "kt",
    }
}
