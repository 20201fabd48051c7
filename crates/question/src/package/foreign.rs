//! Packages of others: what a question has a place for is taken, all else is a warning.

use std::collections::HashSet;

use contract::{
    Verdict,
    job::SourceFile,
    manifest::{BlobRef, Checker, CheckerProtocol, GroupScore, Limits, TestGroup, TestRef},
};
use package::{
    Aggregation, Format, Group, Markup, Outcome, Package, PackageError, Submission, Test, Warning,
};
use serde_json::{Map, Value, json};

use super::Bodies;
use crate::rules::MAX_CODE_BYTES;

const DEFAULT_LIMITS: (u32, u32) = (4_096, 4_194_304);

struct Import<'a> {
    package: &'a Package,
    warnings: &'a mut Vec<Warning>,
}

/// The document and its tests.
pub(super) fn import(
    package: &Package,
    warnings: &mut Vec<Warning>,
) -> Result<(Value, Vec<Bodies>), PackageError> {
    let mut import = Import { package, warnings };
    let metadata = &package.metadata;
    let statements = import.statements();
    let titles = import.titles(&statements);
    let checker = import.checker()?;
    let (bodies, groups) = import.tests(matches!(checker, Checker::Program { .. }));
    let solutions = import.solutions();
    import.warn(
        "problem.yaml",
        "it says nothing of difficulty: 5 of 10 is taken",
    );
    if metadata.languages.is_some() {
        import.warn(
            "problem.yaml: languages",
            "a question of this kind may be answered in all languages",
        );
    }
    if !package.input_validators.is_empty() {
        import.warn(
            "input_validators",
            "input validators are not kept: `codementor verify` runs them on the package",
        );
    }
    let lazy = metadata.format == Format::Legacy && !metadata.scoring;
    let document = json!({
        "slug": slug(package.title(&["en"])),
        "kind": "stdio",
        "titles": titles,
        "statements": statements,
        "difficulty": 5,
        "tags": import.tags(),
        "limits": import.limits(),
        "checker": checker,
        "judging": if lazy { "lazy" } else { "full" },
        "groups": groups,
        "solutions": solutions,
    });
    Ok((document, bodies))
}

