//! The question as one JSON document: what a teacher sends, what is stored as the draft, what a version freezes.
//!
//! Parsed once at the edge by [`Document::parse`], which names every fault by its place, and trusted from then on. The bodies
//! of tests never stay in it: they become blobs, and only what is stored beside them comes back.

use std::collections::BTreeMap;

use contract::{
    Language, Locale, Verdict,
    manifest::{Checker, Feedback, JudgingMode, Limits, QuestionKind, TestGroup},
};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::Value;
use utoipa::ToSchema;

use crate::rules::{self, Fault};

/// A whole question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuestionDocument)]
pub(crate) struct Document {
    /// Its readable name in addresses: 1 to 80 of `a-z 0-9 -`. Fixed once published.
    #[schema(example = "two-sum")]
    pub(crate) slug: String,
    /// Program or function.
    pub(crate) kind: QuestionKind,
    /// Its title by language.
    pub(crate) titles: Texts,
    /// Its statement by language, in Markdown, at most 256 KiB each.
    pub(crate) statements: Texts,
    /// From 1, easy, to 10.
    #[schema(minimum = 1, maximum = 10)]
    pub(crate) difficulty: u8,
    /// At most 20, to find it by.
    #[serde(default)]
    pub(crate) tags: Vec<String>,
    /// What one run may use, before the language's time factor.
    #[serde(default)]
    pub(crate) limits: Limits,
    /// How answers are compared.
    #[serde(default)]
    pub(crate) checker: Checker,
    /// Whether tests after the first failure are run.
    #[serde(default)]
    pub(crate) judging: JudgingMode,
    /// How much the learner is told of hidden tests.
    #[serde(default)]
    pub(crate) feedback: Feedback,
    /// At most 5,000, judged in this order. `None` where the document does not speak of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tests: Option<Vec<TestDocument>>,
    /// What groups of tests are worth, and on which others they depend; a group that is not named here has the sum of its
    /// tests' points.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) groups: Vec<TestGroup>,
    /// What each language adds, by its id.
    #[serde(default, deserialize_with = "by_language")]
    #[schema(value_type = BTreeMap<String, LanguageSettings>)]
    pub(crate) languages: BTreeMap<Language, LanguageSettings>,
    /// Programs whose verdict is known. Learners never see them.
    #[serde(default)]
    pub(crate) solutions: Vec<Solution>,
}

/// A text in the languages that it was written in; at least one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuestionTexts)]
pub(crate) struct Texts {
    /// Korean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ko: Option<String>,
    /// English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) en: Option<String>,
}

/// What a question says of one language.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuestionLanguage)]
pub(crate) struct LanguageSettings {
    /// What the learner begins with, at most 64 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) starter: Option<String>,
    /// The code around the learner's, at most 64 KiB: holds one line `{{code}}`, or imports the module `solution`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) driver: Option<String>,
    /// What the time limit is multiplied by, 0.1 to 20; the language's usual factor if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) time_factor: Option<f64>,
}

/// A program whose verdict is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuestionSolution)]
pub(crate) struct Solution {
    /// What it is written in.
    pub(crate) language: Language,
    /// Its text, at most 64 KiB.
    pub(crate) code: String,
    /// What judging it must say.
    #[serde(default = "accepted")]
    pub(crate) expect: Verdict,
}

fn accepted() -> Verdict {
    Verdict::Accepted
}

/// One test as it is sent and shown.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuestionTest)]
pub(crate) struct TestDocument {
    /// Unique within the question: 1 to 64 of `A-Z a-z 0-9 . _ -`.
    #[serde(default)]
    #[schema(example = "01", required)]
    pub(crate) name: String,
    /// What the program reads. Left out when sent: what the test of that name has stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) input: Option<String>,
    /// What it should write. Left out when sent: what the test of that name has stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) output: Option<String>,
    /// Whether learners may see it.
    #[serde(default)]
    pub(crate) sample: bool,
    /// The group that it belongs to, named like a test.
    #[serde(default)]
    pub(crate) group: Option<String>,
    /// What it is worth, 0 to 1,000,000; where no test has points, each counts one.
    #[serde(default)]
    pub(crate) points: Option<f64>,
    /// Bytes of the input. Shown only: ignored when sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) input_size: Option<u64>,
    /// SHA-256 of the input. Shown only: ignored when sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) input_sha256: Option<String>,
    /// Bytes of the output. Shown only: ignored when sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) output_size: Option<u64>,
    /// SHA-256 of the output. Shown only: ignored when sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) output_sha256: Option<String>,
}

impl Document {
    /// The document in a JSON value, or all that is wrong with it.
    pub(crate) fn parse(mut value: Value) -> Result<Self, Vec<Fault>> {
        let faults = rules::refuse_what_is_to_come(&value);
        if !faults.is_empty() {
            return Err(faults);
        }
        // Null is how a program may write that there is no signature.
        if let Some(object) = value.as_object_mut() {
            object.remove("signature");
        }
        let document: Self = rules::typed(value)?;
        let faults = rules::check(&document);
        if faults.is_empty() {
            Ok(document)
        } else {
            Err(faults)
        }
    }

