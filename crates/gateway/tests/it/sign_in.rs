//! Registering, signing in, and choosing a password with a one-time code.

use contract::Role;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::support::{
    PASSWORD, Person, World, access_token, body, fresh_email, problem, refresh_cookie, send,
};

#[tokio::test]
async fn registers_and_signs_in() {
    let world = &World::shared().await;
    let email = fresh_email();
    let register = json!({ "email": email.to_uppercase(), "password": PASSWORD, "name": " 김 ", "locale": "ko-KR" });
    let answer = send(world.post("/api/v1/auth/register").json(&register)).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert!(
        refresh_cookie(&answer).is_none(),
        "registering signs nobody in"
    );
    let account = body(answer).await;
    assert_eq!(account["email"], email);
    assert_eq!(
        (&account["name"], &account["role"], &account["locale"]),
        (&json!("김"), &json!("learner"), &json!("ko"))
    );

    let answer = world.log_in(&format!("  {email} "), PASSWORD).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let cookie = answer.headers()["set-cookie"]
        .to_str()
        .expect("text")
        .to_owned();
    assert!(
        cookie.ends_with("; Path=/api/v1/auth; Max-Age=2592000; HttpOnly; SameSite=Strict"),
        "{cookie}"
    );
    let signed_in = body(answer).await;
    assert_eq!(
        (&signed_in["token_type"], &signed_in["expires_in"]),
        (&json!("Bearer"), &json!(600))
    );

    let token = signed_in["access_token"].as_str().expect("a token");
    let me = body(send(world.get("/api/v1/me").bearer_auth(token)).await).await;
    assert_eq!(me, account);
}

