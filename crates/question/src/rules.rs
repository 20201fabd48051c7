//! What a question must be like. Pure: every fault is named by its place, all of them at once.
//!
//! Says nothing of who may change what (the store does) nor of what is stored already.

mod checker;
mod driver;
mod groups;
mod test_set;

use contract::{
    Language, Verdict,
    manifest::{Judging, Limits},
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;
use service::extract::Objects;

use crate::{
    document::{Document, LanguageSettings, Solution, Texts},
    statement,
};

pub(crate) use driver::check_driver;
pub(crate) use test_set::{
    MAX_SAMPLES, MAX_TEST_BYTES, MAX_TESTS, check_sample_size, check_test, check_tests, is_name,
};

/// Largest driver, starter or solution, in bytes.
pub(crate) const MAX_CODE_BYTES: usize = 64 << 10;

const MAX_SLUG_BYTES: usize = 80;
const MAX_TITLE_CHARS: usize = 200;
const MAX_STATEMENT_BYTES: usize = 256 << 10;
const MAX_TAGS: usize = 20;
const MAX_TAG_CHARS: usize = 40;
const MAX_SOLUTIONS: usize = 100;
/// More would not be read by anybody.
const MAX_FAULTS: usize = 50;
/// Words that stand where a slug stands in addresses.
const RESERVED_SLUGS: [&str; 2] = ["import", "new"];

/// One thing that is wrong with what was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Where: a JSON pointer into the body, or `/` and the name of a parameter.
    pub(crate) pointer: String,
    /// A stable word for programs.
    pub(crate) code: &'static str,
    /// What to do, for people.
    pub(crate) message: String,
}

impl Fault {
    /// A fault at this place.
    pub(crate) fn new(
        pointer: impl Into<String>,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            pointer: pointer.into(),
            code,
            message: message.into(),
        }
    }
}

/// What the shape of the document allows for later, or nobody can store.
pub(crate) fn refuse_what_is_to_come(value: &Value) -> Vec<Fault> {
    let mut faults = Vec::new();
    if value.get("signature").is_some_and(|given| !given.is_null()) {
        faults.push(Fault::new(
            "/signature",
            "not-supported",
            "signatures are not supported yet; give each language a driver and a starter",
        ));
    }
    let languages = value.get("languages").and_then(Value::as_object);
    for id in languages.into_iter().flat_map(|languages| languages.keys()) {
        if id.parse::<Language>().is_err() {
            faults.push(Fault::new(
                format!("/languages/{}", escape(id)),
                "unknown-language",
                format!("there is no language {id:?}"),
            ));
        }
    }
    find_nul("", value, &mut faults);
    faults.truncate(MAX_FAULTS);
    faults
}

/// Reads a typed value, and says where it cannot.
pub(crate) fn typed<T: DeserializeOwned>(value: Value) -> Result<T, Vec<Fault>> {
    serde_path_to_error::deserialize(Objects(value)).map_err(|error| {
        let steps = error.path().iter().map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", escape(key)),
            Segment::Enum { .. } | Segment::Unknown => String::new(),
        });
        let pointer: String = steps.collect();
        let message = error.into_inner().to_string();
        // The place of what is missing is where it should be.
        let missing = message
            .strip_prefix("missing field `")
            .and_then(|rest| rest.split('`').next());
        match missing {
            Some(field) => vec![Fault::new(
                format!("{pointer}/{field}"),
                "missing-field",
                "this is missing",
            )],
            None if message.starts_with("unknown field") => {
                vec![Fault::new(pointer, "unknown-field", message)]
            }
            None => vec![Fault::new(pointer, "invalid-value", message)],
        }
    })
}

/// All that is wrong with a document whose shape is right.
pub(crate) fn check(document: &Document) -> Vec<Fault> {
    let mut faults = Vec::new();
    check_slug(&document.slug, &mut faults);
    check_titles(&document.titles, &mut faults);
    check_statements(&document.statements, &mut faults);
    if !(1..=10).contains(&document.difficulty) {
        faults.push(range("/difficulty", "1 to 10"));
    }
    check_tags(&document.tags, &mut faults);
    check_limits(&document.limits, &mut faults);
    checker::check_checker(&document.checker, &mut faults);
    groups::check_groups(&document.groups, &mut faults);
    if let Some(tests) = &document.tests {
        faults.extend(check_tests("/tests", tests));
    }
    for (language, settings) in &document.languages {
        check_language(*language, settings, &mut faults);
    }
    check_solutions(&document.solutions, &mut faults);
    faults.truncate(MAX_FAULTS);
    faults
}

/// Whether this can be a question's readable name.
pub(crate) fn is_slug(text: &str) -> bool {
    let characters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=MAX_SLUG_BYTES).contains(&text.len())
        && text.bytes().all(characters)
        && !text.starts_with('-')
        && !text.ends_with('-')
        && uuid::Uuid::parse_str(text).is_err()
        && !RESERVED_SLUGS.contains(&text)
}

/// What is wrong with a driver or starter, whatever it holds.
pub(crate) fn check_code(pointer: &str, code: &str) -> Option<Fault> {
    if code.len() > MAX_CODE_BYTES {
        Some(Fault::new(pointer, "too-long", "at most 64 KiB"))
    } else if code.contains('\0') {
        Some(nul(pointer))
    } else if code.trim().is_empty() {
        Some(Fault::new(
            pointer,
            "empty",
            "there is nothing in it; remove it instead",
        ))
    } else {
        None
    }
}

