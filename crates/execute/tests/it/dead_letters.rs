//! Dead letters: kept once, listed, shown, sent again, thrown away.

use std::time::Duration;

use contract::{EventBody, EventKey, Headers, Role, StreamEvent, Topic, event::JudgingStarted};
use http::{Method, StatusCode};
use queue::Message;
use serde_json::{Value, json};

use crate::support::{Execute, Judge, Setup, account, learner, until};

const PATH: &str = "/api/v1/dead-letters";

async fn letters(execute: &Execute, count: usize) -> Vec<Value> {
    let admin = account(Role::Admin, "Admin");
    let list = async || {
        execute.get(&admin, PATH).await.body["items"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    };
    until("the dead letters are kept", async || {
        list().await.len() == count
    })
    .await;
    list().await
}

fn path(letter: &Value) -> String {
    format!("{PATH}/{}", letter["id"].as_str().expect("an id"))
}

#[tokio::test]
async fn what_failed_by_our_fault_can_be_judged_anew() {
    let setup = Setup::new().await.patient(|patience| {
        patience.submission_deadline = Duration::from_secs(2);
        patience.watch_interval = Duration::from_millis(50);
    });
    let execute = setup.start().await;
    let mut judge = Judge::start(&setup.kafka);
    let (learner, admin) = (learner(), account(Role::Admin, "Admin"));
    let id = execute.submit(&learner).await;
    judge.job(id).await;
    execute.until_over(id).await;
    let letters = letters(&execute, 1).await;
    assert_eq!(letters[0]["kind"], "judge-job");
    assert_eq!(
        (&letters[0]["reason"], &letters[0]["submission"]),
        (&json!("deadline"), &json!(id))
    );

    let replayed = execute
        .post(
            &admin,
            &format!("{}/replay", path(&letters[0])),
            &json!(null),
        )
        .await;
    assert_eq!(replayed.status, StatusCode::NO_CONTENT, "{replayed:?}");
    let (job, _) = judge.job(id).await;
    assert_eq!(job.judgement, 2);
    let begun = StreamEvent {
        submission: id,
        key: EventKey {
            judgement: 2,
            attempt: 4,
            seq: 1,
        },
        follows: None,
        body: EventBody::Judging(JudgingStarted {
            attempt: 4,
            tests: 2,
        }),
    };
    judge.say(job.reply_partition, &[begun]).await;
    until("the new log begins", async || {
        !execute.log(id, 2).await.events.is_empty()
    })
    .await;
    let info = execute
        .get(&learner, &format!("/internal/streams/{id}"))
        .await
        .body;
    assert_eq!(
        (&info["judgement"], &info["reply_partition"]),
        (&json!(2), &json!(job.reply_partition))
    );
    let old = execute
        .get(&learner, &format!("/internal/streams/{id}?judgement=1"))
        .await
        .body;
    assert_eq!(
        (&old["judgement"], &old["terminal"]),
        (&json!(1), &json!(true))
    );
    let looked = execute
        .get(&learner, &format!("/api/v1/submissions/{id}"))
        .await
        .body;
    assert_eq!(looked["judgements"].as_array().map(Vec::len), Some(2));

    let again = execute
        .post(
            &admin,
            &format!("{}/replay", path(&letters[0])),
            &json!(null),
        )
        .await;
    assert_eq!(again.problem().0, 404, "somebody has dealt with it");
    execute.stop().await;
}

#[tokio::test]
async fn a_letter_goes_back_to_where_it_came_from_or_away() {
    let setup = Setup::new().await;
    let execute = setup.start().await;
    let mut judge = Judge::start(&setup.kafka);
    let admin = account(Role::Admin, "Admin");
    let id = execute.submit(&learner()).await;
    let (_, delivery) = judge.job(id).await;
    let bury = async |origin: Option<&str>| {
        let headers = Headers {
            origin: origin.map(str::to_owned),
            reason: Some("the window is stuck".to_owned()),
            attempt: 4,
            ..delivery.headers.clone()
        };
        let message = Message {
            topic: Topic::DeadLetters,
            key: delivery.key.clone(),
            partition: None,
            headers,
            payload: delivery.payload.to_vec(),
        };
        judge.bury(message).await;
    };
    bury(Some("codementor.submissions.v1")).await;
    // Nobody waits for a job that nobody can do: it ends long before it would count as lost.
    assert_eq!(execute.until_over(id).await, ["accepted", "failed"]);
    let sent = letters(&execute, 1).await;
    let whole = execute.get(&admin, &path(&sent[0])).await.body;
    assert_eq!(
        (&whole["attempt"], &whole["reason"]),
        (&json!(4), &json!("the window is stuck"))
    );
    let payload: Value =
        serde_json::from_str(whole["payload"].as_str().unwrap_or_default()).expect("the job");
    assert_eq!(payload["submission"], json!(id));

    bury(None).await;
    let both = letters(&execute, 2).await;
    let (homeless, sent) = (&both[0], &both[1]);
    let replay = async |letter: &Value| {
        execute
            .post(&admin, &format!("{}/replay", path(letter)), &json!(null))
            .await
    };
    assert_eq!(replay(sent).await.status, StatusCode::NO_CONTENT);
    // It is being judged anew: the other letter about it makes no sense any more.
    assert_eq!(replay(homeless).await.problem().0, 409);
    judge.job(id).await;
    let discarded = execute
        .ask(Some(&admin), Method::DELETE, &path(homeless), &[], None)
        .await;
    assert_eq!(discarded.status, StatusCode::NO_CONTENT);
    letters(&execute, 0).await;
    execute.stop().await;
}
