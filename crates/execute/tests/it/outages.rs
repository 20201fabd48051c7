//! Kafka, Postgres, question or runners are away.

use std::time::Duration;

use contract::{Role, Verdict};
use devkit::Cable;
use http::{Method, StatusCode};
use queue::KafkaConfig;
use serde_json::json;

use crate::support::{DEAD, Judge, Setup, account, learner, submission, until};

const PATH: &str = "/api/v1/submissions";

#[tokio::test]
async fn accepts_without_kafka_and_sends_the_job_when_it_is_back() {
    let mut setup = Setup::new().await;
    let kafka = setup.kafka.clone();
    setup.kafka = KafkaConfig::new(DEAD, "");
    let execute = setup.start().await;
    let learner = learner();
    let id = execute.submit(&learner).await;
    assert_eq!(execute.names(id).await, ["accepted"]);
    execute.stop().await;

    setup.kafka = kafka;
    let execute = setup.start().await;
    let mut judge = Judge::start(&setup.kafka);
    let (job, _) = judge.job(id).await;
    judge.judge(job.reply_partition, id).await;
    let has_verdict = async || execute.names(id).await.last() == Some(&"verdict");
    until("the verdict is in the log", has_verdict).await;
    let looked = execute.get(&learner, &format!("{PATH}/{id}")).await;
    assert_eq!(looked.body["verdict"], json!(Verdict::WrongAnswer));
    execute.stop().await;
}

#[tokio::test]
async fn takes_nothing_more_when_too_much_waits_for_kafka() {
    let setup = Setup::without_kafka()
        .await
        .patient(|patience| patience.outbox_rows = 2);
    let execute = setup.start().await;
    let learner = learner();
    let headers = [("idempotency-key", "the-first-of-all")];
    let body = submission();
    let first = execute
        .ask(Some(&learner), Method::POST, PATH, &headers, Some(&body))
        .await
        .id();
    let refused = async || {
        let answer = execute.post(&learner, PATH, &body).await;
        let full = answer.status == StatusCode::SERVICE_UNAVAILABLE;
        assert!(
            !full || answer.problem().1 == "overloaded" && !answer.header("retry-after").is_empty(),
            "{answer:?}"
        );
        full
    };
    until("the outbox is full", refused).await;
    let again = execute
        .ask(Some(&learner), Method::POST, PATH, &headers, Some(&body))
        .await
        .id();
    assert_eq!(again, first, "a repeat is answered all the same");
    assert!(execute.metrics().await.contains("codementor_outbox_rows"));
    execute.stop().await;
}

#[tokio::test]
async fn what_kafka_does_not_take_holds_up_nothing_else() {
    let setup = Setup::new().await.patient(|patience| {
        patience.watch_interval = Duration::from_millis(50);
        patience.outbox_age = Duration::from_hours(24);
    });
    let database = setup.database().await;
    // More than a sweep takes, and for long; the partition is not there.
    sqlx::query(
        r#"
        INSERT INTO execute.outbox (topic, key, partition, headers, payload, created_at)
        SELECT 'codementor.events.v1', 'stuck', 1000, '{"id": "stuck", "type": "stream-event", "attempt": 1}', '',
               now() - interval '1 h'
        FROM generate_series(1, 501)
        "#,
    )
    .execute(&database)
    .await
    .expect("it answers");
    let execute = setup.start().await;
    let id = execute.submit(&learner()).await;
    // As if it had been said that it is late, and nobody had heard of it.
    sqlx::query("UPDATE execute.judgement SET ending = 'deadline', ending_sent_at = now() - interval '1 min'")
        .execute(&database)
        .await
        .expect("it answers");
    assert_eq!(execute.until_over(id).await, ["accepted", "failed"]);
    execute.stop().await;
}

#[tokio::test]
async fn does_not_wait_for_kafka_to_take_one_message_before_it_sends_another() {
    let setup = Setup::without_kafka().await;
    let database = setup.database().await;
    let execute = setup.start().await;
    let learner = learner();
    for expected in 1..=2 {
        execute.submit(&learner).await;
        let put_off = async || {
            let count =
                "SELECT count(*) FROM execute.outbox WHERE due_at > now() + interval '10 s'";
            let counted = sqlx::query_scalar::<_, i64>(count).fetch_one(&database);
            counted.await.expect("it answers") == expected
        };
        until("it is put off", put_off).await;
    }
    execute.stop().await;
}