fn check_slug(slug: &str, faults: &mut Vec<Fault>) {
    if !is_slug(slug) {
        faults.push(Fault::new(
            "/slug",
            "format",
            "1 to 80 of a-z, 0-9 and -, no - at either end; not `import`, `new` or an id",
        ));
    }
}

fn check_titles(titles: &Texts, faults: &mut Vec<Fault>) {
    for locale in titles.locales() {
        let title = titles.text(locale).unwrap_or_default();
        let pointer = format!("/titles/{}", locale.as_str());
        if title.trim().is_empty() {
            faults.push(Fault::new(pointer, "empty", "a title has words"));
        } else if title.chars().count() > MAX_TITLE_CHARS {
            faults.push(Fault::new(pointer, "too-long", "at most 200 characters"));
        } else if title.chars().any(char::is_control) {
            faults.push(Fault::new(
                pointer,
                "format",
                "one line, no control characters",
            ));
        }
    }
    if titles.locales().is_empty() {
        faults.push(Fault::new("/titles", "required", "a title in ko or en"));
    }
}

fn check_statements(statements: &Texts, faults: &mut Vec<Fault>) {
    for locale in statements.locales() {
        let text = statements.text(locale).unwrap_or_default();
        let pointer = format!("/statements/{}", locale.as_str());
        if text.trim().is_empty() {
            faults.push(Fault::new(pointer, "empty", "a statement has words"));
        } else if text.len() > MAX_STATEMENT_BYTES {
            faults.push(Fault::new(pointer, "too-long", "at most 256 KiB"));
        } else if !statement::is_shallow(text) {
            faults.push(Fault::new(
                pointer,
                "too-deep",
                "quotes, lists or emphasis are nested too deeply",
            ));
        }
    }
    if statements.locales().is_empty() {
        faults.push(Fault::new(
            "/statements",
            "required",
            "a statement in ko or en",
        ));
    }
}

fn check_tags(tags: &[String], faults: &mut Vec<Fault>) {
    if tags.len() > MAX_TAGS {
        faults.push(Fault::new("/tags", "too-many", "at most 20 tags"));
    }
    for (index, tag) in tags.iter().enumerate() {
        let pointer = format!("/tags/{index}");
        if tag.trim() != tag || tag.is_empty() || tag.chars().any(char::is_control) {
            faults.push(Fault::new(
                pointer,
                "format",
                "a tag has no space at its ends and no control characters",
            ));
        } else if tag.chars().count() > MAX_TAG_CHARS {
            faults.push(Fault::new(pointer, "too-long", "at most 40 characters"));
        } else if tags[..index].contains(tag) {
            faults.push(Fault::new(
                pointer,
                "duplicate",
                "this tag is there already",
            ));
        }
    }
}

fn check_limits(limits: &Limits, faults: &mut Vec<Fault>) {
    if !(1..=60_000).contains(&limits.time_ms) {
        faults.push(range("/limits/time_ms", "1 to 60000 milliseconds"));
    }
    if !(4_096..=4_194_304).contains(&limits.memory_kib) {
        faults.push(range("/limits/memory_kib", "4096 to 4194304 kibibytes"));
    }
    if !(1..=65_536).contains(&limits.output_kib) {
        faults.push(range("/limits/output_kib", "1 to 65536 kibibytes"));
    }
}

fn check_language(language: Language, settings: &LanguageSettings, faults: &mut Vec<Fault>) {
    let place = format!("/languages/{language}");
    let starter = settings.starter.as_deref();
    faults.extend(starter.and_then(|code| check_code(&format!("{place}/starter"), code)));
    let driver = settings.driver.as_deref();
    faults.extend(driver.and_then(|code| check_driver(&format!("{place}/driver"), language, code)));
    if let Some(factor) = settings.time_factor
        && !Judging::TIME_FACTORS.contains(&factor)
    {
        faults.push(range(&format!("{place}/time_factor"), "0.1 to 20"));
    }
}

fn check_solutions(solutions: &[Solution], faults: &mut Vec<Fault>) {
    if solutions.len() > MAX_SOLUTIONS {
        faults.push(Fault::new(
            "/solutions",
            "too-many",
            "at most 100 solutions",
        ));
    }
    for (index, solution) in solutions.iter().enumerate() {
        faults.extend(check_code(
            &format!("/solutions/{index}/code"),
            &solution.code,
        ));
        if matches!(solution.expect, Verdict::InternalError | Verdict::Skipped) {
            faults.push(Fault::new(
                format!("/solutions/{index}/expect"),
                "value",
                "no program can be expected to end so",
            ));
        }
    }
}

/// Postgres cannot store it, and no text has a use for it.
fn find_nul(pointer: &str, value: &Value, faults: &mut Vec<Fault>) {
    match value {
        Value::String(text) if text.contains('\0') => faults.push(nul(pointer)),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                find_nul(&format!("{pointer}/{index}"), item, faults);
            }
        }
        Value::Object(entries) => {
            for (key, entry) in entries {
                find_nul(&format!("{pointer}/{}", escape(key)), entry, faults);
            }
        }
        _ => {}
    }
}

fn nul(pointer: &str) -> Fault {
    Fault::new(pointer, "nul", "a text must not hold the character U+0000")
}

fn range(pointer: &str, allowed: &str) -> Fault {
    Fault::new(pointer, "range", format!("allowed: {allowed}"))
}

/// A key as a step of a JSON pointer (RFC 6901).
fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests;
