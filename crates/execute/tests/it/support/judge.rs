//! The judge, as execute sees it: takes jobs in evaluation's group, says events to reply partitions.

use std::time::Duration;

use contract::{
    EventBody, EventKey, Headers, StreamEvent, SubmissionId, Topic, Verdict,
    event::{FinalVerdict, JudgingStarted},
    job::JudgeJob,
    topic::group,
};
use queue::{Consumer, Delivery, KafkaConfig, Message, Producer, Stop, ordered};
use tokio::sync::mpsc;

/// A judge that finishes each job at once and says only what the test wants.
pub(crate) struct Judge {
    jobs: mpsc::UnboundedReceiver<Delivery>,
    producer: Producer,
    _consumer: Consumer,
}

impl Judge {
    pub(crate) fn start(kafka: &KafkaConfig) -> Self {
        let producer = Producer::start(kafka, "test-judge").expect("a producer");
        let (sender, jobs) = mpsc::unbounded_channel();
        let consumer = ordered::start(
            kafka,
            &producer,
            group::JUDGE,
            &[Topic::Submissions],
            ordered::Batches::default(),
            Stop::manual(Duration::from_secs(1)),
            move |batch| {
                for delivery in batch.deliveries.iter() {
                    drop(sender.send(delivery.clone()));
                }
                async { Ok::<(), String>(()) }
            },
        )
        .expect("a consumer");
        Self {
            jobs,
            producer,
            _consumer: consumer,
        }
    }

    /// The next job of this submission; others are let go by.
    pub(crate) async fn job(&mut self, id: SubmissionId) -> (JudgeJob, Delivery) {
        let next = async {
            loop {
                let delivery = self.jobs.recv().await.expect("the judge runs");
                let job: JudgeJob = serde_json::from_slice(&delivery.payload).expect("a job");
                if job.submission == id {
                    return (job, delivery);
                }
            }
        };
        tokio::time::timeout(super::LONG, next)
            .await
            .expect("the job comes")
    }

    /// Whether a job of this submission has come that nobody has taken.
    pub(crate) fn has_job(&mut self, id: SubmissionId) -> bool {
        let mut found = false;
        while let Ok(delivery) = self.jobs.try_recv() {
            found |= delivery.key == id.to_string();
        }
        found
    }

    /// Says events, in order.
    pub(crate) async fn say(&self, partition: i32, events: &[StreamEvent]) {
        let mut receipts = vec![];
        for event in events {
            let payload = serde_json::to_vec(event).expect("an event is JSON");
            receipts.push(self.send_raw(partition, event.submission, payload));
        }
        for receipt in receipts {
            receipt.await.expect("kafka takes it");
        }
    }

    /// Says something that is perhaps no event.
    pub(crate) fn send_raw(
        &self,
        partition: i32,
        id: SubmissionId,
        payload: Vec<u8>,
    ) -> queue::Receipt {
        let message = Message {
            topic: Topic::Events,
            key: id.to_string(),
            partition: Some(partition),
            headers: Headers::new(format!("{id}/test"), "stream-event"),
            payload,
        };
        self.producer.send_now(message).expect("there is room")
    }

    /// Puts something among the dead letters.
    pub(crate) async fn bury(&self, message: Message) {
        self.producer.send(message).await.expect("kafka takes it");
    }

    /// Begins, judges and says the verdict, as attempt 1.
    pub(crate) async fn judge(&self, partition: i32, id: SubmissionId) {
        let events = [
            event(
                id,
                1,
                1,
                None,
                EventBody::Judging(JudgingStarted {
                    attempt: 1,
                    tests: 2,
                }),
            ),
            event(id, 1, 2, None, verdict(Verdict::WrongAnswer)),
        ];
        self.say(partition, &events).await;
    }
}

/// An event of the first judgement.
pub(crate) fn event(
    submission: SubmissionId,
    attempt: u32,
    seq: u32,
    follows: Option<EventKey>,
    body: EventBody,
) -> StreamEvent {
    StreamEvent {
        submission,
        key: EventKey {
            judgement: 1,
            attempt,
            seq,
        },
        follows,
        body,
    }
}

pub(crate) fn verdict(verdict: Verdict) -> EventBody {
    EventBody::Verdict(FinalVerdict {
        verdict,
        score: 50.0,
        max_score: 100.0,
        passed: 1,
        total: 2,
        time_ms: 31,
        memory_kib: 9_216,
        groups: None,
    })
}
