//! Figures of submissions: counted truly, grouped as asked, told only to those whom they concern.

use contract::{Account, Role, SubmissionId};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{Execute, Setup, account, learner};

/// Makes a submission of another day, with an outcome.
async fn become_of(
    pool: &PgPool,
    id: SubmissionId,
    at: &str,
    (status, verdict): (&str, Option<&str>),
) {
    sqlx::query("UPDATE execute.submission SET accepted_at = $2::text::timestamptz WHERE id = $1")
        .bind(id.0)
        .bind(at)
        .execute(pool)
        .await
        .expect("the submission is there");
    sqlx::query(
        "UPDATE execute.judgement SET status = $2, verdict = $3, machine_ms = CASE WHEN $2 = 'queued' THEN 0 ELSE 120 END,
                tokens = CASE WHEN $3 = 'AC' THEN 7 ELSE 0 END, terminal_at = CASE WHEN $2 IN ('done', 'failed') THEN now() END
         WHERE submission = $1",
    )
    .bind(id.0)
    .bind(status)
    .bind(verdict)
    .execute(pool)
    .await
    .expect("its judgement is there");
}

/// Two learners' four submissions over three days, and a run.
async fn history(setup: &Setup, execute: &Execute) -> [Account; 2] {
    let pool = setup.database().await;
    let people = [account(Role::Learner, "=Kim, \"A\""), learner()];
    let run = json!({"language": "python", "code": "x"});
    execute.post(&people[0], "/api/v1/runs", &run).await.id();
    let mut ids = vec![];
    for person in [0, 0, 1, 1] {
        ids.push(execute.submit(&people[person]).await);
    }
    // Only now: while something waits for months, nothing more is accepted.
    let outcomes = [
        ("2026-03-01T00:00:00Z", ("done", Some("AC"))),
        ("2026-03-01T23:59:59Z", ("done", Some("WA"))),
        ("2026-03-02T00:00:00Z", ("failed", None)),
        ("2026-03-03T12:00:00Z", ("queued", None)),
    ];
    for (id, (at, outcome)) in ids.into_iter().zip(outcomes) {
        become_of(&pool, id, at, outcome).await;
    }
    pool.close().await;
    people
}

/// Key, name, submissions, accounts, judged, accepted, failed, machine time, tokens.
fn rows(body: &Value) -> Vec<Value> {
    let names = [
        "key",
        "name",
        "submissions",
        "accounts",
        "judged",
        "accepted",
        "failed",
        "machine_ms",
        "tokens",
    ];
    let items = body["items"].as_array().expect("items");
    items
        .iter()
        .map(|item| names.iter().map(|name| item[name].clone()).collect())
        .collect()
}

