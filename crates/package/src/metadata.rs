//! What `problem.yaml` says, in any of the formats; `.timelimit` and `domjudge-problem.ini` where DOMjudge keeps them.
//!
//! Every field is used, or named in a warning with what that means.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    Files, PackageError, Warnings,
    yaml::{self, Fields},
};

const FILE: &str = "problem.yaml";

/// Which format a package is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// The original one of Kattis, also DOMjudge's and ICPC's.
    Legacy,
    /// What was between the two.
    V2023,
    /// The current one.
    V2025,
}

/// What a package says of itself.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a word of `type` or `validation`"
)]
pub struct Metadata {
    /// The format.
    pub format: Format,
    /// The problem's name by language code; at least one.
    pub names: BTreeMap<String, String>,
    /// Whether submissions get points.
    pub scoring: bool,
    /// Whether the output validator talks with the submission.
    pub interactive: bool,
    /// Whether the submission is run again on what the output validator wrote.
    pub multi_pass: bool,
    /// Whether outputs are submitted, not programs.
    pub submit_answer: bool,
    /// Legacy: whether the package's own output validator is to be used.
    pub custom_validation: bool,
    /// Legacy: what every output validator is told.
    pub validator_args: Vec<String>,
    /// Seconds; `None` where it is to be found from the accepted submissions.
    pub time_limit: Option<f64>,
    /// The limit is the slowest accepted submission times this.
    pub ac_to_time_limit: f64,
    /// MiB of a submission.
    pub memory_mib: f64,
    /// MiB of a submission's output.
    pub output_mib: f64,
    /// Seconds of a validator.
    pub validation_seconds: f64,
    /// MiB of a validator.
    pub validation_mib: f64,
    /// How often a submission is run at most, multi-pass.
    pub validation_passes: u32,
    /// Words to find it by.
    pub keywords: Vec<String>,
    /// The languages that it may be answered in; `None` for all.
    pub languages: Option<Vec<String>>,
}

impl Metadata {
    /// Reads it.
    pub fn read(files: &Files, warnings: &mut Warnings) -> Result<Self, PackageError> {
        let value = match files.contains(FILE) {
            true => yaml::read(files, FILE)?,
            false if files.contains("domjudge-problem.ini") => Value::Null,
            false => {
                return Err(PackageError::wrong(
                    FILE,
                    "missing",
                    "a problem package has this file",
                ));
            }
        };
        let mut fields = Fields::new(FILE, value)?;
        let format = format(fields.text("problem_format_version")?.as_deref())?;
        let ini = ini(files)?;
        let mut names = names(fields.take("name"))?;
        if names.is_empty() {
            let name = ini
                .get("name")
                .map_or_else(|| files.name().to_owned(), Clone::clone);
            names.insert("en".to_owned(), name);
        }
        let kind = kind(&mut fields, format)?;
        let limits = fields.fields("limits")?;
        let keywords = fields.words("keywords")?.unwrap_or_default();
        let validator_args = fields.words("validator_flags")?.unwrap_or_default();
        let languages = languages(fields.take("languages"))?;
        let mut metadata = Self {
            format,
            names,
            scoring: kind.contains("scoring"),
            interactive: kind.contains("interactive"),
            multi_pass: kind.contains("multi-pass"),
            submit_answer: kind.contains("submit-answer"),
            custom_validation: kind.contains("custom"),
            validator_args,
            time_limit: None,
            ac_to_time_limit: if format == Format::Legacy { 5.0 } else { 2.0 },
            memory_mib: 2048.0,
            output_mib: 8.0,
            validation_seconds: 60.0,
            validation_mib: 2048.0,
            validation_passes: 2,
            keywords,
            languages,
        };
        metadata.limits(limits, warnings)?;
        if metadata.time_limit.is_none() {
            metadata.time_limit =
                time_limit_file(files)?.or_else(|| ini.get("timelimit")?.parse().ok());
        }
        let about = "this is not kept with the question";
        fields.ignore(
            &[
                "uuid",
                "version",
                "author",
                "credits",
                "source",
                "source_url",
                "license",
                "rights_owner",
            ],
            about,
            warnings,
        );
        fields.ignore(
            &["embargo_until"],
            "nobody waits for it: publish when the time has come",
            warnings,
        );
        fields.ignore(
            &["constants"],
            "constants are not put into texts and programs",
            warnings,
        );
        fields.ignore(
            &["allow_file_writing"],
            "submissions write in their own folder only",
            warnings,
        );
        fields.ignore(
            &["grading"],
            "graders of one's own are not used: scores are made by the groups' own rules",
            warnings,
        );
        fields.ignore(
            &["externally_visible", "type_of_statement"],
            "this is not used",
            warnings,
        );
        fields.finish(warnings);
        Ok(metadata)
    }