#[tokio::test]
async fn says_when_the_question_service_is_away() {
    let mut setup = Setup::without_kafka().await;
    setup.question_url = format!("http://{DEAD}");
    let execute = setup.start().await;
    let learner = learner();
    let answer = execute.post(&learner, PATH, &submission()).await;
    assert_eq!(answer.problem(), (503, "unavailable", ""));
    assert!(!answer.header("retry-after").is_empty());
    assert_eq!(
        execute.get(&learner, PATH).await.body,
        json!({"items": [], "next_cursor": null})
    );
    let run = json!({"language": "python", "code": "print(1)"});
    execute.post(&learner, "/api/v1/runs", &run).await.id();
    execute.stop().await;
}

#[tokio::test]
async fn accepts_while_no_runner_has_ever_answered() {
    let mut setup = Setup::without_kafka().await;
    setup.runner_url = format!("http://{DEAD}");
    let execute = setup.start().await;
    let learner = learner();
    execute.submit(&learner).await;
    let mut body = submission();
    body["language"] = json!("kotlin");
    let answer = execute.post(&learner, PATH, &body).await;
    assert_eq!(
        answer.problem(),
        (422, "invalid-request", "/language"),
        "the question alone decides"
    );
    let answer = execute
        .ask(None, Method::GET, "/api/v1/languages", &[], None)
        .await;
    assert_eq!(answer.problem(), (503, "unavailable", ""));
    execute.stop().await;
}

#[tokio::test]
async fn says_when_postgres_is_away_and_goes_on_when_it_is_back() {
    let mut setup = Setup::without_kafka().await;
    let cable = Cable::into_url(&mut setup.database_url)
        .await
        .expect("a way");
    let execute = setup.start().await;
    let learner = learner();
    let headers = [("idempotency-key", "sent-until-answered")];
    let body = submission();
    let post = || execute.ask(Some(&learner), Method::POST, PATH, &headers, Some(&body));
    cable.cut();
    let answer = post().await;
    assert_eq!(answer.problem(), (503, "unavailable", ""));
    assert!(!answer.header("retry-after").is_empty());
    cable.mend();
    let accepted = async || post().await.status == StatusCode::ACCEPTED;
    until("it accepts again", accepted).await;
    let listed = execute.get(&learner, PATH).await;
    assert_eq!(
        listed.body["items"].as_array().map(Vec::len),
        Some(1),
        "nothing half done"
    );
    execute.stop().await;
}

#[tokio::test]
async fn ends_when_one_of_its_consumers_has_failed_for_good() {
    let mut setup = Setup::new().await;
    setup.kafka.kafka_instance = Some("execute-0".to_owned());
    let execute = setup.start().await;
    let judge = Judge::start(&setup.kafka);
    let id = execute.submit(&learner()).await;
    judge
        .send_raw(0, id, b"no event".to_vec())
        .await
        .expect("kafka takes it");
    let admin = account(Role::Admin, "Admin");
    let letters = async || execute.get(&admin, "/api/v1/dead-letters").await.body["items"].clone();
    until("both consumers are at work", async || {
        letters().await != json!([])
    })
    .await;

    // Of two instances of one name Kafka lets the newer one go on.
    let newer = setup.start().await;
    let ended = execute.ended().await;
    assert!(matches!(ended, Err(execute::Error::Kafka(_))), "{ended:?}");
    newer.stop().await;
}

#[tokio::test]
async fn goes_on_when_connections_to_postgres_fall_silent_in_the_middle_of_a_batch() {
    let mut setup = Setup::new().await;
    setup.database_patience = Duration::from_secs(2);
    let beside = setup.database().await;
    let cable = Cable::into_url(&mut setup.database_url)
        .await
        .expect("a way");
    let execute = setup.start().await;
    let judge = Judge::start(&setup.kafka);
    let id = execute.submit(&learner()).await;
    let is = async |condition: &'static str| {
        let asked = sqlx::query_scalar::<_, bool>(condition).fetch_one(&beside);
        asked.await.expect("it answers")
    };
    let sent = "SELECT job_offset IS NOT NULL FROM execute.judgement";
    until("its job is with Kafka", async || is(sent).await).await;

    let mut held = beside.begin().await.expect("it answers");
    sqlx::query("SELECT FROM execute.judgement FOR UPDATE")
        .execute(&mut *held)
        .await
        .expect("it answers");
    judge.judge(0, id).await;
    let writing = "SELECT EXISTS (SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock')";
    until("the batch waits", async || is(writing).await).await;
    cable.fall_silent();
    held.rollback().await.expect("it answers");
    until("it is not ready", async || !execute.is_ready().await).await;

    cable.mend();
    let judged = "SELECT status = 'judged' FROM execute.judgement";
    until("the verdict is in the log", async || is(judged).await).await;
    until("it is ready again", async || execute.is_ready().await).await;
    execute.stop().await;
}
