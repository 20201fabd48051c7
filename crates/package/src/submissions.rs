//! The jury's programs and what they must come out as: by folder, by `submissions.yaml`, by `@EXPECTED_RESULTS@` inside.

use std::collections::{BTreeMap, BTreeSet};

use contract::Language;
use serde_json::Value;

use crate::{
    Expectation, Files, Format, Metadata, Outcome, PackageError, Program, Warnings,
    expectation::Rule,
    glob, program,
    yaml::{self, Fields},
};

const FILE: &str = "submissions/submissions.yaml";

/// One of the jury's programs.
#[derive(Debug, Clone, PartialEq)]
pub struct Submission {
    /// The program; its path begins with `submissions/`.
    pub program: Program,
    /// What it must come out as; `None` where nothing says so.
    pub expectation: Option<Expectation>,
    /// Whether its time counts when a limit is looked for.
    pub is_for_time_limit: bool,
}

impl Submission {
    /// Its path below `submissions/`.
    pub fn name(&self) -> &str {
        self.program
            .path
            .strip_prefix("submissions/")
            .unwrap_or(&self.program.path)
    }
}

/// All of them, sorted by path.
pub(crate) fn read(
    files: &Files,
    metadata: &Metadata,
    warnings: &mut Warnings,
) -> Result<Vec<Submission>, PackageError> {
    let settings = if files.contains(FILE) {
        yaml::read(files, FILE)?
    } else {
        Value::Null
    };
    let settings = Settings::read(settings, warnings)?;
    let mut found = Vec::new();
    for folder in program::children(files, "submissions/") {
        if folder == FILE {
            continue;
        }
        if files.contains(&folder) {
            warnings.add(
                folder,
                "a submission lies in a folder that says what it must come out as",
            );
            continue;
        }
        let word = folder.trim_start_matches("submissions/").to_owned();
        for path in program::children(files, &format!("{folder}/")) {
            let ending = path.rsplit('/').next().unwrap_or_default();
            if matches!(ending, "README" | "README.md" | ".gitignore") {
                continue;
            }
            let mut program = Program::at(files, &path);
            settings.adjust(&mut program);
            let expectation = expectation(
                files,
                &program,
                (&word, metadata.format),
                &settings,
                warnings,
            );
            found.push(Submission {
                is_for_time_limit: word == "accepted",
                program,
                expectation,
            });
        }
    }
    Ok(found)
}

fn expectation(
    files: &Files,
    program: &Program,
    (folder, format): (&str, Format),
    settings: &Settings,
    warnings: &mut Warnings,
) -> Option<Expectation> {
    let path = program.path.trim_start_matches("submissions/");
    let own: Vec<&Rule> = settings
        .rules
        .iter()
        .filter(|(pattern, _)| glob::matches(pattern, path))
        .map(|(_, rule)| rule)
        .collect();
    // A pattern that is the folder's name replaces what the folder says.
    let replaced = settings.rules.iter().any(|(pattern, rule)| {
        pattern == folder && (rule.permitted.is_some() || rule.required.is_some())
    });
    let mut expectation = match (said_inside(files, program, warnings), replaced) {
        (Some(said), _) => Some(said),
        (None, true) => Some(Expectation::default()),
        (None, false) => by_folder(folder, format),
    };
    if !own.is_empty() {
        let whole = expectation.get_or_insert_default();
        whole.rules.extend(own.into_iter().cloned());
    }
    if expectation.is_none() {
        warnings.add(
            program.path.clone(),
            "nothing says what it must come out as",
        );
    }
    expectation
}

/// What the folders mean, in all formats and at DOMjudge.
fn by_folder(folder: &str, format: Format) -> Option<Expectation> {
    let only = |outcomes: &[Outcome]| Expectation {
        overall: outcomes.iter().copied().collect(),
        ..Expectation::default()
    };
    // In the current format each test is looked at, not the verdict of all.
    let failing = |outcome: Outcome| match format {
        Format::V2025 => Expectation {
            rules: vec![Rule {
                permitted: Some([outcome, Outcome::Accepted].into()),
                required: Some([outcome].into()),
                ..Rule::default()
            }],
            ..Expectation::default()
        },
        _ => Expectation::only(outcome),
    };
    Some(match folder {
        "accepted" | "slow_accepted" => only(&[Outcome::Accepted]),
        "partially_accepted" => Expectation {
            partial: true,
            ..Expectation::default()
        },
        "wrong_answer" | "no_output" | "no-output" => failing(Outcome::WrongAnswer),
        "time_limit_exceeded" | "timelimit" => failing(Outcome::TimeLimit),
        "run_time_error" | "runtime_error" | "memory_limit_exceeded" | "output_limit_exceeded" => {
            failing(Outcome::RunTimeError)
        }
        "compiler_error" | "compile_error" => only(&[Outcome::CompileError]),
        "rejected" => only(&[
            Outcome::WrongAnswer,
            Outcome::TimeLimit,
            Outcome::RunTimeError,
        ]),
        "brute_force" => {
            let slow = [Outcome::TimeLimit, Outcome::RunTimeError];
            Expectation {
                rules: vec![Rule {
                    permitted: Some(slow.into_iter().chain([Outcome::Accepted]).collect()),
                    required: Some(slow.into()),
                    ..Rule::default()
                }],
                ..Expectation::default()
            }
        }
        _ => return None,
    })
}

