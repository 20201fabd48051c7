//! The event log: exactly what the one fold shows, whatever comes and however often; and how it is read.

use contract::{
    EventBody, EventKey, Headers, LAST_ATTEMPT, Shown, Step, StreamEvent, SubmissionId, Topic,
    Verdict,
    event::{Done, Failed, JudgingStarted, ReviewSkipped, ReviewStarted, RunOutput},
    internal::LogRead,
    topic::group,
};
use proptest::{
    collection::vec,
    prelude::{Just, Strategy, any},
    prop_oneof,
    strategy::ValueTree,
    test_runner::TestRunner,
};
use queue::{Message, admin::Admin};
use serde_json::json;

use crate::support::{Execute, Judge, Setup, event, learner, until, verdict};

/// How many submissions are judged at once, over how many partitions.
const SUBMISSIONS: usize = 60;
const PARTITIONS: usize = 4;

/// Attempt, place in it, what it follows, what it is.
type Word = (u32, u32, Option<(u32, u32)>, u8);

/// Something that may be said of a submission: any attempt, any place in it, any body, whether it makes sense or not.
fn utterance() -> impl Strategy<Value = Word> {
    let attempt = prop_oneof![6 => 1..4u32, 1 => Just(LAST_ATTEMPT), 1 => Just(0)];
    let follows = proptest::option::weighted(0.3, (1..4u32, 1..4u32));
    (attempt, 1..4u32, follows, any::<u8>())
}

fn say(id: SubmissionId, (attempt, seq, follows, what): Word) -> StreamEvent {
    let follows = follows.map(|(attempt, seq)| EventKey {
        judgement: 1,
        attempt,
        seq,
    });
    let reason = "deadline".to_owned();
    let body = match what % 12 {
        0..4 => EventBody::Judging(JudgingStarted { attempt, tests: 1 }),
        4..6 => verdict(Verdict::Accepted),
        6..8 => EventBody::ReviewStarted(ReviewStarted {
            reviewer: "builtin".to_owned(),
            model: None,
        }),
        8 => EventBody::ReviewSkipped(ReviewSkipped { reason }),
        9 => EventBody::Done(Done {}),
        10 => EventBody::Failed(Failed {
            reason,
            message: String::new(),
            retryable: true,
        }),
        _ => EventBody::Output(RunOutput {
            index: None,
            verdict: None,
            // What a program wrote may hold anything that text can.
            stdout: "\0\u{1}\u{2028}\"\\ 가 \u{10ffff}".to_owned(),
            stderr: String::new(),
            result: None,
            time_ms: u64::from(what),
            memory_kib: 1,
            exit_code: Some(0),
            signal: None,
            limit: None,
        }),
    };
    event(id, attempt, seq, follows, body)
}

/// What a worker says when nothing goes wrong: otherwise most of what is arbitrary shows nothing.
fn straight(attempt: u32) -> Vec<Word> {
    let review = attempt + 1;
    vec![
        (attempt, 1, None, 0),
        (attempt, 2, None, 11),
        (attempt, 3, None, 4),
        (review, 1, Some((attempt, 3)), 6),
        (review, 2, None, 9),
    ]
}

async fn until_written(setup: &Setup) {
    let admin = Admin::new(&setup.kafka).expect("a client");
    until("all events are written", async || {
        let lag = admin
            .lag(group::LOG, contract::Topic::Events)
            .await
            .expect("kafka answers");
        lag.partitions
            .values()
            .all(|partition| partition.end == partition.committed.unwrap_or(0))
    })
    .await;
}

