//! What may wait: an account's bound, the line's, and the intake that an admin closes.

use contract::Role;
use http::Method;
use serde_json::json;

use crate::support::{Setup, account, learner, submission, until};

const PATH: &str = "/api/v1/submissions";

#[tokio::test]
async fn one_account_has_so_many_waiting_and_no_more() {
    let setup = Setup::without_kafka()
        .await
        .patient(|patience| patience.waiting_per_account = 3);
    let execute = setup.start().await;
    let (greedy, other) = (learner(), learner());
    let all = futures::future::join_all((0..8).map(|_| async {
        let body = submission();
        execute.post(&greedy, PATH, &body).await
    }))
    .await;
    let accepted: Vec<_> = all
        .iter()
        .filter(|answer| answer.status.as_u16() == 202)
        .collect();
    assert_eq!(accepted.len(), 3, "{all:?}");
    for refused in all.iter().filter(|answer| answer.status.as_u16() != 202) {
        assert_eq!(refused.problem(), (429, "rate-limited", ""));
        let seconds: u64 = refused.header("retry-after").parse().expect("a number");
        assert!((1..=300).contains(&seconds), "{seconds}");
    }
    // Runs count like submissions; another account has places of its own.
    let run = json!({"language": "python", "code": "print(1)\n", "stdin": ""});
    let refused = execute.post(&greedy, "/api/v1/runs", &run).await;
    assert_eq!(refused.problem().0, 429);
    execute.submit(&other).await;
    execute.stop().await;
}

#[tokio::test]
async fn a_repeat_is_answered_though_nothing_more_may_wait() {
    let setup = Setup::without_kafka()
        .await
        .patient(|patience| patience.waiting_per_account = 1);
    let execute = setup.start().await;
    let learner = learner();
    let headers = [("idempotency-key", "the-same-key")];
    let send = async || {
        let body = submission();
        execute
            .ask(Some(&learner), Method::POST, PATH, &headers, Some(&body))
            .await
    };
    let first = send().await.id();
    assert_eq!(send().await.id(), first);
    assert_eq!(
        execute
            .post(&learner, PATH, &submission())
            .await
            .problem()
            .0,
        429
    );
    execute.stop().await;
}

#[tokio::test]
async fn nothing_more_is_accepted_when_the_line_is_too_long() {
    let setup = Setup::without_kafka().await.patient(|patience| {
        patience.waiting_per_account = 0;
        patience.waiting_most = 2;
    });
    let execute = setup.start().await;
    execute.submit(&learner()).await;
    execute.submit(&learner()).await;
    // What waits is measured now and then.
    let mut answer = None;
    until("the line is measured", async || {
        let got = execute.post(&learner(), PATH, &submission()).await;
        let refused = got.status.as_u16() != 202;
        answer = Some(got);
        refused
    })
    .await;
    let answer = answer.expect("one was refused");
    assert_eq!(answer.problem(), (503, "overloaded", ""));
    assert!(answer.header("retry-after").parse::<u64>().is_ok());
    execute.stop().await;
}

#[tokio::test]
async fn an_admin_closes_the_intake_and_opens_it_again() {
    let setup = Setup::without_kafka().await;
    let execute = setup.start().await;
    let (admin, learner) = (account(Role::Admin, "Lee"), learner());
    let before = execute.submit(&learner).await;
    let put = async |who, body: serde_json::Value| {
        execute
            .ask(Some(who), Method::PUT, "/api/v1/intake", &[], Some(&body))
            .await
    };
    let closed = json!({"open": false, "message": "back at noon"});
    assert_eq!(put(&learner, closed.clone()).await.problem().0, 403);
    let shown = put(&admin, closed).await;
    assert_eq!(shown.status.as_u16(), 200, "{shown:?}");
    assert_eq!(shown.body["open"], json!(false));

    let refused = execute.post(&learner, PATH, &submission()).await;
    assert_eq!(refused.problem(), (503, "overloaded", ""));
    assert_eq!(refused.body["detail"], json!("back at noon"));
    assert!(!refused.header("retry-after").is_empty());
    // What was accepted is still there and goes on.
    let path = format!("{PATH}/{before}");
    assert_eq!(execute.get(&learner, &path).await.body["status"], "queued");
    let unknown = put(&admin, json!({"open": true, "colour": 1})).await;
    assert!(unknown.status.is_client_error());

    put(&admin, json!({"open": true})).await;
    execute.submit(&learner).await;
    let shown = execute.get(&admin, "/api/v1/intake").await;
    assert_eq!(shown.body["changed_by"], json!("Lee"));
    assert_eq!(shown.body["waiting"], json!(2));
    execute.stop().await;
}
