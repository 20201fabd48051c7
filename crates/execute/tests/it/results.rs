//! One record a terminal event, for whoever comes later.

use std::{collections::BTreeMap, time::Duration};

use contract::{
    EventBody, Language, SubmissionId, Topic, Verdict,
    event::{Done, JudgingStarted, ReviewDone, ReviewStarted, RunOutput, Tokens},
    record::{Judged, ResultRecord, kind},
};
use queue::{Consumer, KafkaConfig, Producer, Stop, ordered};
use serde_json::json;
use tokio::sync::mpsc;

use crate::support::{Judge, Setup, event, learner, until, verdict};

/// Hears every record from the beginning.
fn listen(kafka: &KafkaConfig) -> (mpsc::UnboundedReceiver<ResultRecord>, Consumer) {
    let producer = Producer::start(kafka, "test-listener").expect("a producer");
    let (sender, heard) = mpsc::unbounded_channel();
    let consumer = ordered::start(
        kafka,
        &producer,
        "test-listener",
        &[Topic::Results],
        ordered::Batches::default(),
        Stop::manual(Duration::from_secs(1)),
        move |batch| {
            for delivery in batch.deliveries.iter() {
                assert_eq!(delivery.headers.kind, kind::RESULT);
                let record = serde_json::from_slice(&delivery.payload).expect("a record");
                drop(sender.send(record));
            }
            async { Ok::<(), String>(()) }
        },
    )
    .expect("a consumer");
    (heard, consumer)
}

/// One that takes 12 ms, and whose review takes 30 tokens; half of its words come twice.
async fn judge_whole(judge: &Judge, id: SubmissionId) {
    let begun = EventBody::Judging(JudgingStarted {
        attempt: 1,
        tests: 1,
    });
    let output = EventBody::Output(RunOutput {
        index: None,
        verdict: None,
        stdout: String::new(),
        stderr: String::new(),
        result: None,
        time_ms: 12,
        memory_kib: 1,
        exit_code: Some(0),
        signal: None,
        limit: None,
    });
    let right = event(id, 1, 3, None, verdict(Verdict::Accepted));
    let review = EventBody::ReviewStarted(ReviewStarted {
        reviewer: "openai".to_owned(),
        model: None,
    });
    let reviewed = EventBody::ReviewDone(ReviewDone {
        summary: String::new(),
        complexity: None,
        next_step: None,
        findings: 0,
        tokens: Some(Tokens {
            prompt: 20,
            completion: 10,
        }),
    });
    let first = [
        event(id, 1, 1, None, begun),
        event(id, 1, 2, None, output),
        right.clone(),
    ];
    let second = [
        event(id, 2, 1, Some(right.key), review),
        event(id, 2, 2, None, reviewed),
        event(id, 2, 3, None, EventBody::Done(Done {})),
    ];
    // In several batches, so that what was loaded counts as well.
    judge.say(0, &first).await;
    judge.say(0, &first).await;
    judge.say(0, &second).await;
    judge.say(0, &second).await;
}

#[tokio::test]
async fn each_end_is_recorded_once() {
    let setup = Setup::new().await;
    let execute = setup.start().await;
    let judge = Judge::start(&setup.kafka);
    let (mut heard, _consumer) = listen(&setup.kafka);
    let learner = learner();

    let judged = execute.submit_to(&learner, 0).await;
    judge_whole(&judge, judged).await;
    execute.until_over(judged).await;
    let cancelled = execute.submit(&learner).await;
    let path = format!("/api/v1/submissions/{cancelled}/cancel");
    execute.post(&learner, &path, &json!({})).await;
    execute.until_over(cancelled).await;

    let mut records = BTreeMap::new();
    until("both are recorded", async || {
        while let Ok(record) = heard.try_recv() {
            let twice = records.insert(record.submission, record);
            assert_eq!(twice, None);
        }
        records.len() == 2
    })
    .await;
    let record = &records[&judged];
    assert_eq!((record.judgement, record.kind), (1, Judged::Submission));
    assert_eq!(
        (record.account, record.language),
        (learner.id, Language::Python)
    );
    assert!(record.question.is_some() && record.version.is_some() && record.applied);
    assert_eq!(record.verdict, Some(Verdict::Accepted));
    assert_eq!((record.score, record.max_score), (Some(50.0), Some(100.0)));
    assert_eq!((record.machine_ms, record.tokens), (12, 30));
    let record = &records[&cancelled];
    assert_eq!(record.verdict, None);
    assert_eq!(record.failure.as_deref(), Some("cancelled"));
    execute.stop().await;
}