    fn limits(&mut self, mut limits: Fields, warnings: &mut Warnings) -> Result<(), PackageError> {
        self.time_limit = limits
            .number("time_limit")?
            .filter(|seconds| *seconds > 0.0);
        if let Some(multiplier) = limits.number("time_multiplier")? {
            self.ac_to_time_limit = multiplier;
        }
        let mut multipliers = limits.fields("time_multipliers")?;
        if let Some(multiplier) = multipliers.number("ac_to_time_limit")? {
            self.ac_to_time_limit = multiplier;
        }
        multipliers.ignore(
            &["time_limit_to_tle"],
            "no margin to programs that are too slow is asked for",
            warnings,
        );
        multipliers.finish(warnings);
        limits.ignore(
            &["time_safety_margin"],
            "no margin to programs that are too slow is asked for",
            warnings,
        );
        limits.ignore(
            &["time_resolution"],
            "a limit that is found is rounded to tenths of a second",
            warnings,
        );
        let places: [(&str, &mut f64); 5] = [
            ("memory", &mut self.memory_mib),
            ("output", &mut self.output_mib),
            ("validation_time", &mut self.validation_seconds),
            ("validation_memory", &mut self.validation_mib),
            // Last: what follows is an integer.
            ("validation_passes", &mut f64::from(self.validation_passes)),
        ];
        let mut passes = None;
        for (key, place) in places {
            if let Some(number) = limits.number(key)? {
                *place = number;
                if key == "validation_passes" {
                    passes = Some(number);
                }
            }
        }
        if let Some(passes) = passes {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "clamped before"
            )]
            let whole = passes.clamp(1.0, 1_000.0) as u32;
            self.validation_passes = whole;
        }
        limits.ignore(
            &["code"],
            "code is limited to 64 KiB for all questions",
            warnings,
        );
        limits.ignore(
            &[
                "compilation_time",
                "compilation_memory",
                "validation_output",
            ],
            "this limit is the runner's own",
            warnings,
        );
        limits.finish(warnings);
        Ok(())
    }
}

fn format(version: Option<&str>) -> Result<Format, PackageError> {
    match version {
        None | Some("legacy" | "legacy-icpc" | "icpc") => Ok(Format::Legacy),
        Some("2023-07" | "2023-07-draft" | "draft") => Ok(Format::V2023),
        Some("2025-09" | "2025-09-draft") => Ok(Format::V2025),
        Some(other) => Err(PackageError::wrong(
            "problem.yaml: problem_format_version",
            "unknown",
            format!("{other:?} is not known; legacy, 2023-07-draft and 2025-09 are"),
        )),
    }
}

/// The words of `type` and, in the legacy format, of `validation`.
fn kind(fields: &mut Fields, format: Format) -> Result<Vec<String>, PackageError> {
    let known = [
        "pass-fail",
        "scoring",
        "interactive",
        "multi-pass",
        "submit-answer",
    ];
    let place = fields.place("type");
    let mut words = fields.words("type")?.unwrap_or_default();
    if let Some(word) = words.iter().find(|word| !known.contains(&word.as_str())) {
        return Err(PackageError::wrong(
            place,
            "unknown",
            format!("{word:?} is no type of problem that is known"),
        ));
    }
    let place = fields.place("validation");
    let validation = fields.words("validation")?.unwrap_or_default();
    let known = ["default", "custom", "interactive", "score", "multi-pass"];
    if let Some(word) = validation
        .iter()
        .find(|word| !known.contains(&word.as_str()))
    {
        return Err(PackageError::wrong(
            place,
            "unknown",
            format!("{word:?} is no kind of validation that is known"),
        ));
    }
    if format == Format::Legacy {
        words.extend(validation);
    }
    Ok(words)
}

trait Contains {
    fn contains(&self, word: &str) -> bool;
}

impl Contains for Vec<String> {
    fn contains(&self, word: &str) -> bool {
        self.iter().any(|own| own == word)
    }
}

fn names(value: Option<Value>) -> Result<BTreeMap<String, String>, PackageError> {
    let wrong = || {
        PackageError::wrong(
            "problem.yaml: name",
            "type",
            "a text is expected, or a map of them by language",
        )
    };
    match value {
        None => Ok(BTreeMap::new()),
        Some(Value::Object(map)) => map
            .into_iter()
            .map(|(language, name)| Ok((language, yaml::as_text(&name).ok_or_else(wrong)?)))
            .collect(),
        Some(name) => Ok([("en".to_owned(), yaml::as_text(&name).ok_or_else(wrong)?)].into()),
    }
}

fn languages(value: Option<Value>) -> Result<Option<Vec<String>>, PackageError> {
    let Some(value) = value else { return Ok(None) };
    let words = yaml::words(&value).ok_or_else(|| {
        PackageError::wrong(
            "problem.yaml: languages",
            "type",
            "`all` or a list is expected",
        )
    })?;
    Ok(Some(words).filter(|words| !words.iter().any(|word| word == "all")))
}

fn time_limit_file(files: &Files) -> Result<Option<f64>, PackageError> {
    const FILE: &str = ".timelimit";
    if !files.contains(FILE) {
        return Ok(None);
    }
    let text = files.text(FILE)?;
    match text.trim().parse::<f64>() {
        Ok(seconds) if seconds.is_finite() && seconds > 0.0 => Ok(Some(seconds)),
        _ => Err(PackageError::wrong(
            FILE,
            "format",
            "a number of seconds is expected",
        )),
    }
}

/// `key = value` lines; quotes around a value are not part of it.
fn ini(files: &Files) -> Result<BTreeMap<String, String>, PackageError> {
    const FILE: &str = "domjudge-problem.ini";
    if !files.contains(FILE) {
        return Ok(BTreeMap::new());
    }
    let text = files.text(FILE)?;
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    let plain = |text: &str| text.trim().trim_matches(['\'', '"']).to_owned();
    Ok(pairs
        .map(|(key, value)| (plain(key), plain(value)))
        .collect())
}
