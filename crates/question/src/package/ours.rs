//! Our own packages: written, and read back without loss.

use std::collections::BTreeMap;

use contract::{
    Language, Verdict,
    manifest::{Checker, CheckerProtocol, TestRef},
};
use package::{OURS, Package, Warning, write::Content};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Bodies, pointer, refused, yaml};
use crate::{
    document::{Document, TestDocument},
    error::QuestionError,
    rules,
};

/// Which form [`OURS`] has.
const FORM: u64 = 1;

/// A test as [`OURS`] lists it: where its bodies lie, and all but them.
#[derive(Debug, Serialize, Deserialize)]
struct Listed {
    /// Without the ending `.in` or `.ans`.
    path: String,
    #[serde(flatten)]
    test: TestRef,
}

/// The files of a question's package; the bodies of its tests are opened by `open`.
pub(crate) fn export(
    document: &Document,
    tests: &[TestRef],
    open: impl Fn(&contract::manifest::BlobRef) -> Content,
) -> BTreeMap<String, Content> {
    let mut files = BTreeMap::new();
    let mut rest = serde_json::to_value(document).unwrap_or_default();
    let checker = &document.checker;
    let scoring = tests.iter().any(|test| test.points.is_some()) || !document.groups.is_empty();
    files.insert(
        "problem.yaml".to_owned(),
        yaml::problem_yaml(&rest, checker, scoring).into(),
    );
    if let Some(statements) = take(&mut rest, "statements").as_object() {
        for (language, text) in statements {
            put(&mut files, format!("statement/problem.{language}.md"), text);
        }
    }
    take_languages(&mut rest, &mut files);
    take_solutions(&mut rest, document, &mut files);
    take_checker(&mut rest, checker, &mut files);
    let mut listed = Vec::with_capacity(tests.len());
    for test in tests {
        let folder = if test.sample { "sample" } else { "secret" };
        let path = format!("data/{folder}/{}", test.name);
        files.insert(format!("{path}.in"), open(&test.input));
        files.insert(format!("{path}.ans"), open(&test.output));
        let mut value = serde_json::to_value(test).unwrap_or_default();
        // Which bytes these are, the files say.
        for body in ["input", "output"] {
            take(&mut value, body);
        }
        value["path"] = json!(path);
        listed.push(value);
    }
    if let Some(args) = yaml::validator_args(checker) {
        for folder in ["sample", "secret"] {
            if tests.iter().any(|test| test.sample == (folder == "sample")) {
                files.insert(
                    format!("data/{folder}/test_group.yaml"),
                    args.clone().into(),
                );
            }
        }
    }
    rest["tests"] = Value::Array(listed);
    rest["form"] = json!(FORM);
    let text = serde_json::to_string_pretty(&sorted(rest)).unwrap_or_default();
    files.insert(OURS.to_owned(), (text + "\n").into());
    files
}

/// Objects with their keys in order, whatever order they were stored in.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let ordered: BTreeMap<_, _> = map
                .into_iter()
                .map(|(key, value)| (key, sorted(value)))
                .collect();
            Value::Object(ordered.into_iter().collect())
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        other => other,
    }
}

fn take(value: &mut Value, key: &str) -> Value {
    value
        .as_object_mut()
        .and_then(|map| map.remove(key))
        .unwrap_or_default()
}

fn put(files: &mut BTreeMap<String, Content>, name: String, text: &Value) {
    if let Some(text) = text.as_str() {
        files.insert(name, text.to_owned().into());
    }
}

fn take_languages(rest: &mut Value, files: &mut BTreeMap<String, Content>) {
    for (language, settings) in rest
        .pointer_mut("/languages")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flatten()
    {
        for part in ["starter", "driver"] {
            let text = take(settings, part);
            put(files, format!("languages/{language}/{part}"), &text);
        }
    }
}

fn take_solutions(rest: &mut Value, document: &Document, files: &mut BTreeMap<String, Content>) {
    let solutions = rest
        .pointer_mut("/solutions")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten();
    for (index, (value, solution)) in solutions.zip(&document.solutions).enumerate() {
        let folder = folder_of(solution.expect);
        let name = format!(
            "submissions/{folder}/{:02}.{}",
            index + 1,
            ending(solution.language)
        );
        put(files, name.clone(), &take(value, "code"));
        value["file"] = json!(name);
    }
}

fn take_checker(rest: &mut Value, checker: &Checker, files: &mut BTreeMap<String, Content>) {
    let folder = checker_folder(checker);
    for file in rest
        .pointer_mut("/checker/files")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        let text = take(file, "content");
        let name = file["name"].as_str().unwrap_or_default();
        put(files, format!("{folder}/{name}"), &text);
    }
}