#[tokio::test]
async fn counts_each_submission_once_by_whatever_is_asked_for() {
    let setup = Setup::without_kafka().await;
    let execute = setup.start().await;
    let [first, second] = history(&setup, &execute).await;
    let admin = account(Role::Admin, "Admin");
    let get = async |query: &str| {
        let answer = execute.get(&admin, &format!("/api/v1/usage?{query}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{query}: {answer:?}");
        rows(&answer.body)
    };

    let days = [
        json!(["2026-03-01", null, 2, 1, 2, 1, 0, 240, 7]),
        json!(["2026-03-02", null, 1, 1, 0, 0, 1, 120, 0]),
        json!(["2026-03-03", null, 1, 1, 0, 0, 0, 0, 0]),
    ];
    assert_eq!(get("by=day").await, days);
    assert_eq!(get("").await, days);
    assert_eq!(get("from=2026-03-02").await, days[1..]);
    assert_eq!(get("to=2026-03-02").await, days[..2]);
    assert_eq!(get("from=2026-03-02&to=2026-03-02").await, days[1..2]);
    assert_eq!(get("from=2026-03-04").await, [Value::Null; 0]);
    let question = setup.neighbours.question();
    assert_eq!(
        get("by=question").await,
        [json!([question, "a-plus-b", 4, 2, 2, 1, 1, 360, 7])]
    );
    assert_eq!(
        get("by=language").await,
        [json!(["python", null, 4, 2, 2, 1, 1, 360, 7])]
    );
    assert_eq!(
        get("by=verdict").await,
        [
            json!(["AC", null, 1, 1, 1, 1, 0, 120, 7]),
            json!(["WA", null, 1, 1, 1, 0, 0, 120, 0]),
            json!(["failed", null, 1, 1, 0, 0, 1, 120, 0]),
            json!(["open", null, 1, 1, 0, 0, 0, 0, 0]),
        ]
    );
    let mut accounts = [
        json!([first.id, first.name, 2, 1, 2, 1, 0, 240, 7]),
        json!([second.id, second.name, 2, 1, 0, 0, 1, 120, 0]),
    ];
    accounts.sort_by_key(|row| row[0].to_string());
    assert_eq!(get("by=account").await, accounts);
    execute.stop().await;
}

#[tokio::test]
async fn is_a_table_for_those_who_want_one() {
    let setup = Setup::without_kafka().await;
    let execute = setup.start().await;
    let [first, _] = history(&setup, &execute).await;
    let admin = account(Role::Admin, "Admin");
    let token = execute.gateway.for_account("execute", &admin);
    let answer = reqwest::Client::builder()
        .no_proxy()
        .build()
        .expect("a client")
        .get(format!(
            "{}/api/v1/usage?by=account&to=2026-03-01",
            execute.url
        ))
        .bearer_auth(token.expect("a token"))
        .header("accept", "text/csv")
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(
        answer.headers()["content-type"],
        "text/csv; charset=utf-8; header=present"
    );
    assert_eq!(
        answer.text().await.expect("text"),
        format!(
            "key,name,submissions,accounts,judged,accepted,failed,machine_ms,tokens\r\n{},\"'=Kim, \"\"A\"\"\",2,1,2,1,0,240,7\r\n",
            first.id
        )
    );
    execute.stop().await;
}

#[tokio::test]
async fn teachers_see_figures_of_their_own_questions_and_learners_none() {
    let setup = Setup::without_kafka().await;
    let execute = setup.start().await;
    let [person, _] = history(&setup, &execute).await;
    let its_teacher = Account {
        id: setup.neighbours.teacher(),
        ..account(Role::Teacher, "Teacher")
    };
    let former = Account {
        role: Role::Learner,
        ..its_teacher.clone()
    };
    let other = account(Role::Teacher, "Other");
    for by in ["day", "question", "language", "verdict", "account"] {
        let path = format!("/api/v1/usage?by={by}");
        let all = execute.get(&account(Role::Admin, "Admin"), &path).await;
        assert_eq!(all.body["by"], by);
        assert_eq!(execute.get(&its_teacher, &path).await.body, all.body);
        let nothing = execute.get(&other, &path).await;
        assert_eq!(nothing.body, json!({"by": by, "items": []}));
        for learner in [&person, &former] {
            let refused = execute.get(learner, &path).await;
            assert_eq!(refused.problem(), (403, "forbidden", ""), "{by}");
        }
    }
    let nobody = execute
        .ask(None, Method::GET, "/api/v1/usage", &[], None)
        .await;
    assert_eq!(nobody.problem(), (403, "forbidden", ""));
    let unknown = execute
        .ask_with("not-a-token", Method::GET, "/api/v1/usage", &[], None)
        .await;
    assert_eq!(unknown.problem(), (401, "unauthenticated", ""));
    execute.stop().await;
}

#[tokio::test]
async fn refuses_days_and_groups_that_make_no_sense() {
    let setup = Setup::without_kafka().await;
    let execute = setup.start().await;
    let admin = account(Role::Admin, "Admin");
    for (query, pointer) in [
        ("from=yesterday", "/from"),
        ("from=", "/from"),
        ("from=2026-02-30", "/from"),
        ("to=2026-3-1", "/to"),
        ("to=9999999999", "/to"),
        ("from=2026-03-02&to=2026-03-01", "/to"),
    ] {
        let answer = execute.get(&admin, &format!("/api/v1/usage?{query}")).await;
        assert_eq!(
            answer.problem(),
            (422, "invalid-request", pointer),
            "{query}"
        );
    }
    for query in ["by=week", "by=day&by=day", "since=2026-03-01"] {
        let answer = execute.get(&admin, &format!("/api/v1/usage?{query}")).await;
        let (status, word, _) = answer.problem();
        assert!((400..=422).contains(&status), "{query}: {answer:?}");
        assert_eq!(word, "invalid-request", "{query}");
    }
    let far = execute
        .get(&admin, "/api/v1/usage?from=0001-01-01&to=9999-12-31")
        .await;
    assert_eq!(far.body["items"], json!([]));
    execute.stop().await;
}