#[tokio::test]
async fn the_log_is_what_the_fold_shows() {
    let setup = Setup::new().await;
    let execute = setup.start().await;
    let judge = Judge::start(&setup.kafka);
    let mut random = TestRunner::default();
    let mut dice = TestRunner::default();
    let mut index = |below: usize| (0..below).new_tree(&mut dice).expect("a number").current();

    let mut partitions: Vec<Vec<StreamEvent>> = vec![vec![]; PARTITIONS];
    let mut ids = vec![];
    for number in 0..SUBMISSIONS {
        let partition = number % PARTITIONS;
        // Each its own: an account has only so many waiting.
        let learner = learner();
        let id = execute
            .submit_to(&learner, i32::try_from(partition).expect("few"))
            .await;
        ids.push((learner, id, partition));
        let mut said = vec(utterance(), 0..12)
            .new_tree(&mut random)
            .expect("words")
            .current();
        // Into the noise, in order, comes what a worker says; some of it twice.
        let mut place = 0;
        for word in straight(1 + u32::try_from(number % 3).expect("few")) {
            place += index(said.len() - place + 1);
            said.insert(place, word);
            place += 1;
            if index(4) == 0 {
                said.insert(place + index(said.len() - place + 1), word);
            }
        }
        // And the events of one submission come between those of others.
        let mut place = 0;
        for word in said {
            let line = &mut partitions[partition];
            place += index(line.len() - place + 1);
            line.insert(place, say(id, word));
            place += 1;
        }
    }
    for (partition, line) in partitions.iter().enumerate() {
        judge
            .say(i32::try_from(partition).expect("few"), line)
            .await;
    }
    until_written(&setup).await;

    let mut ended = 0;
    for (learner, id, partition) in ids {
        let log = execute.log(id, 1).await.events;
        let mut shown = Shown::default();
        let mut expected = vec![];
        for event in log.iter().take(1).chain(&partitions[partition]) {
            if event.submission == id && shown.step(event) == Step::Show {
                expected.push(event.clone());
            }
        }
        assert_eq!(log, expected);
        let terminal = log.iter().filter(|event| event.body.is_terminal()).count();
        assert_eq!(terminal, usize::from(shown.terminal));
        ended += terminal;
        looks_like(&execute, &learner, id, &log).await;
    }
    assert!(
        ended > SUBMISSIONS / 4,
        "the noise lets some through: {ended}"
    );
    execute.stop().await;
}

/// What lists show agrees with the log.
async fn looks_like(
    execute: &Execute,
    learner: &contract::Account,
    id: SubmissionId,
    log: &[StreamEvent],
) {
    let looked = execute
        .get(learner, &format!("/api/v1/submissions/{id}"))
        .await
        .body;
    let has = |name: &str| log.iter().any(|event| event.body.name() == name);
    let status = log.iter().rev().find_map(|event| match event.body {
        EventBody::Accepted(_) => Some("queued"),
        EventBody::Judging(_) => Some("judging"),
        EventBody::Verdict(_) => Some("judged"),
        EventBody::Done(_) => Some("done"),
        EventBody::Failed(_) => Some("failed"),
        _ => None,
    });
    assert_eq!(looked["status"].as_str(), status, "{log:?}");
    assert_eq!(looked["verdict"].is_string(), has("verdict"));
    assert_eq!(
        looked["finished_at"].is_string(),
        has("done") || has("failed")
    );
    assert_eq!(looked["failure_reason"].is_string(), has("failed"));
}

#[tokio::test]
async fn many_logs_are_read_at_once_from_anywhere() {
    let setup = Setup::new().await;
    let execute = setup.start().await;
    let judge = Judge::start(&setup.kafka);
    let learner = learner();
    let (one, other) = (
        execute.submit(&learner).await,
        execute.submit(&learner).await,
    );
    judge.judge(0, one).await;
    until("it is judged", async || execute.names(one).await.len() == 3).await;

    let key = |judgement, attempt, seq| {
        Some(EventKey {
            judgement,
            attempt,
            seq,
        })
    };
    let read = |submission, judgement, after| LogRead {
        submission,
        judgement,
        after,
    };
    let parts = execute
        .logs(vec![
            read(one, 1, key(1, 1, 1)),
            read(one, 1, key(1, 1, 2)),
            read(one, 1, key(1, 7, 7)),
            read(one, 1, key(2, 1, 1)),
            read(one, 2, None),
            read(other, 1, None),
            read(other, 1, Some(EventKey::ACCEPTED)),
            read(SubmissionId::new(), 1, None),
        ])
        .await;
    let names: Vec<Vec<&str>> = parts
        .iter()
        .map(|part| part.events.iter().map(|event| event.body.name()).collect())
        .collect();
    let all = vec!["accepted", "judging", "verdict"];
    let expected = [
        vec!["verdict"],
        vec![],
        all.clone(),
        all,
        vec![],
        vec!["accepted"],
        vec![],
        vec![],
    ];
    assert_eq!(names, expected);
    let positions: Vec<Option<u64>> = parts.iter().map(|part| part.position).collect();
    assert_eq!(
        positions,
        [None, None, None, None, None, Some(1), Some(1), None]
    );

    let last = execute.submit(&learner).await;
    assert_eq!(execute.log(last, 1).await.position, Some(2));
    assert!(execute.logs(vec![]).await.is_empty());
    execute.stop().await;
}