/// Other judges call what lies in `output_validator` by the first protocol.
fn checker_folder(checker: &Checker) -> &'static str {
    match checker {
        Checker::Program {
            protocol: CheckerProtocol::Testlib,
            ..
        } => "checker",
        _ => "output_validator",
    }
}

/// The folder that says what a solution must come out as.
fn folder_of(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Accepted => "accepted",
        Verdict::WrongAnswer | Verdict::PresentationError => "wrong_answer",
        Verdict::TimeLimit => "time_limit_exceeded",
        Verdict::RuntimeError | Verdict::MemoryLimit | Verdict::OutputLimit => "run_time_error",
        Verdict::CompileError => "compiler_error",
        Verdict::InternalError | Verdict::Skipped => "rejected",
    }
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

/// The document and its tests again.
pub(super) fn import(
    package: &Package,
    mut rest: Value,
    warnings: &mut Vec<Warning>,
) -> Result<(Value, Vec<Bodies>), QuestionError> {
    let wrong = |message: &str| QuestionError::fault(pointer(OURS), "format", message);
    if take(&mut rest, "form").as_u64() != Some(FORM) {
        return Err(wrong(
            "this package was written by a newer version: it has a form that is not known",
        ));
    }
    let listed: Vec<Value> = serde_json::from_value(take(&mut rest, "tests"))
        .map_err(|_| wrong("its tests are no list"))?;
    let mut bodies = Vec::with_capacity(listed.len());
    for mut value in listed {
        let nothing = json!({"sha256": "", "size": 0});
        (value["input"], value["output"]) = (nothing.clone(), nothing);
        let Listed { path, test } = rules::typed(value)?;
        bodies.push(Bodies {
            test,
            input: format!("{path}.in"),
            output: Some(format!("{path}.ans")),
        });
    }
    let own: Vec<TestDocument> = bodies
        .iter()
        .map(|bodies| crate::bodies::describe(&bodies.test))
        .collect();
    let faults = rules::check_tests("/tests", &own);
    if !faults.is_empty() {
        return Err(faults.into());
    }
    let mut statements = Map::new();
    for statement in &package.statements {
        statements.insert(statement.language.clone(), json!(statement.text));
    }
    rest["statements"] = Value::Object(statements);
    for (language, settings) in rest
        .pointer_mut("/languages")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flatten()
    {
        for part in ["starter", "driver"] {
            let name = format!("languages/{language}/{part}");
            if package.files.contains(&name) {
                settings[part] = json!(package.files.text(&name).map_err(refused)?);
            }
        }
    }
    for solution in rest
        .pointer_mut("/solutions")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        let name = take(solution, "file");
        let name = name
            .as_str()
            .ok_or_else(|| wrong("a solution names no file"))?;
        solution["code"] = json!(package.files.text(name).map_err(refused)?);
    }
    let folder = if rest["checker"]["protocol"] == "testlib" {
        "checker"
    } else {
        "output_validator"
    };
    for file in rest
        .pointer_mut("/checker/files")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        let name = format!("{folder}/{}", file["name"].as_str().unwrap_or_default());
        file["content"] = json!(package.files.text(&name).map_err(refused)?);
    }
    warn_of_others(package, &rest, &bodies, warnings);
    Ok((rest, bodies))
}

/// Whoever changes one of our packages by hand changes [`OURS`]: what does not agree with it is named.
fn warn_of_others(package: &Package, rest: &Value, bodies: &[Bodies], warnings: &mut Vec<Warning>) {
    // We made it of the slug.
    warnings.retain(|warning| warning.place != "problem.yaml: uuid");
    let mut warn = |place: &str, message: &str| {
        warnings.push(Warning {
            place: place.to_owned(),
            message: message.to_owned(),
        });
    };
    let title = |language: &str| rest["titles"][language].as_str().map(str::to_owned);
    if package
        .metadata
        .names
        .iter()
        .any(|(language, name)| title(language).as_ref() != Some(name))
    {
        warn(
            "problem.yaml: name",
            "codementor.json has another title, which is used",
        );
    }
    let limit = rest["limits"]["time_ms"].as_f64().unwrap_or_default() / 1000.0;
    if package
        .metadata
        .time_limit
        .is_some_and(|own| (own - limit).abs() > 1e-9)
    {
        warn(
            "problem.yaml: limits.time_limit",
            "codementor.json has another limit, which is used",
        );
    }
    for test in &package.tests.tests {
        if !bodies.iter().any(|bodies| bodies.input == test.input) {
            warn(
                &test.input,
                "codementor.json does not name this test: it is not used",
            );
        }
    }
}
