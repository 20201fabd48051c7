//! Parsing, patching and comparing documents.

use serde_json::json;

use super::*;

fn document() -> Document {
    Document::parse(json!({
        "slug": "sum", "kind": "stdio", "difficulty": 1,
        "titles": {"ko": "합", "en": "Sum"}, "statements": {"en": "Add."},
        "languages": {"python": {"starter": "pass\n", "time_factor": 4.0}},
    }))
    .expect("it is right")
}

#[test]
fn patches_merge_and_null_removes() {
    let patched = document()
        .patched(json!({
            "titles": {"ko": null},
            "limits": {"time_ms": 500},
            "languages": {"python": {"time_factor": null}, "c": {"starter": "int x;\n"}},
        }))
        .expect("it is right");
    assert_eq!(patched.titles.locales(), [Locale::En]);
    assert_eq!(patched.limits.time_ms, 500);
    assert_eq!(patched.limits.memory_kib, Limits::default().memory_kib);
    assert_eq!(patched.starter(Language::Python), Some("pass\n"));
    assert!((patched.time_factor(Language::Python) - 3.0).abs() < f64::EPSILON);
    assert_eq!(patched.starter(Language::C), Some("int x;\n"));
    assert_eq!(patched.tests, None);
    assert_eq!(
        differences(&document(), &patched),
        [
            "/languages/python/time_factor",
            "/languages/c",
            "/limits/time_ms",
            "/titles/ko"
        ]
    );
}

#[test]
fn another_checker_takes_nothing_from_the_former() {
    let patched = document()
        .patched(json!({"checker": {"kind": "float", "abs": 0.5}}))
        .expect("it is right");
    let tuned = patched
        .patched(json!({"checker": {"rel": 0.25}}))
        .expect("it is right");
    assert_eq!(
        tuned.checker,
        Checker::Float {
            abs: 0.5,
            rel: 0.25
        }
    );
}

#[test]
fn a_patch_that_removes_what_is_needed_is_refused() {
    let faults = document()
        .patched(json!({"titles": null}))
        .expect_err("a question needs a title");
    assert_eq!(faults[0].pointer, "/titles");
    assert!(document().patched(json!(["titles"])).is_err());
}

#[test]
fn null_tests_are_no_tests() {
    let patched = document().patched(json!({"tests": null}));
    assert_eq!(patched.expect("it is right").tests, Some(Vec::new()));
}

#[test]
fn offers_a_function_only_where_a_driver_calls_it() {
    assert_eq!(document().offered(), Language::ALL);
    let function = document()
        .patched(json!({"kind": "function", "languages": {
            "python": {"driver": "import solution\n"}, "java": {"starter": "class Solution {}\n"}}}))
        .expect("it is right");
    assert_eq!(function.offered(), [Language::Python]);
}

#[test]
fn falls_back_to_the_language_there_is() {
    let document = document();
    assert_eq!(
        document.statements.best(&[Locale::Ko]),
        Some((Locale::En, "Add."))
    );
    assert_eq!(
        document.titles.best(&[Locale::Ko, Locale::En]),
        Some((Locale::Ko, "합"))
    );
}
