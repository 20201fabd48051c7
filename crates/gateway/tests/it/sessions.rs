//! Refresh tokens: rotation, its grace for two tabs, and the end of a family whose token was copied.

use std::collections::HashSet;

use contract::Role;
use futures::future::join_all;
use reqwest::{Response, StatusCode};

use crate::support::{PASSWORD, Person, World, access_token, problem, refresh_cookie, send};

async fn refresh(world: &World, cookie: &str) -> Response {
    send(
        world
            .post("/api/v1/auth/refresh")
            .header("cookie", format!("codementor_refresh={cookie}")),
    )
    .await
}

async fn rotated(world: &World, cookie: &str) -> String {
    let answer = refresh(world, cookie).await;
    assert_eq!(answer.status(), StatusCode::OK);
    refresh_cookie(&answer).expect("a cookie")
}

/// As if all exchanges of the person had been so many seconds earlier.
async fn age(world: &World, person: &Person, seconds: f64) {
    sqlx::query(
        r"
        update gateway.refresh_token set replaced_at = replaced_at - make_interval(secs => $2)
        where session in (select id from gateway.session where account = $1)
        ",
    )
    .bind(person.id.0)
    .bind(seconds)
    .execute(&world.db)
    .await
    .expect("an update");
}

async fn is_ended(world: &World, person: &Person, by: &str) -> bool {
    sqlx::query_scalar("select bool_and(ended_by = $2) from gateway.session where account = $1")
        .bind(person.id.0)
        .bind(by)
        .fetch_one(&world.db)
        .await
        .expect("an answer")
}

#[tokio::test]
async fn each_refresh_gives_the_next_token() {
    let world = &World::shared().await;
    let person = world.sign_in_as(Role::Learner).await;
    let mut seen = HashSet::from([person.refresh.clone()]);
    let mut cookie = person.refresh;
    for _ in 0..3 {
        let answer = refresh(world, &cookie).await;
        assert_eq!(answer.status(), StatusCode::OK);
        cookie = refresh_cookie(&answer).expect("a cookie");
        assert!(seen.insert(cookie.clone()), "each is new");
        let token = access_token(answer).await;
        assert_eq!(
            send(world.get("/api/v1/me").bearer_auth(token))
                .await
                .status(),
            StatusCode::OK
        );
    }
}

#[tokio::test]
async fn two_tabs_get_the_same_successor() {
    let world = &World::shared().await;
    let person = world.sign_in_as(Role::Learner).await;
    let answers = join_all((0..8).map(|_| rotated(world, &person.refresh))).await;
    let different: HashSet<_> = answers.into_iter().collect();
    assert_eq!(different.len(), 1);
    let successor = different.into_iter().next().expect("one");
    rotated(world, &successor).await;
}

#[tokio::test]
async fn a_lost_answer_is_repeated_for_thirty_seconds() {
    let world = &World::shared().await;
    let person = world.sign_in_as(Role::Learner).await;
    let successor = rotated(world, &person.refresh).await;
    age(world, &person, 29.0).await;
    assert_eq!(rotated(world, &person.refresh).await, successor);
    age(world, &person, 2.0).await;
    let late = refresh(world, &person.refresh).await;
    assert_eq!(
        refresh_cookie(&late).as_deref(),
        Some(""),
        "the cookie is taken away"
    );
    problem(late, 401, "unauthenticated").await;
    problem(refresh(world, &successor).await, 401, "unauthenticated").await;
    assert!(is_ended(world, &person, "reuse").await);
}

#[tokio::test]
async fn an_older_token_ends_its_family_at_once() {
    let world = &World::shared().await;
    let person = world.sign_in_as(Role::Learner).await;
    let second = rotated(world, &person.refresh).await;
    let third = rotated(world, &second).await;
    problem(
        refresh(world, &person.refresh).await,
        401,
        "unauthenticated",
    )
    .await;
    for token in [&third, &second] {
        problem(refresh(world, token).await, 401, "unauthenticated").await;
    }
    assert!(is_ended(world, &person, "reuse").await);
    let entries: i64 = sqlx::query_scalar(
        "select count(*) from gateway.audit where action = 'refresh.reused' and account = $1",
    )
    .bind(person.id.0)
    .fetch_one(&world.db)
    .await
    .expect("a count");
    assert_eq!(entries, 1);
    // The access tokens of the family are worth nothing either.
    problem(
        send(world.get("/api/v1/me").bearer_auth(&person.token)).await,
        401,
        "unauthenticated",
    )
    .await;
}

