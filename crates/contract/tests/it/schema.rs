//! What the API's document says of a test's result holds for those that are told.

use std::collections::BTreeSet;

use contract::{
    event::{TestDetail, TestResult},
    verdict::Verdict,
};
use serde_json::Value;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ComponentsBuilder, RefOr, Schema},
};

fn hidden() -> TestResult {
    TestResult {
        index: 1,
        name: "1".to_owned(),
        group: None,
        verdict: Verdict::Accepted,
        time_ms: 10,
        wall_ms: 10,
        memory_kib: 1_024,
        limit: None,
        score: None,
        reason: None,
        detail: None,
    }
}

fn sample() -> TestResult {
    TestResult {
        detail: Some(TestDetail {
            exit_code: Some(0),
            signal: None,
            input: "1".to_owned(),
            expected: "2".to_owned(),
            output: "2".to_owned(),
            stderr: String::new(),
            difference: None,
            message: None,
        }),
        ..hidden()
    }
}

/// The parts of `TestResult`, each with what it refers to in place of the reference.
fn parts() -> Vec<Value> {
    let mut schemas: Vec<(String, RefOr<Schema>)> = vec![];
    TestResult::schemas(&mut schemas);
    let components = ComponentsBuilder::new().schemas_from_iter(schemas).build();
    let components = serde_json::to_value(components).expect("components are JSON");
    let whole = serde_json::to_value(TestResult::schema()).expect("a schema is JSON");
    let parts = whole["allOf"].as_array().expect("two parts").clone();
    parts
        .into_iter()
        .map(|part| match part["$ref"].as_str() {
            Some(place) => {
                let name = place.rsplit('/').next().expect("a name");
                components["schemas"][name].clone()
            }
            None => part,
        })
        .collect()
}

#[test]
fn every_part_of_a_test_result_holds_for_hidden_tests_and_samples() {
    let parts = parts();
    let mut known = BTreeSet::new();
    for result in [hidden(), sample()] {
        let value = serde_json::to_value(result).expect("a result is JSON");
        for part in &parts {
            assert_eq!(part["type"], "object", "{part:#}");
            for name in part["required"].as_array().into_iter().flatten() {
                let name = name.as_str().expect("a name");
                assert!(value.get(name).is_some(), "{name} is missing in {value:#}");
            }
            let properties = part["properties"].as_object().expect("properties");
            known.extend(properties.keys().cloned());
        }
        for name in value.as_object().expect("an object").keys() {
            assert!(known.contains(name), "{name} is not in the document");
        }
    }
}