    /// The document after a merge patch (RFC 7396), or all that is wrong with it. `tests` are `None` where the patch leaves
    /// them as they are.
    pub(crate) fn patched(&self, patch: Value) -> Result<Self, Vec<Fault>> {
        if !patch.is_object() {
            return Err(vec![Fault::new(
                "",
                "invalid-type",
                "a patch is a JSON object",
            )]);
        }
        let without_tests = Self {
            tests: None,
            ..self.clone()
        };
        let mut value = serde_json::to_value(without_tests).unwrap_or_default();
        let clears_tests = patch.get("tests").is_some_and(Value::is_null);
        // Another kind of checker has other settings: those of the former would not fit.
        let kind = |value: &Value| value.pointer("/checker/kind").cloned();
        if kind(&patch).is_some_and(|new| kind(&value) != Some(new)) {
            value["checker"] = Value::Null;
        }
        merge(&mut value, patch);
        let mut document = Self::parse(value)?;
        if clears_tests {
            document.tests = Some(Vec::new());
        }
        Ok(document)
    }

    /// The languages that it may be answered in. A program can be written in any; a function only where a driver calls it.
    pub(crate) fn offered(&self) -> Vec<Language> {
        Language::ALL
            .into_iter()
            .filter(|language| match self.kind {
                QuestionKind::Stdio => true,
                QuestionKind::Function => self.driver(*language).is_some(),
            })
            .collect()
    }

    /// The code around the learner's.
    pub(crate) fn driver(&self, language: Language) -> Option<&str> {
        self.languages.get(&language)?.driver.as_deref()
    }

    /// What the learner begins with.
    pub(crate) fn starter(&self, language: Language) -> Option<&str> {
        self.languages.get(&language)?.starter.as_deref()
    }

    /// What the time limit is multiplied by.
    pub(crate) fn time_factor(&self, language: Language) -> f64 {
        self.languages
            .get(&language)
            .and_then(|settings| settings.time_factor)
            .unwrap_or_else(|| language.default_time_factor())
    }
}

impl Texts {
    /// The text in the first of these languages that it has, else in whichever there is.
    pub(crate) fn best(&self, wanted: &[Locale]) -> Option<(Locale, &str)> {
        wanted
            .iter()
            .chain(&[Locale::En, Locale::Ko])
            .find_map(|locale| self.text(*locale).map(|text| (*locale, text)))
    }

    /// The text in this language.
    pub(crate) fn text(&self, locale: Locale) -> Option<&str> {
        match locale {
            Locale::Ko => self.ko.as_deref(),
            Locale::En => self.en.as_deref(),
        }
    }

    /// The languages that it has, Korean first.
    pub(crate) fn locales(&self) -> Vec<Locale> {
        [Locale::Ko, Locale::En]
            .into_iter()
            .filter(|locale| self.text(*locale).is_some())
            .collect()
    }
}

/// Keys are read as words first: so the place of a fault inside is known.
fn by_language<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<Language, LanguageSettings>, D::Error> {
    BTreeMap::<String, LanguageSettings>::deserialize(deserializer)?
        .into_iter()
        .map(|(id, settings)| Ok((id.parse().map_err(D::Error::custom)?, settings)))
        .collect()
}

/// RFC 7396: objects merge, `null` removes, all else replaces. As deep as the JSON parser allows, 128.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    if let Value::Object(target) = target {
        for (key, value) in patch {
            if value.is_null() {
                target.remove(&key);
            } else {
                merge(target.entry(key).or_insert(Value::Null), value);
            }
        }
    }
}

/// JSON pointers of what differs between two documents, to the depth at which people think of it: `/limits/time_ms`,
/// `/languages/cpp/driver`, `/tags`.
pub(crate) fn differences(before: &Document, after: &Document) -> Vec<String> {
    let value = |document: &Document| serde_json::to_value(document).unwrap_or_default();
    let mut pointers = Vec::new();
    collect_differences("", &value(before), &value(after), &mut pointers);
    pointers
}

fn collect_differences(pointer: &str, before: &Value, after: &Value, found: &mut Vec<String>) {
    match (before, after) {
        _ if before == after => {}
        (Value::Object(before), Value::Object(after)) => {
            let added = after.keys().filter(|key| !before.contains_key(*key));
            for key in before.keys().chain(added) {
                let inner = format!("{pointer}/{key}");
                let (before, after) = (before.get(key), after.get(key));
                collect_differences(
                    &inner,
                    before.unwrap_or(&Value::Null),
                    after.unwrap_or(&Value::Null),
                    found,
                );
            }
        }
        _ => found.push(pointer.to_owned()),
    }
}

#[cfg(test)]
mod tests;
