//! In which order a judging's end and its review job are stored, on a real Kafka.

use contract::event::Done;
use queue::{
    KafkaConfig,
    admin::{Admin, Profile, create_topics},
};

use super::*;

/// Events cannot be written to it: the topic has not so many partitions.
const NOWHERE: i32 = 1_000;

fn job() -> ReviewJob {
    let golden = include_str!("../../../contract/golden/jobs/review.json");
    serde_json::from_str(golden).expect("a golden file")
}

async fn count(admin: &Admin, topic: Topic) -> i64 {
    let ends = admin.end_offsets(topic).await.expect("kafka answers");
    ends.values().sum()
}

#[tokio::test]
async fn there_is_no_review_job_before_the_verdict_is_stored() {
    let stack = devkit::Stack::for_tests().expect("the environment is readable");
    let brokers = stack.brokers().await.expect("kafka runs");
    let kafka = KafkaConfig::new(brokers, stack.topic_prefix());
    create_topics(&kafka, Profile::Test)
        .await
        .expect("kafka runs");
    let (admin, job) = (Admin::new(&kafka).expect("an admin"), job());
    let producer = Producer::start(&kafka, "test").expect("a producer");
    let mut to = Addressee {
        submission: job.submission,
        judgement: job.judgement,
        reply_partition: NOWHERE,
        accepted_at: None,
        traceparent: Traceparent::current(),
    };
    let last = StreamEvent {
        submission: job.submission,
        key: job.follows,
        follows: None,
        body: EventBody::Done(Done {}),
    };
    let events = [last];
    let announced = announce_once(&producer, &to, &events, Some(&job)).await;
    assert!(
        matches!(announced, Err(ProduceError::Failed(_))),
        "{announced:?}"
    );
    assert!(producer.flush(Duration::from_mins(1)).await);
    assert_eq!(count(&admin, Topic::Reviews).await, 0);

    to.reply_partition = 0;
    announce(&producer, &to, &events, Some(&job)).await;
    assert_eq!(count(&admin, Topic::Events).await, 1);
    assert_eq!(count(&admin, Topic::Reviews).await, 1);
}