#[tokio::test]
async fn what_is_no_event_becomes_a_dead_letter_and_holds_nothing_up() {
    let setup = Setup::new().await;
    let execute = setup.start().await;
    let judge = Judge::start(&setup.kafka);
    let id = execute.submit(&learner()).await;
    judge
        .send_raw(0, id, b"\xff not an event".to_vec())
        .await
        .expect("kafka takes it");
    judge.judge(0, id).await;
    until("it is judged", async || execute.names(id).await.len() == 3).await;
    let admin = crate::support::account(contract::Role::Admin, "Admin");
    let letters = async || execute.get(&admin, "/api/v1/dead-letters").await.body["items"].clone();
    until("the dead letter is kept", async || {
        letters().await != json!([])
    })
    .await;
    let letter = &letters().await[0];
    assert_eq!(
        (&letter["kind"], &letter["origin"]),
        (&json!("stream-event"), &json!("codementor.events.v1"))
    );
    let whole = execute
        .get(
            &admin,
            &format!(
                "/api/v1/dead-letters/{}",
                letter["id"].as_str().unwrap_or_default()
            ),
        )
        .await;
    assert_eq!(whole.body["payload"], "\u{fffd} not an event");
    execute.stop().await;
}

#[tokio::test]
async fn what_postgres_cannot_hold_holds_nothing_up() {
    let setup = Setup::new().await;
    let execute = setup.start().await;
    let judge = Judge::start(&setup.kafka);
    let learner = learner();
    let (id, other) = (
        execute.submit(&learner).await,
        execute.submit(&learner).await,
    );
    let message = |key: &str, id: &str, kind: &str, payload: &[u8]| Message {
        topic: Topic::Events,
        key: key.to_owned(),
        partition: Some(0),
        headers: Headers::new(id, kind),
        payload: payload.to_vec(),
    };
    let unknown =
        format!(r#"{{"submission":"{id}","judgement":1,"attempt":1,"seq":1,"event":"\u0000"}}"#);
    // Random, so that it cannot be made shorter.
    let long: String = (0..200).map(|_| SubmissionId::new().to_string()).collect();
    for message in [
        message("a\0b", "1", "stream-event", b"x"),
        message("2", "i\0d", "stream\0event", b"x"),
        message("3", "3", "stream-event", unknown.as_bytes()),
        message("4", &long, "stream-event", b"x"),
    ] {
        judge.bury(message).await;
    }
    let reason = "a\0b".to_owned();
    let failed = EventBody::Failed(Failed {
        reason,
        message: String::new(),
        retryable: true,
    });
    judge.say(0, &[event(other, 1, 1, None, failed)]).await;
    judge.judge(0, id).await;
    until("it is judged", async || execute.names(id).await.len() == 3).await;
    let looked = execute
        .get(&learner, &format!("/api/v1/submissions/{other}"))
        .await;
    assert_eq!(looked.body["failure_reason"], "a\u{fffd}b");

    let admin = crate::support::account(contract::Role::Admin, "Admin");
    let letters = async || execute.get(&admin, "/api/v1/dead-letters").await.body["items"].clone();
    until("the dead letters are kept", async || {
        letters().await.as_array().map(Vec::len) == Some(4)
    })
    .await;
    let letters = letters().await.to_string();
    for part in ["stream\u{fffd}event", "unknown variant `\u{fffd}`"] {
        assert!(letters.contains(part), "{part}: {letters}");
    }
    execute.stop().await;
}
