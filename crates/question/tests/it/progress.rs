//! `my_status` follows the results of submissions, and tells no more than the question's teacher wants told.

use std::time::Duration;

use contract::{
    AccountId, Headers, Language, QuestionId, SubmissionId, Topic, Verdict,
    record::{Judged, ResultRecord, kind},
};
use queue::{KafkaConfig, Message, Producer, admin};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::server::{Person, Server, sum};

/// Longer than anything here takes.
const LONG: Duration = Duration::from_mins(2);

/// A server that hears of results, and the one who tells them.
async fn hearing() -> (Server, Producer, KafkaConfig) {
    let stack = devkit::Stack::for_tests().expect("the environment is readable");
    let brokers = stack.brokers().await.expect("kafka runs");
    let kafka = KafkaConfig::new(brokers, stack.topic_prefix());
    admin::create_topics(&kafka, admin::Profile::Dev)
        .await
        .expect("the topics are made");
    let database = stack.fresh_database().await.expect("postgres runs");
    let server = Server::start_with(database, kafka.clone()).await;
    let producer = Producer::start(&kafka, "test").expect("a producer");
    (server, producer, kafka)
}

fn result(account: AccountId, question: QuestionId, verdict: Option<Verdict>) -> ResultRecord {
    ResultRecord {
        submission: SubmissionId::new(),
        judgement: 1,
        kind: Judged::Submission,
        account,
        question: Some(question),
        version: Some(1),
        language: Language::Python,
        verdict,
        score: None,
        max_score: None,
        failure: None,
        applied: true,
        batch: None,
        machine_ms: 1,
        tokens: 0,
        accepted_at: OffsetDateTime::UNIX_EPOCH,
    }
}

async fn say(producer: &Producer, result: &ResultRecord) {
    send(producer, serde_json::to_vec(result).expect("it is JSON")).await;
}

/// All in one partition, so that each is heard after those before it.
async fn send(producer: &Producer, payload: Vec<u8>) {
    let message = Message {
        topic: Topic::Results,
        key: "one".to_owned(),
        partition: Some(0),
        headers: Headers::new("a result", kind::RESULT),
        payload,
    };
    producer.send(message).await.expect("kafka takes it");
}

async fn status(person: &Person, question: &QuestionId) -> Value {
    let page = person.get("/questions").await.json();
    let items = page["items"].as_array().expect("items");
    let id = question.to_string();
    let item = items.iter().find(|item| item["id"] == id.as_str());
    item.expect("it is listed")["my_status"].clone()
}

async fn until_status(person: &Person, question: &QuestionId, wanted: &str) {
    let polling = async {
        while status(person, question).await != wanted {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let in_time = tokio::time::timeout(LONG, polling).await;
    assert!(in_time.is_ok(), "it never became {wanted}");
}

/// Makes and publishes it.
async fn published(teacher: &Person, document: &Value) -> QuestionId {
    let path = teacher.make(document).await;
    teacher.publish(&path).await;
    let id = teacher.get(&path).await.json()["id"].clone();
    serde_json::from_value(id).expect("an id")
}

#[tokio::test]
async fn my_status_follows_results() {
    let (server, producer, _) = hearing().await;
    let (teacher, learner) = (server.teacher(), server.learner());
    let account = learner.account.id;
    let first = published(&teacher, &sum("first")).await;
    let second = published(&teacher, &sum("second")).await;

    // None of these counts: no verdict, not applied, a run, a question that is gone, and nothing that can be read.
    say(&producer, &result(account, first, None)).await;
    let right = result(account, first, Some(Verdict::Accepted));
    let proposed = ResultRecord {
        applied: false,
        ..right.clone()
    };
    let run = ResultRecord {
        kind: Judged::Run,
        ..right.clone()
    };
    let gone = result(account, QuestionId::new(), Some(Verdict::Accepted));
    for record in [&proposed, &run, &gone] {
        say(&producer, record).await;
    }
    send(&producer, b"no result".to_vec()).await;
    say(
        &producer,
        &result(account, second, Some(Verdict::WrongAnswer)),
    )
    .await;
    until_status(&learner, &second, "attempted").await;
    assert_eq!(status(&learner, &first).await, "none");

    say(&producer, &right).await;
    until_status(&learner, &first, "solved").await;
    // What is solved stays solved, and comes twice at times.
    say(
        &producer,
        &result(account, first, Some(Verdict::WrongAnswer)),
    )
    .await;
    say(&producer, &right).await;
    say(&producer, &result(account, second, Some(Verdict::Accepted))).await;
    until_status(&learner, &second, "solved").await;
    assert_eq!(status(&learner, &first).await, "solved");
    assert_eq!(status(&server.learner(), &first).await, "none");
}

#[tokio::test]
async fn a_muted_question_is_not_told_to_be_solved() {
    let (server, producer, _) = hearing().await;
    let (teacher, learner) = (server.teacher(), server.learner());
    let mut document = sum("muted");
    document["feedback"] = json!("none");
    let question = published(&teacher, &document).await;
    for account in [&learner, &teacher] {
        let right = result(account.account.id, question, Some(Verdict::Accepted));
        say(&producer, &right).await;
    }
    until_status(&teacher, &question, "solved").await;
    assert_eq!(status(&learner, &question).await, "attempted");
    for (asked, found) in [("solved", 0), ("attempted", 1), ("none", 0)] {
        let page = learner.get(&format!("/questions?status={asked}")).await;
        let items = page.json()["items"].as_array().map(Vec::len);
        assert_eq!(
            items,
            Some(found),
            "to be found by it would tell it: {asked}"
        );
    }

    let path = format!("/questions/{question}");
    let tag = teacher.get(&path).await.headers["etag"].clone();
    let tag = tag.to_str().expect("a tag");
    teacher
        .patch(&path, tag, &json!({"feedback": "full"}))
        .await;
    assert_eq!(
        status(&learner, &question).await,
        "attempted",
        "a draft says nothing yet"
    );
    teacher.publish(&path).await;
    assert_eq!(status(&learner, &question).await, "solved");
}
