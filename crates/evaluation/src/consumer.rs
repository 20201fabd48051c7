//! From deliveries to jobs: which topics are consumed in which role, and what cannot be read.
//!
//! Offsets, windows and what is set aside are the queue's; what becomes of a job is `judge`'s and `review`'s.

use std::sync::Arc;

use contract::{
    Topic,
    job::{JudgeJob, ReviewJob},
    topic::group,
};
use queue::{Consumer, Delivery, Done, KafkaConfig, QueueError, Stop, Window, windowed};
use serde::de::DeserializeOwned;
use service::{Ops, Shutdown, trace};
use tokio_util::task::TaskTracker;

use crate::{
    fleet::Lane,
    judge::{Errand, Judge},
    review::Reviews,
};

/// Bytes of jobs held at once, a window each.
const WINDOW_BYTES: usize = 64 << 20;

/// Takes jobs of one lane.
pub(crate) fn judge(
    config: &KafkaConfig,
    judge: &Arc<Judge>,
    lane: Lane,
    count: usize,
    stop: Stop,
) -> Result<Consumer, QueueError> {
    let (group, topic) = match lane {
        Lane::Learner => (group::JUDGE, Topic::Submissions),
        Lane::Bulk => (group::JUDGE_BULK, Topic::SubmissionsBulk),
    };
    let producer = judge.producer.clone();
    let judge = Arc::clone(judge);
    windowed::start(
        config,
        &producer,
        group,
        &[topic],
        window(count),
        stop,
        move |delivery| {
            let judge = Arc::clone(&judge);
            async move {
                let job = match decode::<JudgeJob>(&delivery, "judge-job") {
                    Ok(job) => job,
                    Err(dead) => return dead,
                };
                let tries = delivery.headers.attempt;
                let work = judge.handle(&job, Errand { lane, tries });
                trace::continued(
                    crate::NAME,
                    "judge",
                    delivery.headers.traceparent.as_deref(),
                    work,
                )
                .await
            }
        },
    )
}

/// Takes review jobs.
pub(crate) fn review(
    config: &KafkaConfig,
    reviews: &Arc<Reviews>,
    count: usize,
    stop: Stop,
) -> Result<Consumer, QueueError> {
    let producer = reviews.producer.clone();
    let reviews = Arc::clone(reviews);
    windowed::start(
        config,
        &producer,
        group::REVIEW,
        &[Topic::Reviews],
        window(count),
        stop,
        move |delivery| {
            let reviews = Arc::clone(&reviews);
            async move {
                let job = match decode::<ReviewJob>(&delivery, "review-job") {
                    Ok(job) => job,
                    Err(dead) => return dead,
                };
                let work = reviews.handle(&job, delivery.headers.accepted_at);
                trace::continued(
                    crate::NAME,
                    "review",
                    delivery.headers.traceparent.as_deref(),
                    work,
                )
                .await
            }
        },
    )
}

/// Ends consumers as soon as nothing is being worked on after the soft end: jobs that only wait have no reason to be waited for.
pub(crate) fn stop(shutdown: &Shutdown, working: &TaskTracker) -> Stop {
    let hard = shutdown.hard().child_token();
    let (soft, idle, working) = (shutdown.soft().clone(), hard.clone(), working.clone());
    shutdown.tracker().spawn(async move {
        soft.cancelled().await;
        working.close();
        tokio::select! {
            () = working.wait() => idle.cancel(),
            () = idle.cancelled() => {}
        }
    });
    Stop::new(shutdown.soft().clone(), hard, shutdown.grace())
}

/// Lets the probes know how a consumer is, and the end of the service wait for its end.
pub(crate) fn attend(consumer: Consumer, name: &'static str, ops: &Ops, shutdown: &Shutdown) {
    let heartbeat = consumer.heartbeat();
    ops.alive(name, move || heartbeat.is_alive());
    let part = ops.part(name);
    let ending = shutdown.clone();
    shutdown.tracker().spawn(async move {
        let ended = tokio::select! {
            ended = consumer.ended() => ended,
            Ok(()) = consumer.joined() => {
                part.ok();
                consumer.ended().await
            }
        };
        if let Err(error) = ended {
            tracing::error!(%error, "the {name} failed for good: ending");
            part.failing(error.to_string());
            ending.stop();
        }
    });
}

fn window(count: usize) -> Window {
    Window {
        count: count.max(1),
        bytes: WINDOW_BYTES,
    }
}

fn decode<T: DeserializeOwned>(delivery: &Delivery, kind: &str) -> Result<T, Done> {
    if delivery.headers.kind != kind {
        return Err(Done::dead(format!(
            "{:?} is no {kind}",
            delivery.headers.kind
        )));
    }
    serde_json::from_slice(&delivery.payload)
        .map_err(|error| Done::dead(format!("it is no {kind} that can be read: {error}")))
}
