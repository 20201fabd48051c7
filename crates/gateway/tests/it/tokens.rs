//! Personal API tokens: shown once, narrower than their owner, good until revoked or expired.

use contract::Role;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Person, World, body, problem, send};

async fn make(world: &World, person: &Person, token: Value) -> Value {
    let answer = send(
        world
            .post("/api/v1/tokens")
            .bearer_auth(&person.token)
            .json(&token),
    )
    .await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    body(answer).await
}

fn secret(made: &Value) -> &str {
    made["token"].as_str().expect("a token")
}

#[tokio::test]
async fn a_token_is_shown_once_and_stored_as_a_hash() {
    let world = &World::shared().await;
    let person = world.sign_in_as(Role::Learner).await;
    let made = make(world, &person, json!({ "name": "ci" })).await;
    assert!(secret(&made).starts_with("cm_pat_"));
    assert_eq!(made["scopes"], json!(["read", "submit"]));
    let listed = body(send(world.get("/api/v1/tokens").bearer_auth(&person.token)).await).await;
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
    assert!(!listed.to_string().contains("cm_pat_"));
    let stored: Vec<u8> =
        sqlx::query_scalar("select hash from gateway.api_token where account = $1")
            .bind(person.id.0)
            .fetch_one(&world.db)
            .await
            .expect("a hash");
    assert_eq!(stored.len(), 32);
}

#[tokio::test]
async fn a_token_says_when_it_was_last_used() {
    let world = &World::shared().await;
    let person = world.sign_in_as(Role::Learner).await;
    let made = make(world, &person, json!({ "name": "ci" })).await;
    let listed =
        || async { body(send(world.get("/api/v1/tokens").bearer_auth(&person.token)).await).await };
    assert_eq!(listed().await["items"][0]["last_used_at"], Value::Null);
    let me = body(send(world.get("/api/v1/me").bearer_auth(secret(&made))).await).await;
    assert_eq!(me["id"], person.id.to_string());
    assert_ne!(listed().await["items"][0]["last_used_at"], Value::Null);
}

#[tokio::test]
async fn a_token_does_what_its_scopes_say_and_no_more() {
    let world = &World::shared().await;
    let admin = world.sign_in_as(Role::Admin).await;
    let read = make(world, &admin, json!({ "name": "r", "scopes": ["read"] })).await;
    let manage = make(world, &admin, json!({ "name": "m", "scopes": ["admin"] })).await;
    for (token, method, path, status) in [
        (&read, Method::GET, "/api/v1/questions", 200),
        (&read, Method::POST, "/api/v1/questions", 403),
        (&read, Method::POST, "/api/v1/submissions", 403),
        (&read, Method::GET, "/api/v1/accounts", 403),
        (&read, Method::GET, "/api/v1/tokens", 403),
        (&read, Method::POST, "/api/v1/tokens", 403),
        (&read, Method::PATCH, "/api/v1/me", 403),
        (&manage, Method::GET, "/api/v1/accounts", 200),
        (&manage, Method::GET, "/api/v1/me", 403),
        (&manage, Method::POST, "/api/v1/tokens", 403),
    ] {
        let request = world
            .request(method.clone(), path)
            .bearer_auth(secret(token))
            .json(&json!({}));
        assert_eq!(send(request).await.status(), status, "{method} {path}");
    }
}

#[tokio::test]
async fn the_owners_role_bounds_a_token() {
    let world = &World::shared().await;
    let learner = world.sign_in_as(Role::Learner).await;
    let made = make(world, &learner, json!({ "name": "x", "scopes": ["admin"] })).await;
    problem(
        send(world.get("/api/v1/accounts").bearer_auth(secret(&made))).await,
        403,
        "forbidden",
    )
    .await;
}

#[tokio::test]
async fn a_revoked_token_opens_nothing() {
    let world = &World::shared().await;
    let (person, other) = (
        world.sign_in_as(Role::Learner).await,
        world.sign_in_as(Role::Learner).await,
    );
    let made = make(world, &person, json!({ "name": "ci" })).await;
    let me = || send(world.get("/api/v1/me").bearer_auth(secret(&made)));
    assert_eq!(me().await.status(), StatusCode::OK);
    let revoke = |person: &Person, id: &str| {
        send(
            world
                .request(Method::DELETE, &format!("/api/v1/tokens/{id}"))
                .bearer_auth(&person.token),
        )
    };
    let id = made["id"].as_str().expect("an id");
    problem(revoke(&other, id).await, 404, "not-found").await;
    problem(
        revoke(&person, &Uuid::now_v7().to_string()).await,
        404,
        "not-found",
    )
    .await;
    assert_eq!(me().await.status(), StatusCode::OK);
    assert_eq!(revoke(&person, id).await.status(), StatusCode::NO_CONTENT);
    problem(me().await, 401, "unauthenticated").await;
    problem(revoke(&person, id).await, 404, "not-found").await;
}

#[tokio::test]
async fn an_expired_token_opens_nothing() {
    let world = &World::shared().await;
    let person = world.sign_in_as(Role::Learner).await;
    let made = make(
        world,
        &person,
        json!({ "name": "ci", "expires_at": "2099-01-01T00:00:00Z" }),
    )
    .await;
    assert_eq!(made["expires_at"], "2099-01-01T00:00:00Z");
    sqlx::query("update gateway.api_token set expires_at = now() where account = $1")
        .bind(person.id.0)
        .execute(&world.db)
        .await
        .expect("an update");
    problem(
        send(world.get("/api/v1/me").bearer_auth(secret(&made))).await,
        401,
        "unauthenticated",
    )
    .await;
}

#[tokio::test]
async fn refuses_tokens_that_make_no_sense() {
    let world = &World::shared().await;
    let person = world.sign_in_as(Role::Learner).await;
    for bad in [
        json!({ "name": "" }),
        json!({ "name": "x", "scopes": [] }),
        json!({ "name": "x", "scopes": ["root"] }),
        json!({ "name": "x", "expires_at": "2001-01-01T00:00:00Z" }),
        json!({ "name": "x", "expires_at": "tomorrow" }),
        json!({ "name": "x", "account": "me" }),
    ] {
        let answer = send(
            world
                .post("/api/v1/tokens")
                .bearer_auth(&person.token)
                .json(&bad),
        )
        .await;
        assert_eq!(answer.status(), 422, "{bad}");
        problem(answer, 422, "invalid-request").await;
    }
}