impl Import<'_> {
    fn warn(&mut self, place: impl Into<String>, message: impl Into<String>) {
        self.warnings.push(Warning {
            place: place.into(),
            message: message.into(),
        });
    }

    fn statements(&mut self) -> Map<String, Value> {
        let mut statements = Map::new();
        for statement in &self.package.statements {
            if !matches!(statement.language.as_str(), "ko" | "en") {
                self.warn(
                    statement.file.clone(),
                    "statements are kept in Korean and English",
                );
                continue;
            }
            let text = match statement.markup {
                Markup::Markdown => statement.text.clone(),
                Markup::Tex => {
                    let (text, left) = package::tex_to_markdown(&statement.text);
                    for (line, what) in left {
                        self.warn(format!("{}: line {line}", statement.file), what);
                    }
                    text
                }
            };
            statements.insert(statement.language.clone(), json!(text));
        }
        if statements.is_empty() {
            self.warn(
                "statement",
                "there is none in Korean or English: write one before publishing",
            );
            statements.insert(
                "en".to_owned(),
                json!("(This package came without a statement.)"),
            );
        }
        statements
    }

    fn titles(&mut self, statements: &Map<String, Value>) -> Map<String, Value> {
        let names = &self.package.metadata.names;
        let any = self.package.title(&["en", "ko"]).to_owned();
        let mut titles = Map::new();
        for language in ["ko", "en"] {
            let name = names
                .get(language)
                .or_else(|| statements.contains_key(language).then_some(&any));
            if let Some(name) = name {
                titles.insert(language.to_owned(), json!(name));
            }
        }
        if titles.is_empty() {
            titles.insert("en".to_owned(), json!(any));
        }
        for language in names
            .keys()
            .filter(|language| !matches!(language.as_str(), "ko" | "en"))
        {
            self.warn(
                format!("problem.yaml: name.{language}"),
                "titles are kept in Korean and English",
            );
        }
        titles
    }

    fn tags(&mut self) -> Vec<String> {
        let mut tags: Vec<String> = Vec::new();
        for word in &self.package.metadata.keywords {
            let tag = word.trim().to_lowercase();
            if !tags.contains(&tag) && !tag.is_empty() && tags.len() < 20 {
                tags.push(tag);
            }
        }
        tags
    }

    fn limits(&mut self) -> Limits {
        let metadata = &self.package.metadata;
        if metadata.time_limit.is_none() {
            self.warn(
                "problem.yaml: limits.time_limit",
                "there is no time limit: 2 s is taken; `verify` proposes one",
            );
        }
        let memory = whole(
            metadata.memory_mib * 1024.0,
            DEFAULT_LIMITS.0,
            DEFAULT_LIMITS.1,
        );
        Limits {
            time_ms: whole(metadata.time_limit.unwrap_or(2.0) * 1000.0, 1, 60_000),
            memory_kib: memory,
            output_kib: whole(metadata.output_mib * 1024.0, 1, 65_536),
        }
    }

    fn checker(&mut self) -> Result<Checker, PackageError> {
        let metadata = &self.package.metadata;
        if metadata.submit_answer {
            return Err(PackageError::wrong(
                "problem.yaml: type",
                "unsupported",
                "questions are answered by programs, not by outputs",
            ));
        }
        let own = metadata.format != Format::Legacy
            || metadata.custom_validation
            || metadata.interactive
            || metadata.multi_pass;
        if let Some(program) = self.package.output_validator.as_ref().filter(|_| own) {
            let Some(language) = program.language else {
                return Err(PackageError::wrong(
                    program.path.clone(),
                    "unsupported",
                    "the output validator is in a language that is not supported",
                ));
            };
            let mut files = Vec::new();
            for file in &program.files {
                let name = file.rsplit('/').next().unwrap_or(file).to_owned();
                let content = self.package.files.text(file)?;
                files.push(SourceFile { name, content });
            }
            return Ok(Checker::Program {
                language,
                files,
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
            return Err(PackageError::wrong(
                "output_validator",
                "missing",
                "this type of problem needs an output validator",
            ));
        }
        let mut all = self
            .package
            .tests
            .tests
            .iter()
            .map(|test| &test.output_validator_args);
        let first = all.next().cloned().unwrap_or_default();
        if all.any(|other| *other != first) {
            self.warn("data", "tests give the default validator different arguments: those of the first are taken for all");
        }
        package::default_validator(&first)
            .map_err(|message| PackageError::wrong("output_validator_args", "unsupported", message))
    }

    /// The tests, and the groups of a problem with points.
    fn tests(&mut self, in_program: bool) -> (Vec<Bodies>, Vec<TestGroup>) {
        let scoring = self.package.metadata.scoring;
        let data = &self.package.tests;
        let mut taken = HashSet::new();
        let mut bodies = Vec::with_capacity(data.tests.len());
        let (mut groups, mut used) = (Vec::new(), HashSet::new());
        for test in &data.tests {
            let group = &data.groups[test.group];
            let name = group_name(group).filter(|_| scoring && !test.sample);
            if let Some(name) = &name
                && used.insert(test.group)
            {
                groups.push(self.group(name, group));
            }
            bodies.push(Bodies {
                test: TestRef {
                    name: test_name(test, bodies.len(), &mut taken),
                    sample: test.sample,
                    // Samples have no points where others have.
                    points: (scoring && test.sample).then_some(0.0),
                    group: name,
                    args: Vec::new(),
                    checker_args: if in_program {
                        test.output_validator_args.clone()
                    } else {
                        Vec::new()
                    },
                    input: nothing(),
                    output: nothing(),
                },
                input: test.input.clone(),
                output: test.answer.clone(),
            });
        }
        for bodies in &mut bodies {
            // By `sum` the tests carry the points, by `min` the group does.
            let own = groups
                .iter()
                .find(|group| Some(&group.name) == bodies.test.group.as_ref());
            if let Some(group) = own.filter(|group| group.score == GroupScore::Sum) {
                let count = data
                    .tests
                    .iter()
                    .filter(|test| {
                        group_name(&data.groups[test.group]).as_ref() == Some(&group.name)
                    })
                    .count();
                #[expect(clippy::cast_precision_loss, reason = "tests are few")]
                let share = group.points.map(|points| points / count.max(1) as f64);
                bodies.test.points = share;
            }
        }
        (bodies, groups)
    }

    fn group(&mut self, name: &str, group: &Group) -> TestGroup {
        let place = format!("data/{}", group.name);
        let score = match group.aggregation {
            Aggregation::Sum => GroupScore::Sum,
            Aggregation::Min | Aggregation::PassFail => GroupScore::Min,
            Aggregation::Avg | Aggregation::Max => {
                self.warn(
                    place.clone(),
                    "a mean or maximum of points is not supported: the sum is taken",
                );
                GroupScore::Sum
            }
        };
        let tests = self.package.tests.tests.iter().filter(|test| {
            group_name(&self.package.tests.groups[test.group]).as_deref() == Some(name)
        });
        #[expect(clippy::cast_precision_loss, reason = "tests are few")]
        let count = tests.count() as f64;
        let points = match score {
            GroupScore::Min => group.accept_score,
            GroupScore::Sum if group.range.1.is_finite() => group.range.1,
            GroupScore::Sum => group.accept_score * count,
        };
        if !points.is_finite() {
            self.warn(place, "it has no bound of points: 100 are taken");
        }
        let depends_on = group
            .require_pass
            .iter()
            .filter_map(|name| name.strip_prefix("secret/"));
        TestGroup {
            name: name.to_owned(),
            score,
            points: Some(if points.is_finite() {
                points.min(1e6)
            } else {
                100.0
            }),
            depends_on: depends_on.map(|name| name.replace('/', "-")).collect(),
            judging: None,
        }
    }

    fn solutions(&mut self) -> Vec<Value> {
        let mut solutions = Vec::new();
        for submission in &self.package.submissions {
            let place = submission.program.path.clone();
            match self.solution(submission) {
                Ok(solution) => solutions.push(solution),
                Err(reason) => self.warn(place, format!("it is not kept: {reason}")),
            }
        }
        solutions
    }

    fn solution(&self, submission: &Submission) -> Result<Value, &'static str> {
        let Some(language) = submission.program.language else {
            return Err("its language is not supported");
        };
        let [file] = submission.program.files.as_slice() else {
            return Err("it has several files");
        };
        let Some(expect) = expect(submission) else {
            return Err("what it must come out as is no single verdict");
        };
        let Ok(code) = self.package.files.text(file) else {
            return Err("it is no text in UTF-8");
        };
        if code.len() > MAX_CODE_BYTES || code.contains('\0') || code.trim().is_empty() {
            return Err("it is empty, longer than 64 KiB, or no text");
        }
        Ok(json!({"language": language, "code": code, "expect": expect}))
    }
}

