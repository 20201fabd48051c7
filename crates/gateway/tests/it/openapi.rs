//! The description of our routes: whole, and true.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;
use utoipa::openapi::{HttpMethod, PathItem, ResponsesBuilder, path::OperationBuilder};

use crate::support::{World, send};

fn document() -> Value {
    serde_json::to_value(gateway::openapi()).expect("json")
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                match field.as_str() {
                    Some(target) if name == "$ref" => drop(found.insert(target.to_owned())),
                    _ => references(field, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn all_that_is_named_is_described() {
    let document = document();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.contains("#/components/schemas/Problem"), "{found:?}");
    for target in found {
        let place = target.strip_prefix('#').expect("a place in the document");
        assert!(document.pointer(place).is_some(), "{target}");
    }
}

#[test]
fn every_operation_has_a_name_of_its_own() {
    let document = document();
    let paths = document["paths"].as_object().expect("paths");
    let operations = paths
        .values()
        .flat_map(|item| item.as_object().expect("operations").values());
    let mut names: Vec<_> = operations
        .map(|one| one["operationId"].as_str().expect("a name"))
        .collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|two| two[0] != two[1]), "{names:?}");
}

#[tokio::test]
async fn every_route_is_there_and_asks_who_comes() {
    let world = &World::shared().await;
    let document = document();
    let paths = document["paths"].as_object().expect("paths");
    let mut routes = 0;
    for (path, item) in paths {
        for (method, operation) in item.as_object().expect("operations") {
            let method: Method = method.to_uppercase().parse().expect("a method");
            let address = path.replace("{id}", "0198c0de-0000-7000-8000-000000000000");
            let answer = send(world.request(method.clone(), &address)).await;
            let status = answer.status().as_u16();
            let anybody = operation["security"]
                .as_array()
                .is_some_and(|needed| needed.iter().any(|one| *one == serde_json::json!({})));
            match (anybody, operation["security"].is_array()) {
                (true, _) => assert!([200, 415].contains(&status), "{method} {path}: {status}"),
                // With the cookie.
                (false, true) => assert!([204, 401].contains(&status), "{method} {path}: {status}"),
                (false, false) => assert_eq!(status, 401, "{method} {path}"),
            }
            routes += 1;
        }
    }
    assert_eq!(routes, 18);
}

#[tokio::test]
async fn the_description_is_the_committed_one_and_its_page_may_load_nothing_from_elsewhere() {
    let world = &World::shared().await;
    let answer = send(world.get("/api/openapi.json")).await;
    assert_eq!(answer.headers()["content-type"], "application/json");
    let tag = answer.headers()["etag"].clone();
    let described = answer.text().await.expect("text");
    assert_eq!(described, include_str!("../../../../openapi.json"));
    let again = world.get("/api/openapi.json").header("if-none-match", tag);
    assert_eq!(send(again).await.status(), 304);

    let page = send(world.get("/api/docs")).await;
    assert_eq!(page.status(), 200);
    let policy = page.headers()["content-security-policy"].to_str();
    let policy = policy.expect("text");
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
}

#[test]
fn the_streams_of_posts_are_described_where_the_posts_are() {
    let mut document = gateway::openapi();
    let post = OperationBuilder::new()
        .responses(ResponsesBuilder::new().build())
        .build();
    document.paths.paths.insert(
        "/api/v1/runs".to_owned(),
        PathItem::new(HttpMethod::Post, post),
    );
    gateway::document_streams(&mut document);
    let document = serde_json::to_value(document).expect("json");
    let answer = &document["paths"]["/api/v1/runs"]["post"]["responses"]["200"];
    assert!(
        answer["content"]["text/event-stream"].is_object(),
        "{answer}"
    );
}
