//! `problem.yaml` of what we export: what other judges understand of a question.

use std::fmt::Write;

use contract::manifest::Checker;
use serde_json::Value;
use uuid::Uuid;

/// The same for the same document, so that exports can be compared.
pub(super) fn problem_yaml(document: &Value, checker: &Checker, scoring: bool) -> String {
    let slug = document["slug"].as_str().unwrap_or_default();
    let mut kinds = vec![if scoring { "scoring" } else { "pass-fail" }];
    let mut passes = None;
    if let Checker::Program {
        interactive,
        passes: number,
        ..
    } = checker
    {
        if *interactive {
            kinds.push("interactive");
        }
        if *number > 1 {
            kinds.push("multi-pass");
            passes = Some(*number);
        }
    }
    let mut yaml = format!(
        "problem_format_version: 2025-09\ntype: [{}]\nname:\n",
        kinds.join(", ")
    );
    for (language, title) in document["titles"].as_object().into_iter().flatten() {
        line(&mut yaml, &format!("  {language}"), title);
    }
    let uuid = Uuid::new_v5(
        &Uuid::NAMESPACE_URL,
        format!("https://codementor.dev/questions/{slug}").as_bytes(),
    );
    let number = |name: &str| document["limits"][name].as_f64().unwrap_or_default();
    let _ = write!(
        yaml,
        "uuid: {uuid}\nlimits:\n  time_limit: {}\n  memory: {}\n  output: {}\n",
        number("time_ms") / 1000.0,
        (number("memory_kib") / 1024.0).ceil(),
        (number("output_kib") / 1024.0).ceil(),
    );
    if let Some(passes) = passes {
        let _ = writeln!(yaml, "  validation_passes: {passes}");
    }
    if let Some(tags) = document["tags"].as_array().filter(|tags| !tags.is_empty()) {
        let tags: Vec<_> = tags.iter().map(Value::to_string).collect();
        let _ = writeln!(yaml, "keywords: [{}]", tags.join(", "));
    }
    yaml
}

/// JSON's strings are YAML's.
fn line(yaml: &mut String, key: &str, value: &Value) {
    let _ = writeln!(yaml, "{key}: {value}");
}

/// What the default validator must be told to compare nearly as we do; `None` where it needs nothing, or is not used.
pub(super) fn validator_args(checker: &Checker) -> Option<String> {
    let args = match checker {
        Checker::Tokens {
            case_sensitive: true,
        }
        | Checker::Lines {}
        | Checker::Unordered {} => "case_sensitive".to_owned(),
        Checker::Tokens { .. } | Checker::Program { .. } => return None,
        Checker::Exact {} => "case_sensitive, space_change_sensitive".to_owned(),
        Checker::Float { abs, rel } => {
            format!("float_absolute_tolerance, \"{abs:e}\", float_relative_tolerance, \"{rel:e}\"")
        }
    };
    Some(format!("output_validator_args: [{args}]\n"))
}
