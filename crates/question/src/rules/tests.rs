//! Each fault at its place.

use serde_json::{Value, json};

use super::*;

fn right() -> Value {
    json!({
        "slug": "sum", "kind": "stdio", "difficulty": 1,
        "titles": {"en": "Sum"}, "statements": {"en": "Add."},
        "tests": [{"name": "1", "input": "1 2\n", "output": "3\n", "sample": true}],
    })
}

/// Where the faults are, after this change of a right document.
fn pointers(change: &Value) -> Vec<String> {
    let mut value = right();
    for (key, changed) in change.as_object().expect("an object") {
        value[key] = changed.clone();
    }
    match Document::parse(value) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.into_iter().map(|fault| fault.pointer).collect(),
    }
}

#[test]
fn accepts_what_is_right() {
    assert_eq!(pointers(&json!({})), Vec::<String>::new());
    assert_eq!(
        pointers(
            &json!({"checker": {"kind": "program", "language": "python", "files": [{"name": "check.py", "content": "exit(42)"}]},
            "groups": [{"name": "a"}, {"name": "b", "score": "min", "points": 30, "depends_on": ["a"], "judging": "lazy"}]})
        ),
        Vec::<String>::new()
    );
    assert_eq!(
        pointers(
            &json!({"signature": null, "tags": ["dp", "그래프"], "checker": {"kind": "float", "abs": 1e-9, "rel": 0.0},
            "languages": {"c": {"driver": "{{code}}\n", "starter": "int f(int x);\n", "time_factor": 1.5}},
            "solutions": [{"language": "python", "code": "print(1)"}, {"language": "c", "code": "x", "expect": "CE"}]})
        ),
        Vec::<String>::new()
    );
}

fn assert_pointers(change: &Value, expected: &[&str]) {
    assert_eq!(
        pointers(change),
        expected,
        "{}",
        change.to_string().chars().take(200).collect::<String>()
    );
}

#[test]
fn names_the_place_of_each_fault() {
    for (change, expected) in [
        (json!({"slug": "Sum"}), vec!["/slug"]),
        (json!({"slug": "-sum"}), vec!["/slug"]),
        (json!({"slug": "import"}), vec!["/slug"]),
        (
            json!({"slug": "0192f0c1-2345-7abc-8def-0123456789ab"}),
            vec!["/slug"],
        ),
        (json!({"slug": "합"}), vec!["/slug"]),
        (json!({"slug": 7}), vec!["/slug"]),
        (json!({"kind": "essay"}), vec!["/kind"]),
        (json!({"titles": {}}), vec!["/titles"]),
        (json!({"titles": {"fr": "Somme"}}), vec!["/titles/fr"]),
        (
            json!({"titles": {"en": " ", "ko": "a\nb"}}),
            vec!["/titles/ko", "/titles/en"],
        ),
        (json!({"statements": {}}), vec!["/statements"]),
        (
            json!({"statements": {"ko": "x".repeat(262_145)}}),
            vec!["/statements/ko"],
        ),
        (
            json!({"statements": {"ko": ">".repeat(5_000) + " x"}}),
            vec!["/statements/ko"],
        ),
        (json!({"difficulty": 0}), vec!["/difficulty"]),
        (json!({"difficulty": 11}), vec!["/difficulty"]),
        (json!({"difficulty": -1}), vec!["/difficulty"]),
        (json!({"difficulty": "1"}), vec!["/difficulty"]),
        (
            json!({"tags": ["a", " b", "a", ""]}),
            vec!["/tags/1", "/tags/2", "/tags/3"],
        ),
        (
            json!({"limits": {"time_ms": 0, "memory_kib": 1, "output_kib": 65_537}}),
            vec![
                "/limits/time_ms",
                "/limits/memory_kib",
                "/limits/output_kib",
            ],
        ),
        (json!({"limits": {"time": 1}}), vec!["/limits/time"]),
    ] {
        assert_pointers(&change, &expected);
    }
}

