//! What an admin does with accounts, what owners do with their own, and that nobody else can.

use contract::{AccountId, Role};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    Person, World, access_token, body, fresh_email, problem, refresh_cookie, send,
};

fn patch(world: &World, who: &Person, whom: AccountId, change: &Value) -> RequestBuilder {
    let path = format!("/api/v1/accounts/{whom}");
    world
        .request(Method::PATCH, &path)
        .bearer_auth(&who.token)
        .json(change)
}

#[tokio::test]
async fn only_admins_manage_accounts() {
    let world = &World::shared().await;
    let target = world.sign_in_as(Role::Learner).await;
    for role in [Role::Learner, Role::Teacher] {
        let who = world.sign_in_as(role).await;
        let list = world.get("/api/v1/accounts").bearer_auth(&who.token);
        let import = world
            .post("/api/v1/accounts/import")
            .bearer_auth(&who.token);
        for request in [
            list,
            import,
            patch(world, &who, target.id, &json!({ "role": "admin" })),
        ] {
            problem(send(request).await, 403, "forbidden").await;
        }
        problem(
            send(patch(world, &who, who.id, &json!({ "role": "admin" }))).await,
            403,
            "forbidden",
        )
        .await;
    }
}

#[tokio::test]
async fn a_role_counts_from_the_next_request_on() {
    let world = &World::shared().await;
    let (admin, person) = (
        world.sign_in_as(Role::Admin).await,
        world.sign_in_as(Role::Learner).await,
    );
    let list = || world.get("/api/v1/accounts").bearer_auth(&person.token);
    assert_eq!(send(list()).await.status(), StatusCode::FORBIDDEN);
    let changed =
        body(send(patch(world, &admin, person.id, &json!({ "role": "admin" }))).await).await;
    assert_eq!(changed["role"], "admin");
    assert_eq!(send(list()).await.status(), StatusCode::OK);
    send(patch(
        world,
        &admin,
        person.id,
        &json!({ "role": "teacher" }),
    ))
    .await;
    assert_eq!(send(list()).await.status(), StatusCode::FORBIDDEN);
    let roles: Vec<Value> = sqlx::query_scalar("select detail from gateway.audit where action = 'role.changed' and account = $1 order by id")
        .bind(person.id.0)
        .fetch_all(&world.db)
        .await
        .expect("entries");
    assert_eq!(
        roles,
        [
            json!({ "from": "learner", "to": "admin" }),
            json!({ "from": "admin", "to": "teacher" })
        ]
    );
}

