//! Nobody waits for ever: deadlines, lost jobs, and owners who call it off.

use std::time::Duration;

use contract::{EventBody, LAST_ATTEMPT, event::JudgingStarted};
use http::StatusCode;
use queue::KafkaConfig;
use serde_json::json;

use crate::support::{DEAD, Judge, Setup, event, learner, until, verdict};

const PATH: &str = "/api/v1/submissions";

/// Whoever may look again has looked again by then.
async fn stays_as_it_is(execute: &crate::support::Execute, id: contract::SubmissionId) {
    let before = execute.names(id).await;
    let other = execute.submit(&learner()).await;
    execute.until_over(other).await;
    assert_eq!(execute.names(id).await, before);
}

#[tokio::test]
async fn what_is_late_fails_exactly_once() {
    let setup = Setup::new().await.patient(|patience| {
        patience.submission_deadline = Duration::from_millis(500);
        patience.watch_interval = Duration::from_millis(50);
    });
    // Two replicas watch.
    let (execute, replica) = (setup.start().await, setup.start().await);
    let judge = Judge::start(&setup.kafka);
    let learner = learner();
    let mut ids = vec![];
    for partition in 0..8 {
        ids.push(execute.submit_to(&learner, partition).await);
    }
    for &id in &ids {
        assert_eq!(execute.until_over(id).await, ["accepted", "failed"]);
    }
    // A worker that wakes up too late changes nothing.
    judge.judge(0, ids[0]).await;
    stays_as_it_is(&execute, ids[0]).await;
    let log = execute.log(ids[0], 1).await;
    let EventBody::Failed(failed) = &log.events[1].body else {
        panic!("{log:?}")
    };
    assert_eq!(
        (failed.reason.as_str(), failed.retryable),
        ("deadline", true)
    );
    assert_eq!(log.events[1].key.attempt, LAST_ATTEMPT);
    let looked = execute
        .get(&learner, &format!("{PATH}/{}", ids[0]))
        .await
        .body;
    assert_eq!(
        (&looked["status"], &looked["failure_reason"]),
        (&json!("failed"), &json!("deadline"))
    );
    assert_eq!(looked["failure"]["reason"], "deadline");

    let database = setup.database().await;
    let ends: i64 =
        sqlx::query_scalar("SELECT count(*) FROM execute.event WHERE attempt = 2147483647")
            .fetch_one(&database)
            .await
            .expect("it answers");
    let over: i64 =
        sqlx::query_scalar("SELECT count(*) FROM execute.judgement WHERE terminal_at IS NOT NULL")
            .fetch_one(&database)
            .await
            .expect("it answers");
    assert_eq!(ends, over, "one end each");
    replica.stop().await;
    execute.stop().await;
}

#[tokio::test]
async fn a_review_that_is_late_is_skipped_and_the_verdict_stays() {
    let setup = Setup::new().await.patient(|patience| {
        patience.submission_deadline = Duration::from_secs(3);
        patience.watch_interval = Duration::from_millis(50);
    });
    let execute = setup.start().await;
    let judge = Judge::start(&setup.kafka);
    let learner = learner();
    let id = execute.submit(&learner).await;
    judge.judge(0, id).await;
    let names = execute.until_over(id).await;
    assert_eq!(
        names,
        ["accepted", "judging", "verdict", "review.skipped", "done"]
    );
    let looked = execute.get(&learner, &format!("{PATH}/{id}")).await.body;
    assert_eq!(
        (&looked["status"], &looked["verdict"]),
        (&json!("done"), &json!("WA"))
    );
    assert_eq!(looked["review"]["skipped"], "deadline");
    execute.stop().await;
}

#[tokio::test]
async fn a_run_has_a_deadline_of_its_own_and_is_forgotten() {
    let setup = Setup::new().await.patient(|patience| {
        patience.run_deadline = Duration::from_millis(200);
        patience.run_kept = Duration::from_millis(200);
        patience.watch_interval = Duration::from_millis(50);
    });
    let execute = setup.start().await;
    let learner = learner();
    let id = execute
        .post(
            &learner,
            "/api/v1/runs",
            &json!({"language": "python", "code": "x"}),
        )
        .await
        .id();
    let gone = async || {
        execute
            .get(&learner, &format!("/api/v1/runs/{id}"))
            .await
            .status
            == StatusCode::NOT_FOUND
    };
    until("the run is forgotten", gone).await;
    assert!(execute.names(id).await.is_empty());
    execute.stop().await;
}

#[tokio::test]
async fn a_run_is_not_forgotten_before_it_is_over() {
    let mut setup = Setup::new().await.patient(|patience| {
        patience.run_deadline = Duration::from_millis(100);
        patience.run_kept = Duration::from_millis(200);
        patience.watch_interval = Duration::from_millis(50);
    });
    // Its end cannot be said.
    let kafka = std::mem::replace(&mut setup.kafka, KafkaConfig::new(DEAD, ""));
    let execute = setup.start().await;
    let learner = learner();
    let body = json!({"language": "python", "code": "x"});
    let open = execute.post(&learner, "/api/v1/runs", &body).await.id();
    let over = execute.post(&learner, "/api/v1/runs", &body).await.id();
    sqlx::query(
        "UPDATE execute.judgement SET status = 'failed', terminal_at = now() WHERE submission = $1",
    )
    .bind(over.0)
    .execute(&setup.database().await)
    .await
    .expect("it answers");
    let status = async |id| {
        let path = format!("/api/v1/runs/{id}");
        execute.get(&learner, &path).await.status
    };
    until("the younger run is forgotten", async || {
        status(over).await == StatusCode::NOT_FOUND
    })
    .await;
    assert_eq!(status(open).await, StatusCode::OK);
    execute.stop().await;

    setup.kafka = kafka;
    setup.patience.run_kept = Duration::from_hours(1);
    let execute = setup.start().await;
    assert_eq!(execute.until_over(open).await, ["accepted", "failed"]);
    execute.stop().await;
}

