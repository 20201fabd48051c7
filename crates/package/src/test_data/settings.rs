//! `testdata.yaml`, `test_group.yaml` and the `.yaml` of a test.

use serde_json::Value;

use super::{Aggregation, Arguments, Group};
use crate::{
    Files, PackageError, Warnings,
    yaml::{self, Fields},
};

/// Reads a folder's settings into its group; the answer is what its tests inherit.
pub(super) fn of_group(
    files: &Files,
    folder: &str,
    group: &mut Group,
    mut arguments: Arguments,
    warnings: &mut Warnings,
) -> Result<Arguments, PackageError> {
    let new = format!("{folder}test_group.yaml");
    let old = format!("{folder}testdata.yaml");
    let (file, is_new) = if files.contains(&new) {
        (new, true)
    } else {
        (old, false)
    };
    if !files.contains(&file) {
        return Ok(arguments);
    }
    let mut fields = Fields::new(file.clone(), yaml::read(files, &file)?)?;
    if is_new {
        of_new(&mut fields, group)?;
    } else {
        of_old(files, folder, &mut fields, group, warnings)?;
    }
    common(&mut fields, &mut arguments, warnings)?;
    fields.finish(warnings);
    Ok(arguments)
}

/// Reads a test's own settings.
pub(super) fn of_test(
    files: &Files,
    file: &str,
    mut arguments: Arguments,
    warnings: &mut Warnings,
) -> Result<Arguments, PackageError> {
    let mut fields = Fields::new(file, yaml::read(files, file)?)?;
    common(&mut fields, &mut arguments, warnings)?;
    fields.ignore(
        &["hint", "description"],
        "what is told about a test is not kept",
        warnings,
    );
    fields.finish(warnings);
    Ok(arguments)
}

fn common(
    fields: &mut Fields,
    arguments: &mut Arguments,
    warnings: &mut Warnings,
) -> Result<(), PackageError> {
    for key in ["output_validator_args", "output_validator_flags"] {
        if let Some(words) = fields.words(key)? {
            arguments.output_validator = words;
        }
    }
    for key in ["input_validator_args", "input_validator_flags"] {
        let place = fields.place(key);
        match fields.take(key) {
            None => {}
            Some(Value::Object(_)) => {
                arguments.input_validator = Vec::new();
                warnings.add(place, "arguments for one input validator only are not used");
            }
            Some(value) => {
                arguments.input_validator = yaml::words(&value).ok_or_else(|| {
                    PackageError::wrong(place, "type", "a list of texts is expected")
                })?;
            }
        }
    }
    fields.ignore(&["args"], "submissions are run without arguments", warnings);
    fields.ignore(
        &["input_visualizer_args", "output_visualizer_args"],
        "visualizers are not run",
        warnings,
    );
    fields.ignore(
        &["full_feedback"],
        "what learners are told is said for the whole question",
        warnings,
    );
    fields.ignore(
        &[
            "static_validation_score",
            "static_validator_args",
            "static_validation",
        ],
        "a static validator is not run",
        warnings,
    );
    Ok(())
}

fn of_new(fields: &mut Fields, group: &mut Group) -> Result<(), PackageError> {
    let place = fields.place("max_score");
    match fields.take("max_score") {
        None => {}
        Some(Value::String(word)) if word == "unbounded" => set_most(group, f64::INFINITY),
        Some(Value::Number(number)) if number.as_f64().is_some_and(|number| number >= 0.0) => {
            set_most(group, number.as_f64().unwrap_or_default());
        }
        Some(_) => {
            return Err(PackageError::wrong(
                place,
                "type",
                "a number or `unbounded` is expected",
            ));
        }
    }
    let place = fields.place("score_aggregation");
    match fields.text("score_aggregation")?.as_deref() {
        None => {}
        Some("pass-fail") => group.aggregation = Aggregation::PassFail,
        Some("sum") => group.aggregation = Aggregation::Sum,
        Some("min") => group.aggregation = Aggregation::Min,
        Some(_) => {
            return Err(PackageError::wrong(
                place,
                "unknown",
                "pass-fail, sum or min is expected",
            ));
        }
    }
    group.require_pass = fields.words("require_pass")?.unwrap_or_default();
    Ok(())
}

fn set_most(group: &mut Group, most: f64) {
    group.range.1 = most;
    group.accept_score = most;
}

fn of_old(
    files: &Files,
    folder: &str,
    fields: &mut Fields,
    group: &mut Group,
    warnings: &mut Warnings,
) -> Result<(), PackageError> {
    let place = fields.place("on_reject");
    match fields.text("on_reject")?.as_deref() {
        None => {}
        Some("break" | "first_error") => group.breaks = true,
        Some("continue" | "worst_error") => group.breaks = false,
        Some(_) => {
            return Err(PackageError::wrong(
                place,
                "unknown",
                "break or continue is expected",
            ));
        }
    }
    let place = fields.place("grading");
    if fields
        .text("grading")?
        .is_some_and(|word| word != "default")
    {
        warnings.add(
            place,
            "graders of one's own are not used: the default one grades",
        );
    }
    let own_score = fields.number("accept_score")?;
    if let Some(score) = own_score {
        group.accept_score = score;
    }
    if let Some(score) = fields.number("reject_score")? {
        group.reject_score = score;
    }
    let place = fields.place("range");
    let range = fields.words("range")?;
    if let Some(range) = &range {
        let bounds: Vec<f64> = range.iter().filter_map(|word| word.parse().ok()).collect();
        match bounds.as_slice() {
            [least, most] if least <= most => group.range = (*least, *most),
            _ => {
                return Err(PackageError::wrong(
                    place,
                    "format",
                    "two numbers are expected",
                ));
            }
        }
    }
    let place = fields.place("grader_flags");
    let flags = fields.words("grader_flags")?;
    for flag in flags.iter().flatten() {
        match flag.as_str() {
            "sum" => group.aggregation = Aggregation::Sum,
            "avg" => group.aggregation = Aggregation::Avg,
            "min" => group.aggregation = Aggregation::Min,
            "max" => group.aggregation = Aggregation::Max,
            "worst_error" | "no_errors" => {
                (group.first_error, group.always_accept) = (false, false);
            }
            "first_error" => group.first_error = true,
            "always_accept" => group.always_accept = true,
            "ignore_sample" => group.ignore_sample = true,
            "accept_if_any_accepted" => group.accept_if_any = true,
            other => warnings.add(
                place.clone(),
                format!("{other:?} is not known, and not used"),
            ),
        }
    }
    // The drafts of 2023 nest what scores.
    let mut scoring = fields.fields("scoring")?;
    if let Some(score) = scoring.number("score")? {
        set_most(group, score);
        group.range.0 = 0.0;
    }
    scoring.take("max_score");
    match scoring.text("aggregation")?.as_deref() {
        Some("min") => group.aggregation = Aggregation::Min,
        Some("sum") => group.aggregation = Aggregation::Sum,
        _ => {}
    }
    scoring.finish(warnings);
    let holds_groups = files
        .under(folder)
        .any(|name| name[folder.len()..].contains('/'));
    if own_score.is_some() && flags.is_none() && range.is_none() && !holds_groups {
        // DOMjudge's reading; where Kattis means points of each test, the group says how they are put together.
        group.aggregation = Aggregation::PassFail;
        let message =
            "without grader_flags it is taken as the points of the whole group, as DOMjudge does";
        warnings.add(fields.place("accept_score"), message);
    }
    Ok(())
}