#[tokio::test]
async fn an_address_is_taken_once() {
    let world = &World::shared().await;
    let email = fresh_email();
    let register = |email: &str| json!({ "email": email, "password": PASSWORD, "name": "x" });
    let (one, other) = tokio::join!(
        send(world.post("/api/v1/auth/register").json(&register(&email))),
        send(
            world
                .post("/api/v1/auth/register")
                .json(&register(&email.to_uppercase()))
        ),
    );
    let mut statuses = [one.status().as_u16(), other.status().as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    let again = send(world.post("/api/v1/auth/register").json(&register(&email))).await;
    problem(again, 409, "conflict").await;
}

#[tokio::test]
async fn says_all_that_is_wrong_with_a_registration() {
    let world = &World::shared().await;
    let register =
        json!({ "email": "nobody", "password": "short", "name": "a\nb", "locale": "fr" });
    let problem = problem(
        send(world.post("/api/v1/auth/register").json(&register)).await,
        422,
        "invalid-request",
    )
    .await;
    let errors = problem["errors"].as_array().expect("errors");
    let places: Vec<_> = errors
        .iter()
        .map(|error| error["pointer"].as_str().expect("a place"))
        .collect();
    assert_eq!(places, ["/email", "/password", "/name", "/locale"]);
}

#[tokio::test]
async fn rubbish_is_refused_as_a_problem() {
    let world = &World::shared().await;
    let register = |text: &[u8]| {
        world
            .post("/api/v1/auth/register")
            .header("content-type", "application/json")
            .body(text.to_vec())
    };
    let name = |name: &str| {
        format!(r#"{{"email":"a@b","password":"12345678","name":"{name}"}}"#).into_bytes()
    };
    for (text, status) in [
        (b"{".to_vec(), 400),
        (b"\xff".to_vec(), 400),
        (b"[]".to_vec(), 422),
        (
            br#"{"email":1,"password":"12345678","name":"x"}"#.to_vec(),
            422,
        ),
        (
            br#"{"email":"a@b","password":"12345678","name":"x","role":"admin"}"#.to_vec(),
            422,
        ),
    ] {
        let shown = String::from_utf8_lossy(&text).into_owned();
        let answer = send(register(&text)).await;
        assert_eq!(answer.status(), status, "{shown}");
        problem(answer, status, "invalid-request").await;
    }
    // Escaped or not, a NUL gets nowhere near the database.
    let answer = send(register(&name("a\\u0000b"))).await;
    assert!(answer.status().is_client_error(), "{answer:?}");
    let text = send(world.post("/api/v1/auth/login").body("email=a")).await;
    problem(text, 415, "unsupported-media-type").await;
    let large = send(register(&vec![b' '; 10_000_000])).await;
    problem(large, 413, "payload-too-large").await;
    problem(
        send(world.get("/api/v1/auth/login")).await,
        405,
        "invalid-request",
    )
    .await;
    problem(send(world.get("/api/v1/nothing")).await, 404, "not-found").await;
}

#[tokio::test]
async fn refuses_a_wrong_password_as_it_refuses_a_stranger() {
    let world = &World::shared().await;
    let person = world.sign_in_as(Role::Learner).await;
    let mut answers = Vec::new();
    for (email, password) in [
        (person.email.as_str(), "wrong password"),
        (&fresh_email(), PASSWORD),
        ("no address at all", PASSWORD),
        ("a\u{0}b", PASSWORD),
        (&person.email, &"x".repeat(100_000)),
        (&person.email, ""),
    ] {
        let answer = world.log_in(email, password).await;
        if answer.status() == StatusCode::BAD_REQUEST {
            assert!(email.contains('\0'), "{email}");
            continue;
        }
        assert!(refresh_cookie(&answer).is_none());
        assert_eq!(answer.headers()["www-authenticate"], "Bearer");
        answers.push(problem(answer, 401, "unauthenticated").await["detail"].clone());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    let failed: i64 = sqlx::query_scalar(
        "select count(*) from gateway.audit where action = 'login.failed' and account = $1",
    )
    .bind(person.id.0)
    .fetch_one(&world.db)
    .await
    .expect("a count");
    assert_eq!(failed, 3, "with address, and never with the password");
}

#[tokio::test]
async fn a_closed_house_registers_nobody() {
    let world = World::start(&["--registration=closed"]).await;
    let register = json!({ "email": fresh_email(), "password": PASSWORD, "name": "x" });
    problem(
        send(world.post("/api/v1/auth/register").json(&register)).await,
        403,
        "forbidden",
    )
    .await;
}

#[tokio::test]
async fn over_https_the_cookie_is_secure() {
    let world = World::start(&["--public-url=https://learn.example"]).await;
    let person = world.sign_in_as(Role::Learner).await;
    let answer = world.log_in(&person.email, PASSWORD).await;
    assert!(
        answer.headers()["set-cookie"]
            .to_str()
            .expect("text")
            .ends_with("; Secure")
    );
    assert_eq!(
        answer.headers()["strict-transport-security"],
        "max-age=31536000"
    );
}

/// A one-time code that `maker` makes for `owner`.
async fn reset_code(world: &World, maker: &Person, owner: &Person) -> String {
    let path = format!("/api/v1/accounts/{}/reset-code", owner.id);
    let made = send(world.post(&path).bearer_auth(&maker.token)).await;
    assert_eq!(made.status(), StatusCode::CREATED);
    let code = body(made).await["code"].clone();
    code.as_str().expect("a code").to_owned()
}

async fn set_password(world: &World, code: &str, password: &str) -> Response {
    let reset = json!({ "code": code, "password": password });
    send(world.post("/api/v1/auth/reset").json(&reset)).await
}

#[tokio::test]
async fn a_code_sets_a_password_once_and_ends_all_sessions() {
    let world = &World::shared().await;
    let (teacher, learner) = (
        world.sign_in_as(Role::Teacher).await,
        world.sign_in_as(Role::Learner).await,
    );
    let code = reset_code(world, &teacher, &learner).await;
    problem(
        set_password(world, &code, "short").await,
        422,
        "invalid-request",
    )
    .await;
    let answer = set_password(
        world,
        &code.to_lowercase().replace('-', " "),
        "a new password",
    )
    .await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(refresh_cookie(&answer).is_some());
    let token = access_token(answer).await;
    assert_eq!(
        send(world.get("/api/v1/me").bearer_auth(&token))
            .await
            .status(),
        StatusCode::OK
    );

    problem(
        set_password(world, &code, "another password").await,
        401,
        "unauthenticated",
    )
    .await;
    problem(
        set_password(world, "0000-0000-0000-0000", "another password").await,
        401,
        "unauthenticated",
    )
    .await;
    problem(
        world.log_in(&learner.email, PASSWORD).await,
        401,
        "unauthenticated",
    )
    .await;
    assert_eq!(
        world
            .log_in(&learner.email, "a new password")
            .await
            .status(),
        StatusCode::OK
    );
    let former = send(world.get("/api/v1/me").bearer_auth(&learner.token)).await;
    problem(former, 401, "unauthenticated").await;
}

#[tokio::test]
async fn an_expired_code_opens_nothing() {
    let world = &World::shared().await;
    let (admin, learner) = (
        world.sign_in_as(Role::Admin).await,
        world.sign_in_as(Role::Learner).await,
    );
    let code = reset_code(world, &admin, &learner).await;
    sqlx::query("update gateway.one_time_code set expires_at = now() where account = $1")
        .bind(learner.id.0)
        .execute(&world.db)
        .await
        .expect("an update");
    let refused = set_password(world, &code, "a new password").await;
    problem(refused, 401, "unauthenticated").await;
}

#[tokio::test]
async fn codes_never_lead_above_the_own_role() {
    let world = &World::shared().await;
    let teacher = world.sign_in_as(Role::Teacher).await;
    for (who, role, status) in [
        (&teacher, Role::Teacher, 403),
        (&teacher, Role::Admin, 403),
        (&world.sign_in_as(Role::Learner).await, Role::Learner, 403),
        (&world.sign_in_as(Role::Admin).await, Role::Admin, 201),
    ] {
        let target = world.sign_in_as(role).await;
        let path = format!("/api/v1/accounts/{}/reset-code", target.id);
        let answer = send(world.post(&path).bearer_auth(&who.token)).await;
        assert_eq!(answer.status(), status, "{role:?}");
    }
    let nobody = format!("/api/v1/accounts/{}/reset-code", uuid::Uuid::now_v7());
    problem(
        send(world.post(&nobody).bearer_auth(&teacher.token)).await,
        404,
        "not-found",
    )
    .await;
}

/// What setting a password answers with a code that somebody of `maker` made for a learner, after an admin changed the one
/// who made it, or else the learner.
async fn reset_after(world: &World, maker: Role, of_maker: bool, change: &Value) -> StatusCode {
    let (maker, learner, admin) = (
        world.sign_in_as(maker).await,
        world.sign_in_as(Role::Learner).await,
        world.sign_in_as(Role::Admin).await,
    );
    let code = reset_code(world, &maker, &learner).await;
    let changed = if of_maker { maker.id } else { learner.id };
    let path = format!("/api/v1/accounts/{changed}");
    let changed = world.request(Method::PATCH, &path).json(change);
    let changed = send(changed.bearer_auth(&admin.token)).await;
    assert_eq!(changed.status(), StatusCode::OK);
    set_password(world, &code, "a new password").await.status()
}

#[tokio::test]
async fn a_code_is_worth_nothing_once_it_would_lead_above_its_maker() {
    let world = &World::shared().await;
    let (good, refused) = (StatusCode::OK, StatusCode::UNAUTHORIZED);
    for (maker, of_maker, change, expected) in [
        (Role::Teacher, false, json!({ "role": "admin" }), refused),
        (Role::Admin, false, json!({ "role": "teacher" }), refused),
        (Role::Teacher, true, json!({ "role": "learner" }), refused),
        (Role::Teacher, true, json!({ "suspended": true }), refused),
        (Role::Admin, true, json!({ "role": "teacher" }), good),
        (Role::Teacher, true, json!({ "suspended": false }), good),
    ] {
        let answer = reset_after(world, maker, of_maker, &change).await;
        assert_eq!(answer, expected, "{maker:?} {of_maker} {change}");
    }
}

#[tokio::test]
async fn a_new_password_voids_the_codes_that_were_made_for_the_former_one() {
    let world = &World::shared().await;
    let (admin, learner) = (
        world.sign_in_as(Role::Admin).await,
        world.sign_in_as(Role::Learner).await,
    );
    let code = reset_code(world, &admin, &learner).await;
    let change = json!({ "password": "my own choice", "current_password": PASSWORD });
    let changed = world.request(Method::PATCH, "/api/v1/me").json(&change);
    let changed = send(changed.bearer_auth(&learner.token)).await;
    assert_eq!(changed.status(), StatusCode::OK);
    let refused = set_password(world, &code, "another choice").await;
    problem(refused, 401, "unauthenticated").await;
}

#[tokio::test]
async fn a_sign_in_that_waited_while_the_password_changed_is_refused() {
    let world = &World::shared().await;
    let learner = world.sign_in_as(Role::Learner).await;
    // The change is under way, and what it wrote is not to be seen yet.
    let mut change = world.db.begin().await.expect("a transaction");
    sqlx::query("update gateway.account set password_hash = $2 where id = $1")
        .bind(learner.id.0)
        .bind("the hash of another password")
        .execute(&mut *change)
        .await
        .expect("an update");
    let ours: i32 = sqlx::query_scalar("select pg_backend_pid()")
        .fetch_one(&mut *change)
        .await
        .expect("a process");
    let change_ends = async {
        let waiting = "select count(*) from pg_stat_activity where $1 = any(pg_blocking_pids(pid))";
        while sqlx::query_scalar::<_, i64>(waiting)
            .bind(ours)
            .fetch_one(&world.db)
            .await
            .expect("a count")
            == 0
        {
            tokio::task::yield_now().await;
        }
        change.commit().await.expect("a commit");
    };
    let signing_in = world.log_in(&learner.email, PASSWORD);
    let (answer, ()) = tokio::join!(signing_in, change_ends);
    problem(answer, 401, "unauthenticated").await;
}

#[tokio::test]
async fn the_operator_makes_the_first_admin_once() {
    let world = World::start(&[]).await;
    let email = fresh_email();
    let first = gateway::setup(&world.db, Some(&email))
        .await
        .expect("it is set up");
    assert!(!first.key_made, "the gateway has made the key at its start");
    let code = first.code.expect("a code");
    let token = access_token(set_password(&world, &code, PASSWORD).await).await;
    let me = body(send(world.get("/api/v1/me").bearer_auth(&token)).await).await;
    assert_eq!(me["role"], "admin");
    let again = gateway::setup(&world.db, Some(&email))
        .await
        .expect("it may be done again");
    assert!(again.code.is_none());

    let minted = gateway::mint_access_token(&world.db, &gateway::Owner::Role(Role::Admin))
        .await
        .expect("a token");
    let request = world
        .request(Method::GET, "/api/v1/accounts")
        .bearer_auth(minted);
    assert_eq!(send(request).await.status(), StatusCode::OK);
}