#[tokio::test]
async fn a_suspended_account_is_refused_at_its_next_request() {
    let world = &World::shared().await;
    let (admin, person) = (
        world.sign_in_as(Role::Admin).await,
        world.sign_in_as(Role::Learner).await,
    );
    let made = send(
        world
            .post("/api/v1/tokens")
            .bearer_auth(&person.token)
            .json(&json!({ "name": "ci" })),
    )
    .await;
    let pat = body(made).await["token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let me = |token: &str| send(world.get("/api/v1/me").bearer_auth(token));
    assert_eq!(
        (me(&person.token).await.status(), me(&pat).await.status()),
        (StatusCode::OK, StatusCode::OK)
    );

    let suspended = body(
        send(patch(
            world,
            &admin,
            person.id,
            &json!({ "suspended": true }),
        ))
        .await,
    )
    .await;
    assert_eq!(suspended["suspended"], true);
    for token in [&person.token, &pat] {
        problem(me(token).await, 401, "unauthenticated").await;
    }
    problem(
        world.log_in(&person.email, crate::support::PASSWORD).await,
        401,
        "unauthenticated",
    )
    .await;
    let refresh = world
        .post("/api/v1/auth/refresh")
        .header("cookie", format!("codementor_refresh={}", person.refresh));
    problem(send(refresh).await, 401, "unauthenticated").await;

    send(patch(
        world,
        &admin,
        person.id,
        &json!({ "suspended": false }),
    ))
    .await;
    assert_eq!(
        world
            .log_in(&person.email, crate::support::PASSWORD)
            .await
            .status(),
        StatusCode::OK
    );
    assert_eq!(
        me(&pat).await.status(),
        StatusCode::OK,
        "tokens come back with their account"
    );
    problem(me(&person.token).await, 401, "unauthenticated").await;
}

#[tokio::test]
async fn a_suspension_elsewhere_is_seen_within_a_second() {
    let world = &World::shared().await;
    let person = world.sign_in_as(Role::Learner).await;
    let me = || send(world.get("/api/v1/me").bearer_auth(&person.token));
    assert_eq!(me().await.status(), StatusCode::OK);
    sqlx::query("update gateway.account set suspended_at = now() where id = $1")
        .bind(person.id.0)
        .execute(&world.db)
        .await
        .expect("an update");
    let begun = std::time::Instant::now();
    while me().await.status() != StatusCode::UNAUTHORIZED {
        assert!(begun.elapsed().as_millis() < 1_500, "it still may");
    }
}

#[tokio::test]
async fn the_last_admin_stays() {
    let world = World::start(&[]).await;
    let (one, other) = (
        world.sign_in_as(Role::Admin).await,
        world.sign_in_as(Role::Admin).await,
    );
    let (first, second) = tokio::join!(
        send(patch(&world, &one, other.id, &json!({ "role": "learner" }))),
        send(patch(&world, &other, one.id, &json!({ "suspended": true }))),
    );
    let done = [&first, &second]
        .iter()
        .filter(|answer| answer.status() == StatusCode::OK)
        .count();
    assert_eq!(done, 1, "{first:?} {second:?}");
    let admins: i64 = sqlx::query_scalar(
        "select count(*) from gateway.account where role = 'admin' and suspended_at is null",
    )
    .fetch_one(&world.db)
    .await
    .expect("a count");
    assert_eq!(admins, 1);
}

#[tokio::test]
async fn accounts_are_found_page_by_page() {
    let world = &World::shared().await;
    let admin = world.sign_in_as(Role::Admin).await;
    let mark = Uuid::now_v7().simple().to_string();
    let csv: Vec<_> = (0..5)
        .map(|n| format!("{n}-{mark}@list.example,Name {n}\n"))
        .collect();
    let csv = csv.concat();
    let import = world
        .post("/api/v1/accounts/import")
        .bearer_auth(&admin.token)
        .header("content-type", "text/csv; charset=utf-8");
    assert_eq!(
        send(import.body(format!("email,name\n{csv}")))
            .await
            .status(),
        StatusCode::OK
    );
    let page = |query: String| {
        let path = format!("/api/v1/accounts?query={}&{query}", mark.to_uppercase());
        let request = world.get(&path).bearer_auth(&admin.token);
        async move { body(send(request).await).await }
    };
    let mut seen = Vec::new();
    let mut query = "limit=2".to_owned();
    loop {
        let page = page(query).await;
        for item in page["items"].as_array().expect("items") {
            seen.push(item["name"].as_str().expect("a name").to_owned());
        }
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        query = format!("limit=2&cursor={cursor}");
    }
    assert_eq!(seen, ["Name 0", "Name 1", "Name 2", "Name 3", "Name 4"]);
    assert_eq!(page("role=teacher".to_owned()).await["items"], json!([]));
    assert_eq!(
        page("suspended=false".to_owned()).await["items"]
            .as_array()
            .map(Vec::len),
        Some(5)
    );
    for bad in [
        "cursor=x",
        "role=king",
        "unknown=1",
        "query=%00",
        "limit=0",
        "limit=101",
    ] {
        let request = world
            .get(&format!("/api/v1/accounts?{bad}"))
            .bearer_auth(&admin.token);
        let answer = send(request).await;
        let status = answer.status().as_u16();
        assert!([400, 422].contains(&status), "{bad}: {status}");
        problem(answer, status, "invalid-request").await;
    }
}

#[tokio::test]
async fn a_list_is_imported_whole_or_not_at_all() {
    let world = &World::shared().await;
    let admin = world.sign_in_as(Role::Admin).await;
    let (one, other) = (fresh_email(), fresh_email());
    let import = |csv: String, kind: &str| {
        let request = world
            .post("/api/v1/accounts/import")
            .bearer_auth(&admin.token)
            .header("content-type", kind);
        send(request.body(csv))
    };
    let bad = import(
        format!("email,name,role\n{one},One,\nrubbish,Two,king\n"),
        "text/csv",
    )
    .await;
    let bad = problem(bad, 422, "invalid-request").await;
    assert_eq!(bad["errors"][0]["pointer"], "/1/email");
    problem(
        import("{}".to_owned(), "application/json").await,
        415,
        "unsupported-media-type",
    )
    .await;

    for nameless in ["", "{}", "email,role\n"] {
        let answer = import(nameless.to_owned(), "text/csv").await;
        problem(answer, 422, "invalid-request").await;
    }

    let list = format!("email,name,role,locale\n{one},One,,ko\n{other},Two,teacher,\n");
    let imported = body(import(list.clone(), "text/csv").await).await;
    let created = imported["created"].as_array().expect("accounts");
    assert_eq!(created.len(), 2);
    let code = created[1]["code"].as_str().expect("a code");
    let reset = json!({ "code": code, "password": "a password of my own" });
    let answer = send(world.post("/api/v1/auth/reset").json(&reset)).await;
    assert!(refresh_cookie(&answer).is_some());
    let me = body(
        send(
            world
                .get("/api/v1/me")
                .bearer_auth(access_token(answer).await),
        )
        .await,
    )
    .await;
    assert_eq!(
        (&me["email"], &me["role"], &me["locale"]),
        (&json!(other), &json!("teacher"), &json!("en"))
    );

    let again = body(import(list, "text/csv").await).await;
    assert_eq!(again, json!({ "created": [], "existing": [one, other] }));
}

#[tokio::test]
async fn owners_change_their_name_and_language() {
    let world = &World::shared().await;
    let person = world.sign_in_as(Role::Learner).await;
    let change = |change: Value| {
        send(
            world
                .request(Method::PATCH, "/api/v1/me")
                .bearer_auth(&person.token)
                .json(&change),
        )
    };
    let changed = body(change(json!({ "name": "이름", "locale": "ko" })).await).await;
    assert_eq!(
        (&changed["name"], &changed["locale"]),
        (&json!("이름"), &json!("ko"))
    );
    let me = body(send(world.get("/api/v1/me").bearer_auth(&person.token)).await).await;
    assert_eq!(me, changed);
    problem(
        change(json!({ "role": "admin" })).await,
        422,
        "invalid-request",
    )
    .await;
    problem(change(json!({ "name": "" })).await, 422, "invalid-request").await;
}

#[tokio::test]
async fn the_audit_log_is_only_ever_added_to() {
    let world = &World::shared().await;
    world.sign_in_as(Role::Learner).await;
    for statement in [
        "update gateway.audit set action = 'x'",
        "delete from gateway.audit",
    ] {
        let refused = sqlx::query(statement)
            .execute(&world.db)
            .await
            .expect_err("it is refused");
        assert!(
            refused.to_string().contains("only ever added to"),
            "{refused}"
        );
    }
}