#[tokio::test]
async fn another_session_of_the_account_goes_on() {
    let world = &World::shared().await;
    let person = world.sign_in_as(Role::Learner).await;
    let other = refresh_cookie(&world.log_in(&person.email, PASSWORD).await).expect("a cookie");
    let second = rotated(world, &person.refresh).await;
    rotated(world, &second).await;
    refresh(world, &person.refresh).await;
    rotated(world, &other).await;
}

#[tokio::test]
async fn signing_out_ends_the_session() {
    let world = &World::shared().await;
    let person = world.sign_in_as(Role::Learner).await;
    let log_out = || {
        send(
            world
                .post("/api/v1/auth/logout")
                .header("cookie", format!("codementor_refresh={}", person.refresh)),
        )
    };
    assert_eq!(
        send(world.get("/api/v1/me").bearer_auth(&person.token))
            .await
            .status(),
        StatusCode::OK
    );
    let answer = log_out().await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    assert_eq!(refresh_cookie(&answer).as_deref(), Some(""));
    problem(
        refresh(world, &person.refresh).await,
        401,
        "unauthenticated",
    )
    .await;
    problem(
        send(world.get("/api/v1/me").bearer_auth(&person.token)).await,
        401,
        "unauthenticated",
    )
    .await;
    assert_eq!(
        log_out().await.status(),
        StatusCode::NO_CONTENT,
        "once more changes nothing"
    );
}

#[tokio::test]
async fn an_expired_session_is_refused() {
    let world = &World::shared().await;
    let person = world.sign_in_as(Role::Learner).await;
    sqlx::query("update gateway.session set expires_at = now() where account = $1")
        .bind(person.id.0)
        .execute(&world.db)
        .await
        .expect("an update");
    problem(
        refresh(world, &person.refresh).await,
        401,
        "unauthenticated",
    )
    .await;
}

#[tokio::test]
async fn no_cookie_or_rubbish_is_refused() {
    let world = &World::shared().await;
    for cookie in ["", "rubbish", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        problem(refresh(world, cookie).await, 401, "unauthenticated").await;
    }
    problem(
        send(world.post("/api/v1/auth/refresh")).await,
        401,
        "unauthenticated",
    )
    .await;
}

#[tokio::test]
async fn the_page_of_another_site_refreshes_nothing() {
    let world = &World::shared().await;
    let person = world.sign_in_as(Role::Learner).await;
    for (header, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
    ] {
        for path in ["/api/v1/auth/refresh", "/api/v1/auth/logout"] {
            let request = world
                .post(path)
                .header("cookie", format!("codementor_refresh={}", person.refresh));
            problem(send(request.header(header, value)).await, 403, "forbidden").await;
        }
    }
    rotated(world, &person.refresh).await;
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions() {
    let world = &World::shared().await;
    let person = world.sign_in_as(Role::Learner).await;
    let other = refresh_cookie(&world.log_in(&person.email, PASSWORD).await).expect("a cookie");
    let change = |current: &str| serde_json::json!({ "password": "a new password", "current_password": current });
    let me = || {
        world
            .request(reqwest::Method::PATCH, "/api/v1/me")
            .bearer_auth(&person.token)
    };
    problem(
        send(me().json(&change("wrong"))).await,
        422,
        "invalid-request",
    )
    .await;
    problem(
        send(me().json(&serde_json::json!({ "password": "a new password" }))).await,
        422,
        "invalid-request",
    )
    .await;
    assert_eq!(
        send(me().json(&change(PASSWORD))).await.status(),
        StatusCode::OK
    );
    rotated(world, &person.refresh).await;
    problem(refresh(world, &other).await, 401, "unauthenticated").await;
    assert_eq!(
        world.log_in(&person.email, "a new password").await.status(),
        StatusCode::OK
    );
}
