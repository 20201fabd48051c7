//! Every route, as everybody: taken from the OpenAPI document, so that none is forgotten.
//!
//! What each may do stands in the table below; a route that is not in it fails the test.

use std::collections::BTreeMap;

use e2e::{Person, Product};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::streams::{ECHO, any_question};

/// Who may use a route at all; others are refused before anything is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Anyone,
    SignedIn,
    Teacher,
    Admin,
}

fn who(method: &str, path: &str) -> Who {
    match (method, path) {
        (_, path) if path.contains("/auth/") || path.contains("jwks") => Who::Anyone,
        ("get", "/api/v1/languages" | "/api/v1/openapi.json" | "/openapi.json" | "/") => {
            Who::Anyone
        }
        ("post", "/api/v1/accounts/{id}/reset-code" | "/api/v1/rejudges")
        | ("get", "/api/v1/usage" | "/api/v1/feed") => Who::Teacher,
        (_, path) if path.starts_with("/api/v1/batches") => Who::Teacher,
        (_, path) if path.starts_with("/api/v1/accounts") => Who::Admin,
        (_, path) if path.starts_with("/api/v1/dead-letters") => Who::Admin,
        (_, "/api/v1/intake") => Who::Admin,
        ("get", "/api/v1/questions" | "/api/v1/questions/{id}") => Who::SignedIn,
        ("get", path) if path.ends_with("/starter") => Who::SignedIn,
        (_, path) if path.starts_with("/api/v1/questions") => Who::Teacher,
        _ => Who::SignedIn,
    }
}

fn role_of(person: &str) -> Who {
    match person {
        "nobody" => Who::Anyone,
        "teacher" | "other teacher" => Who::Teacher,
        "admin" => Who::Admin,
        _ => Who::SignedIn,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_refuses_whom_it_should() {
    let product = Product::shared().await;
    let document: Value = serde_json::from_str(include_str!("../../../../openapi.json"))
        .expect("the committed document is JSON");
    let admin = product.demo("admin").await;
    let teacher = product.demo("teacher").await;
    let other_teacher = product.newcomer("Other teacher").await;
    let promoted = admin
        .request(Method::PATCH, &format!("/accounts/{}", other_teacher.id))
        .json(&serde_json::json!({"role": "teacher"}))
        .send()
        .await
        .expect("an answer");
    assert_eq!(
        promoted.status(),
        StatusCode::OK,
        "{:?}",
        promoted.text().await
    );
    let learner = product.newcomer("Learner").await;
    let submission = learner.submit(&any_question(), "python", ECHO).await;
    learner.follow(&submission, None).await;
    let people = BTreeMap::from([
        ("nobody", Person::nobody(product.url())),
        ("learner", learner.clone()),
        ("other learner", product.newcomer("Other learner").await),
        ("teacher", teacher),
        ("other teacher", other_teacher),
        ("admin", admin),
    ]);
    let mut wrong = vec![];
    let mut walked = 0;
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for method in operations.as_object().expect("operations").keys() {
            for (name, person) in &people {
                walked += 1;
                let status = knock(product.url(), person, method, path, &submission).await;
                let allowed = role_of(name) >= who(method, path);
                let refused = matches!(status, 401 | 403);
                let fits = match (allowed, *name) {
                    (true, _) => !refused || path.contains("/auth/"),
                    (false, "nobody") => status == 401,
                    // Somebody else's is not there.
                    (false, _) => matches!(status, 403 | 404),
                };
                if !fits || status >= 500 {
                    wrong.push(format!("{method} {path} as {name}: {status}"));
                }
            }
        }
    }
    assert!(walked > 200, "only {walked} doors were knocked at");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Asks without a body, or with an empty one: enough to see who is let in, without changing anything.
async fn knock(url: &str, person: &Person, method: &str, path: &str, submission: &str) -> u16 {
    let nothing = "00000000-0000-7000-8000-000000000000";
    let id = if path.contains("/submissions/") {
        submission
    } else {
        nothing
    };
    let mut address = path.replace("{id}", id);
    while let (Some(from), Some(to)) = (address.find('{'), address.find('}')) {
        address.replace_range(from..=to, "python");
    }
    if method != "get" {
        // Nobody's own things are changed by knocking.
        address = address.replace(submission, nothing);
    }
    let method: Method = method.to_uppercase().parse().expect("a method");
    let has_body = method == Method::POST || method == Method::PUT || method == Method::PATCH;
    let mut request = person.request(method, &format!("{url}{address}"));
    if has_body {
        request = request.json(&serde_json::json!({}));
    }
    request.send().await.expect("an answer").status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn users_tokens_open_nothing_inside() {
    let product = Product::shared().await;
    let admin = product.demo("admin").await;
    for (service, path) in [
        ("execute", "/internal/log"),
        ("execute", "/api/v1/submissions"),
        ("question", "/internal/questions/any/manifest"),
        ("question", "/api/v1/questions"),
        ("runner", "/internal/judge"),
        ("runner", "/internal/config"),
    ] {
        let address = format!("{}{path}", product.service_url(service));
        for method in [Method::GET, Method::POST] {
            let answer = admin
                .request(method, &address)
                .json(&Value::Null)
                .send()
                .await;
            let status = answer.expect("an answer").status().as_u16();
            assert!([401, 405].contains(&status), "{address}: {status}");
        }
    }
}