/// The one verdict that a submission must have.
fn expect(submission: &Submission) -> Option<Verdict> {
    let expectation = submission.expectation.as_ref()?;
    let overall = match expectation.rules.as_slice() {
        [] => &expectation.overall,
        [rule] if rule.tests.is_none() && rule.score.is_none() => rule.required.as_ref()?,
        _ => return None,
    };
    let mut only = overall.iter();
    let (first, None) = (only.next()?, only.next()) else {
        return None;
    };
    Some(match first {
        Outcome::Accepted => Verdict::Accepted,
        Outcome::WrongAnswer => Verdict::WrongAnswer,
        Outcome::TimeLimit => Verdict::TimeLimit,
        Outcome::RunTimeError => Verdict::RuntimeError,
        Outcome::CompileError => Verdict::CompileError,
    })
}

fn group_name(group: &Group) -> Option<String> {
    let name = group.name.strip_prefix("secret/")?.replace('/', "-");
    Some(plain(&name).chars().take(64).collect())
}

/// Made of its path: `sample/1` is `sample-1`, `secret/group/01` is `group-01`; numbered where that is too long or taken.
fn test_name(test: &Test, index: usize, taken: &mut HashSet<String>) -> String {
    let path = test.name.strip_prefix("secret/").unwrap_or(&test.name);
    let mut name = plain(&path.replace('/', "-"));
    if name.len() > 64 || taken.contains(&name) {
        name = format!("test-{:05}", index + 1);
    }
    taken.insert(name.clone());
    name
}

fn plain(name: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    name.chars()
        .map(|c| if fits(c) { c } else { '_' })
        .collect()
}

/// A readable name for addresses, made of a title.
fn slug(title: &str) -> String {
    let mut slug = String::new();
    for c in title.to_lowercase().chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
        if slug.len() >= 60 {
            break;
        }
    }
    let slug = slug.trim_end_matches('-');
    match slug {
        "" => "problem".to_owned(),
        slug => slug.to_owned(),
    }
}

fn nothing() -> BlobRef {
    BlobRef {
        sha256: String::new(),
        size: 0,
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