#[tokio::test]
async fn its_owner_may_call_it_off() {
    let setup = Setup::new().await;
    let execute = setup.start().await;
    let judge = Judge::start(&setup.kafka);
    let learner = learner();
    let cancel = async |id| {
        execute
            .post(&learner, &format!("{PATH}/{id}/cancel"), &json!(null))
            .await
    };

    let waiting = execute.submit(&learner).await;
    let answer = cancel(waiting).await;
    assert_eq!(
        (answer.status, answer.body),
        (
            StatusCode::ACCEPTED,
            json!({"id": waiting, "status": "queued"})
        )
    );
    assert_eq!(execute.until_over(waiting).await, ["accepted", "failed"]);
    let log = execute.log(waiting, 1).await;
    let EventBody::Failed(failed) = &log.events[1].body else {
        panic!("{log:?}")
    };
    assert_eq!(
        (failed.reason.as_str(), failed.retryable),
        ("cancelled", false)
    );
    assert_eq!(
        cancel(waiting).await.status,
        StatusCode::ACCEPTED,
        "again, without effect"
    );

    let begun = execute.submit(&learner).await;
    let judging = EventBody::Judging(JudgingStarted {
        attempt: 1,
        tests: 2,
    });
    judge.say(0, &[event(begun, 1, 1, None, judging)]).await;
    until("it is being judged", async || {
        execute.names(begun).await.len() == 2
    })
    .await;
    cancel(begun).await;
    assert_eq!(
        execute.until_over(begun).await,
        ["accepted", "judging", "failed"]
    );

    let judged = execute.submit(&learner).await;
    judge.judge(0, judged).await;
    until("it is judged", async || {
        execute.names(judged).await.len() == 3
    })
    .await;
    cancel(judged).await;
    let names = execute.until_over(judged).await;
    assert_eq!(
        names,
        ["accepted", "judging", "verdict", "review.skipped", "done"]
    );
    execute.stop().await;
}

#[tokio::test]
async fn a_verdict_that_was_faster_than_the_end_wins() {
    let setup = Setup::new().await.patient(|patience| {
        patience.watch_interval = Duration::from_millis(50);
    });
    let execute = setup.start().await;
    let judge = Judge::start(&setup.kafka);
    let learner = learner();
    let id = execute.submit(&learner).await;
    // Marked as ended and said so, but the verdict lies before it in the partition.
    let database = setup.database().await;
    sqlx::query("UPDATE execute.judgement SET ending = 'cancelled', ending_sent_at = now() - interval '8 s'")
        .execute(&database)
        .await
        .expect("it answers");
    judge.judge(0, id).await;
    let failed = contract::event::Failed {
        reason: "cancelled".to_owned(),
        message: String::new(),
        retryable: false,
    };
    judge
        .say(
            0,
            &[event(id, LAST_ATTEMPT, 1, None, EventBody::Failed(failed))],
        )
        .await;
    let names = execute.until_over(id).await;
    assert_eq!(
        names,
        ["accepted", "judging", "verdict", "review.skipped", "done"]
    );
    execute.stop().await;
}

#[tokio::test]
async fn a_lost_job_is_sent_again_and_given_up_after_the_last_try() {
    let setup = Setup::new().await.patient(|patience| {
        patience.silence = Duration::from_secs(1);
        patience.tries = 2;
        patience.watch_interval = Duration::from_millis(200);
    });
    let execute = setup.start().await;
    let mut judge = Judge::start(&setup.kafka);
    let learner = learner();
    let id = execute.submit(&learner).await;
    let (first, delivery) = judge.job(id).await;
    let (second, again) = judge.job(id).await;
    assert_eq!(second, first, "the same job");
    assert_eq!(again.headers, delivery.headers);
    assert_eq!(execute.until_over(id).await, ["accepted", "failed"]);
    let log = execute.log(id, 1).await;
    let EventBody::Failed(failed) = &log.events[1].body else {
        panic!("{log:?}")
    };
    assert_eq!(failed.reason, "retries");
    assert!(!judge.has_job(id));
    assert!(
        execute
            .metrics()
            .await
            .contains("codementor_jobs_lost_total")
    );
    execute.stop().await;
}

#[tokio::test]
async fn a_job_that_only_waits_is_not_sent_again() {
    let setup = Setup::new().await.patient(|patience| {
        patience.silence = Duration::from_millis(300);
        patience.watch_interval = Duration::from_millis(100);
    });
    let execute = setup.start().await;
    let learner = learner();
    // Nobody takes jobs yet, for longer than two looks at Kafka take.
    let waiting = execute.submit(&learner).await;
    let database = setup.database().await;
    let long_silent = async || {
        sqlx::query_scalar("SELECT active_at < now() - interval '5 s' AND job_offset IS NOT NULL FROM execute.judgement")
            .fetch_one(&database)
            .await
            .expect("it answers")
    };
    until("nothing was heard for long", long_silent).await;
    let mut judge = Judge::start(&setup.kafka);
    let (job, _) = judge.job(waiting).await;
    let events = [
        event(
            waiting,
            1,
            1,
            None,
            EventBody::Judging(JudgingStarted {
                attempt: 1,
                tests: 0,
            }),
        ),
        event(waiting, 1, 2, None, verdict(contract::Verdict::Accepted)),
        event(
            waiting,
            1,
            3,
            None,
            EventBody::Done(contract::event::Done {}),
        ),
    ];
    judge.say(job.reply_partition, &events).await;
    execute.until_over(waiting).await;
    assert!(!judge.has_job(waiting), "it was sent once");
    execute.stop().await;
}