#[test]
fn names_the_place_of_each_fault_in_what_judges() {
    let long = "x".repeat(65_537);
    for (change, expected) in [
        (
            json!({"checker": {"kind": "program", "language": "python", "files": [], "passes": 0}}),
            vec!["/checker/files", "/checker/passes"],
        ),
        (
            json!({"checker": {"kind": "program", "language": "cpp", "protocol": "testlib", "passes": 2,
                "files": [{"name": "-o", "content": " "}, {"name": "../x", "content": ""}]}}),
            vec![
                "/checker/files/0/name",
                "/checker/files/1/name",
                "/checker/files/0/content",
                "/checker/passes",
            ],
        ),
        (
            json!({"groups": [{"name": "a", "depends_on": ["b"]}, {"name": "b", "points": -1.0}, {"name": "b"}, {"name": "/"}]}),
            vec![
                "/groups/0/depends_on/0",
                "/groups/1/points",
                "/groups/2/name",
                "/groups/3/name",
            ],
        ),
        (
            json!({"checker": {"kind": "float", "abs": -1.0}}),
            vec!["/checker/abs"],
        ),
        (json!({"signature": {"name": "f"}}), vec!["/signature"]),
        (
            json!({"languages": {"cobol": {}, "a/b": {}}}),
            vec!["/languages/a~1b", "/languages/cobol"],
        ),
        (
            json!({"languages": {"c": {"driver": "int main() {}", "time_factor": 0.0}, "python": {"time_factor": 20.1}}}),
            vec![
                "/languages/c/driver",
                "/languages/c/time_factor",
                "/languages/python/time_factor",
            ],
        ),
        (
            json!({"languages": {"c": {"starter": long, "drivers": "x"}}}),
            vec!["/languages/c/drivers"],
        ),
        (
            json!({"languages": {"c": {"starter": long}}}),
            vec!["/languages/c/starter"],
        ),
        (
            json!({"solutions": [{"language": "c", "code": ""}]}),
            vec!["/solutions/0/code"],
        ),
        (
            json!({"solutions": [{"language": "c", "code": "x", "expect": "SK"}]}),
            vec!["/solutions/0/expect"],
        ),
        (
            json!({"solutions": [{"language": "c"}]}),
            vec!["/solutions/0/code"],
        ),
        (json!({"titles": {"en": "a\u{0}"}}), vec!["/titles/en"]),
        (json!({"surprise": true}), vec!["/surprise"]),
    ] {
        assert_pointers(&change, &expected);
    }
}

#[test]
fn names_the_place_of_each_fault_in_tests() {
    for (tests, expected) in [
        (
            json!([{"name": "../x", "input": "", "output": ""}]),
            vec!["/tests/0/name"],
        ),
        (
            json!([{"name": "..", "input": "", "output": ""}]),
            vec!["/tests/0/name"],
        ),
        (json!([{"name": "a"}, {"name": "a"}]), vec!["/tests/1/name"]),
        (
            json!([{"name": "a", "group": "x y", "points": -1.0}]),
            vec!["/tests/0/group", "/tests/0/points"],
        ),
        (
            json!([{"name": "a", "sample": true, "input": "x".repeat(65_537)}]),
            vec!["/tests/0/input"],
        ),
        (
            json!([{"name": "a", "input": "\u{0}"}]),
            vec!["/tests/0/input"],
        ),
        (json!([{"input": "1"}]), vec!["/tests/0/name"]),
        (json!({}), vec!["/tests"]),
    ] {
        assert_eq!(pointers(&json!({"tests": tests})), expected, "{tests}");
    }
    let many: Vec<_> = (0..=MAX_TESTS)
        .map(|n| json!({"name": n.to_string()}))
        .collect();
    assert_eq!(pointers(&json!({"tests": many})), ["/tests"]);
    let samples: Vec<_> = (0..=MAX_SAMPLES)
        .map(|n| json!({"name": n.to_string(), "sample": true}))
        .collect();
    assert_eq!(pointers(&json!({"tests": samples})), ["/tests"]);
}

#[test]
fn what_is_missing_is_named_where_it_should_be() {
    let faults = Document::parse(json!({})).expect_err("all is missing");
    assert_eq!(
        faults,
        [Fault::new("/slug", "missing-field", "this is missing")]
    );
    assert!(Document::parse(json!([])).is_err());
    assert!(Document::parse(json!(null)).is_err());
}