/// DOMjudge's `@EXPECTED_RESULTS@: WORD, WORD` and `@EXPECTED_SCORE@: NUMBER` in a source file.
fn said_inside(files: &Files, program: &Program, warnings: &mut Warnings) -> Option<Expectation> {
    for file in &program.files {
        let Ok(bytes) = files.read(file) else {
            continue;
        };
        let text = String::from_utf8_lossy(&bytes);
        let after = |mark: &str| {
            let (_, rest) = text.split_once(mark)?;
            rest.lines()
                .next()
                .map(|line| line.trim().trim_end_matches("*/").trim().to_owned())
        };
        let results = after("@EXPECTED_RESULTS@:");
        let score = after("@EXPECTED_SCORE@:");
        if results.is_none() && score.is_none() {
            continue;
        }
        let mut expectation = Expectation::default();
        for word in results
            .as_deref()
            .unwrap_or_default()
            .split(',')
            .filter(|word| !word.trim().is_empty())
        {
            match Outcome::parse(word) {
                Some(outcome) => {
                    expectation.overall.insert(outcome);
                }
                None => warnings.add(file.clone(), format!("the result {word:?} is not known")),
            }
        }
        if let Some(score) = score.and_then(|score| score.parse::<f64>().ok()) {
            expectation.rules.push(Rule {
                score: Some((score, score)),
                ..Rule::default()
            });
        }
        if expectation != Expectation::default() {
            return Some(expectation);
        }
    }
    None
}

/// What `submissions.yaml` says.
#[derive(Debug, Default)]
struct Settings {
    rules: Vec<(String, Rule)>,
    languages: BTreeMap<String, String>,
    entry_points: BTreeMap<String, String>,
}

impl Settings {
    fn read(value: Value, warnings: &mut Warnings) -> Result<Self, PackageError> {
        let mut settings = Self::default();
        let mut patterns = Fields::new(FILE, value)?;
        for pattern in patterns.keys() {
            let mut fields = patterns.fields(&pattern)?;
            if let Some(language) = fields.text("language")? {
                settings.languages.insert(pattern.clone(), language);
            }
            if let Some(file) = fields.text("entrypoint")? {
                settings.entry_points.insert(pattern.clone(), file);
            }
            fields.take("authors");
            fields.take("author");
            fields.take("model_solution");
            let whole = rule(&mut fields, None, warnings)?;
            settings.rules.push((pattern.clone(), whole));
            // What is left concerns some tests only.
            for tests in fields.keys() {
                let mut inner = fields.fields(&tests)?;
                let rule = rule(&mut inner, Some(tests), warnings)?;
                inner.finish(warnings);
                settings.rules.push((pattern.clone(), rule));
            }
        }
        settings.rules.retain(|(_, rule)| {
            *rule
                != Rule {
                    tests: rule.tests.clone(),
                    ..Rule::default()
                }
        });
        Ok(settings)
    }

    fn adjust(&self, program: &mut Program) {
        let path = program.path.trim_start_matches("submissions/");
        for (pattern, word) in &self.languages {
            if glob::matches(pattern, path) {
                program.language = by_word(word);
            }
        }
        for (pattern, file) in &self.entry_points {
            if glob::matches(pattern, path)
                && let Some(at) = program
                    .files
                    .iter()
                    .position(|own| own.rsplit('/').next() == Some(file))
            {
                let main = program.files.remove(at);
                program.files.insert(0, main);
            }
        }
    }
}

fn rule(
    fields: &mut Fields,
    tests: Option<String>,
    warnings: &mut Warnings,
) -> Result<Rule, PackageError> {
    let mut outcomes = |key: &str| -> Result<Option<BTreeSet<Outcome>>, PackageError> {
        let place = fields.place(key);
        let Some(words) = fields.words(key)? else {
            return Ok(None);
        };
        let parsed = words.iter().map(|word| {
            Outcome::parse(word).ok_or_else(|| {
                PackageError::wrong(
                    place.clone(),
                    "unknown",
                    format!("{word:?} is not known; AC, WA, TLE and RTE are"),
                )
            })
        });
        parsed.collect::<Result<_, _>>().map(Some)
    };
    let (permitted, required) = (outcomes("permitted")?, outcomes("required")?);
    let place = fields.place("score");
    let score = match fields.take("score") {
        None => None,
        Some(Value::Number(score)) => score.as_f64().map(|score| (score, score)),
        Some(Value::Array(range)) if range.len() == 2 => range[0].as_f64().zip(range[1].as_f64()),
        Some(_) => {
            return Err(PackageError::wrong(
                place,
                "type",
                "a number, or two of them, are expected",
            ));
        }
    };
    fields.ignore(
        &["message"],
        "messages of the output validator are not compared",
        warnings,
    );
    fields.ignore(
        &["use_for_time_limit"],
        "accepted submissions make the time limit",
        warnings,
    );
    Ok(Rule {
        tests,
        permitted,
        required,
        score,
    })
}

/// Kattis's words for languages.
fn by_word(word: &str) -> Option<Language> {
    match word {
        "python3" => Some(Language::Python),
        "pypy3" | "pypy" => Some(Language::Pypy),
        "c++" => Some(Language::Cpp),
        "node" => Some(Language::Javascript),
        other => other.parse().ok(),
    }
}
