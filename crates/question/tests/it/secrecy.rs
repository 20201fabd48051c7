//! Hidden tests, drivers, solutions and drafts never reach a learner, nor a teacher of other questions, by any path.

use reqwest::Method;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::server::{Server, send, sum};

/// Texts that stand in hidden places only.
const SECRETS: [&str; 7] = [
    "secret-name",
    "SECRET-INPUT",
    "SECRET-OUTPUT",
    "SECRET-SOLUTION",
    "SECRET-DRIVER",
    "SECRET-DRAFT",
    "SECRET-GROUP",
];

#[tokio::test]
async fn nothing_hidden_is_in_any_answer() {
    let server = Server::start().await;
    let (owner, learner, other) = (server.teacher(), server.learner(), server.teacher());
    let mut document = sum("sum");
    document["tests"] = json!([
        {"name": "sample-1", "input": "1 2\n", "output": "3\n", "sample": true},
        {"name": "secret-name", "input": "SECRET-INPUT", "output": "SECRET-OUTPUT", "group": "SECRET-GROUP"},
    ]);
    document["solutions"] = json!([{"language": "python", "code": "# SECRET-SOLUTION"}]);
    document["languages"] =
        json!({"c": {"driver": "// SECRET-DRIVER\n{{code}}\n", "starter": "int x;\n"}});
    let path = owner.make(&document).await;
    owner.publish(&path).await;
    let draft = json!({"statements": {"en": "SECRET-DRAFT"}, "titles": {"en": "SECRET-DRAFT"}, "tags": ["SECRET-DRAFT"],
        "languages": {"c": {"starter": "SECRET-DRAFT"}}});
    assert_eq!(owner.patch(&path, "*", &draft).await.status, 200);
    // A draft that was never published is as hidden.
    let mut unpublished = sum("secret-name");
    unpublished["titles"] = json!({"en": "SECRET-DRAFT"});
    owner.make(&unpublished).await;

    let mut secrets: Vec<String> = SECRETS.iter().map(|secret| (*secret).to_owned()).collect();
    for body in ["SECRET-INPUT", "SECRET-OUTPUT"] {
        secrets.push(hex::encode(Sha256::digest(body)));
    }
    // The owner gets all of them: so the search below can find something.
    let whole = format!(
        "{}{}",
        owner.get(&path).await.text(),
        owner.get("/questions").await.text()
    );
    for secret in &secrets {
        assert!(whole.contains(secret.as_str()), "{secret}");
    }

    let openapi = serde_json::to_value(question::openapi()).expect("it is JSON");
    let mut addresses = vec![
        "/questions?query=SECRET".to_owned(),
        "/questions?tag=SECRET-DRAFT".to_owned(),
        "/questions/secret-name".to_owned(),
        format!("/internal{path}/manifest?language=c"),
        format!("/internal/blobs/{}", secrets[SECRETS.len()]),
    ];
    for place in openapi["paths"]
        .as_object()
        .expect("there are paths")
        .keys()
    {
        let place = place.strip_prefix("/api/v1").expect("all are public");
        for (language, name) in [("c", "secret-name"), ("python", "sample-1")] {
            let place = place
                .replace("/questions/{question}", &path)
                .replace("{language}", language)
                .replace("{name}", name);
            addresses.push(place);
        }
    }
    for person in [&learner, &other] {
        for address in &addresses {
            for method in [
                Method::GET,
                Method::HEAD,
                Method::POST,
                Method::PUT,
                Method::PATCH,
                Method::DELETE,
            ] {
                let request = person
                    .request(method.clone(), address)
                    .header("if-match", "*");
                let reply = send(request.json(&json!({}))).await;
                let headers = format!("{:?}", reply.headers);
                // A problem says which address it is about.
                let text = reply.text().replace(address.as_str(), "");
                for secret in &secrets {
                    assert!(
                        !text.contains(secret.as_str()),
                        "{secret} in {method} {address}: {text}"
                    );
                    assert!(
                        !headers.contains(secret.as_str()),
                        "{secret} in headers of {method} {address}"
                    );
                }
            }
        }
    }
    assert_eq!(
        owner.get(&path).await.json()["draft"]["titles"]["en"],
        "SECRET-DRAFT",
        "and nobody changed it"
    );
}
