//! A database, topics and keys of a test's own; evaluation started on them; and what it says, as a reader of its topics sees it.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use clap::Parser as _;
use contract::{
    EventBody, EventKey, Headers, Language, Shown, Step, StreamEvent, SubmissionId, Topic,
    event::Accepted,
    job::{JudgeJob, ReviewJob, Task},
};
use evaluation::EvaluationError;
use queue::{
    Consumer, Delivery, KafkaConfig, Message, Producer, Stop,
    admin::{Admin, Profile, create_topics},
    ordered,
};
use service::{
    Listeners, Shutdown, database,
    token::{TrustedKeys, Verifier, make_keys},
};
use sqlx::PgPool;
use tempfile::TempDir;
use time::OffsetDateTime;
use tokio::{task::JoinHandle, time::Instant};

/// No condition of these tests takes as long, even on a busy machine.
const LIMIT: Duration = Duration::from_mins(2);

#[derive(clap::Parser)]
struct Cli {
    #[command(flatten)]
    config: evaluation::Config,
}

pub(crate) struct World {
    pub(crate) pool: PgPool,
    pub(crate) admin: Admin,
    url: String,
    kafka: KafkaConfig,
    producer: Producer,
    keys: TempDir,
    seen: Arc<Mutex<HashMap<Topic, Vec<Delivery>>>>,
    _readers: Vec<Consumer>,
}

/// Evaluation at work.
pub(crate) struct Evaluation {
    pub(crate) shutdown: Shutdown,
    task: JoinHandle<Result<(), EvaluationError>>,
}

impl Evaluation {
    /// Ends it softly and waits for it.
    pub(crate) async fn stop(self) {
        self.shutdown.stop();
        let ended = tokio::time::timeout(LIMIT, self.task).await;
        ended
            .expect("it ends")
            .expect("it does not panic")
            .expect("it ends well");
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        let stack = devkit::Stack::for_tests().expect("the environment is readable");
        let url = stack.fresh_database().await.expect("a database");
        let config = service::config::DatabaseConfig {
            database_pool: 4,
            ..service::config::DatabaseConfig::new(&url)
        };
        let pool = database::connect(&config, "evaluation")
            .await
            .expect("postgres runs");
        database::migrate(&pool, &evaluation::MIGRATOR, "evaluation")
            .await
            .expect("the migrations run");
        let kafka = KafkaConfig::new(
            stack.brokers().await.expect("kafka runs"),
            stack.topic_prefix(),
        );
        create_topics(&kafka, Profile::Dev)
            .await
            .expect("kafka runs");
        let keys = tempfile::tempdir().expect("a temporary folder");
        make_keys(keys.path(), &["evaluation", "question", "runner"]).expect("keys are made");

        let producer = Producer::start(&kafka, "test").expect("a producer");
        let seen = Arc::<Mutex<HashMap<Topic, Vec<Delivery>>>>::default();
        let topics = [
            Topic::Events,
            Topic::Reviews,
            Topic::Retry,
            Topic::DeadLetters,
        ];
        let write = seen.clone();
        let reader = ordered::start(
            &kafka,
            &producer,
            "test-reader",
            &topics,
            queue::Batches::default(),
            Stop::manual(Duration::ZERO),
            move |batch: ordered::Batch| {
                write
                    .lock()
                    .expect("no test panicked")
                    .entry(batch.topic)
                    .or_default()
                    .extend(batch.deliveries.iter().cloned());
                async { Ok::<_, std::convert::Infallible>(()) }
            },
        );
        Self {
            admin: Admin::new(&kafka).expect("an admin"),
            pool,
            url,
            kafka,
            producer,
            keys,
            seen,
            _readers: vec![reader.expect("a reader")],
        }
    }

    /// Starts evaluation with these flags beside the usual ones.
    pub(crate) async fn start(&self, flags: &[&str]) -> Evaluation {
        let shutdown = Shutdown::manual().with_grace(Duration::from_secs(5));
        self.start_with(shutdown, flags).await
    }

    pub(crate) async fn start_with(&self, shutdown: Shutdown, flags: &[&str]) -> Evaluation {
        let key = self.keys.path().join("evaluation.pem");
        let trusted = self.keys.path().join("trusted.json");
        let usual = [
            "evaluation".to_owned(),
            format!("--database-url={}", self.url),
            "--database-pool=8".to_owned(),
            format!("--kafka-brokers={}", self.kafka.kafka_brokers),
            format!("--topic-prefix={}", self.kafka.topic_prefix),
            format!("--service-key={}", key.display()),
            format!("--trusted-keys={}", trusted.display()),
            "--question-url=http://question.test".to_owned(),
        ];
        let flags = flags.iter().map(|&flag| flag.to_owned());
        let config = Cli::parse_from(usual.into_iter().chain(flags)).config;
        let listeners = Listeners::ephemeral().await.expect("free ports");
        let task = tokio::spawn(evaluation::run(config, listeners, shutdown.clone()));
        Evaluation { shutdown, task }
    }

    pub(crate) async fn send_judge(&self, job: &JudgeJob) {
        self.send_tried(job, 1).await;
    }

    /// As if it had come around so often.
    pub(crate) async fn send_tried(&self, job: &JudgeJob, attempt: u32) {
        let message = judge_message(Topic::Submissions, job);
        let headers = Headers {
            attempt,
            ..message.headers
        };
        self.send(Message { headers, ..message }).await;
    }

    pub(crate) async fn send_bulk(&self, job: &JudgeJob) {
        self.send(judge_message(Topic::SubmissionsBulk, job)).await;
    }

    pub(crate) async fn send_review(&self, job: &ReviewJob) {
        self.send(Message {
            topic: Topic::Reviews,
            key: job.submission.to_string(),
            partition: None,
            headers: Headers::new(format!("{}/1/review", job.submission), "review-job"),
            payload: serde_json::to_vec(job).expect("it is JSON"),
        })
        .await;
    }

    pub(crate) async fn send(&self, message: Message) {
        self.producer.send(message).await.expect("kafka runs");
    }

    /// What has come to a topic so far about a submission.
    pub(crate) fn deliveries(&self, topic: Topic, submission: SubmissionId) -> Vec<Delivery> {
        let key = submission.to_string();
        self.seen
            .lock()
            .expect("no test panicked")
            .get(&topic)
            .map(|all| all.iter().filter(|one| one.key == key).cloned().collect())
            .unwrap_or_default()
    }

    /// The events of a submission so far, in the order of its reply partition.
    pub(crate) fn events(&self, submission: SubmissionId) -> Vec<StreamEvent> {
        self.deliveries(Topic::Events, submission)
            .iter()
            .map(|delivery| serde_json::from_slice(&delivery.payload).expect("an event"))
            .collect()
    }

    /// Its events once one of that name has come, so many times.
    pub(crate) async fn events_until(
        &self,
        submission: SubmissionId,
        name: &str,
        times: usize,
    ) -> Vec<StreamEvent> {
        self.until(&format!("{name}, {times} times"), async || {
            let events = self.events(submission);
            let found = events.iter().filter(|event| event.body.name() == name);
            (found.count() >= times).then_some(events)
        })
        .await
    }

    /// Everything that a learner is shown, once the stream has ended.
    pub(crate) async fn shown(&self, submission: SubmissionId) -> Vec<StreamEvent> {
        self.until("the end of the stream", async || {
            let shown = fold(&self.events(submission));
            let ended = shown.last().is_some_and(|event| event.body.is_terminal());
            ended.then_some(shown)
        })
        .await
    }

    /// What has come to a topic, once there are so many.
    pub(crate) async fn deliveries_until(
        &self,
        topic: Topic,
        submission: SubmissionId,
        count: usize,
    ) -> Vec<Delivery> {
        self.until(topic.name(), async || {
            let deliveries = self.deliveries(topic, submission);
            (deliveries.len() >= count).then_some(deliveries)
        })
        .await
    }

    /// Waits until there is something.
    pub(crate) async fn until<T>(&self, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
        let end = Instant::now() + LIMIT;
        loop {
            if let Some(found) = look().await {
                return found;
            }
            assert!(Instant::now() < end, "waited in vain for {what}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// What the claim of a job says: attempt, whether it is done.
    pub(crate) async fn claim(&self, submission: SubmissionId, stage: &str) -> Option<(i32, bool)> {
        sqlx::query_as(
            "SELECT attempt, done_at IS NOT NULL FROM evaluation.job WHERE submission = $1 AND stage = $2",
        )
        .bind(submission.0)
        .bind(stage)
        .fetch_optional(&self.pool)
        .await
        .expect("postgres runs")
    }

    /// Another worker holds the next attempt, for so many seconds.
    pub(crate) async fn steal(&self, submission: SubmissionId, stage: &str, seconds: f64) {
        let stolen = sqlx::query(
            r"
            INSERT INTO evaluation.job AS job (submission, judgement, stage, kind, attempt, lease_until)
            VALUES ($1, 1, $2, 'submission', 1, now() + make_interval(secs => $3))
            ON CONFLICT (submission, judgement, stage)
            DO UPDATE SET attempt = job.attempt + 1, lease_until = excluded.lease_until
            ",
        )
        .bind(submission.0)
        .bind(stage)
        .bind(seconds)
        .execute(&self.pool)
        .await
        .expect("postgres runs");
        assert_eq!(stolen.rows_affected(), 1);
    }

    /// Checks tokens as the service of that name would.
    pub(crate) fn verifier(&self, service: &str) -> Verifier {
        let keys = TrustedKeys::load(&self.keys.path().join("trusted.json"));
        Verifier::new(service, keys.expect("keys were made"))
    }
}

fn judge_message(topic: Topic, job: &JudgeJob) -> Message {
    Message {
        topic,
        key: job.submission.to_string(),
        partition: None,
        headers: Headers {
            reply_partition: Some(job.reply_partition),
            deadline: Some(job.deadline),
            accepted_at: Some(job.accepted_at),
            traceparent: Some(TRACEPARENT.to_owned()),
            ..Headers::new(job.submission.to_string(), "judge-job")
        },
        payload: serde_json::to_vec(job).expect("it is JSON"),
    }
}

/// The trace that jobs of these tests come with.
pub(crate) const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// What is shown of these events after the receipt, by the one fold.
pub(crate) fn fold(events: &[StreamEvent]) -> Vec<StreamEvent> {
    let mut shown = Shown::default();
    let Some(first) = events.first() else {
        return Vec::new();
    };
    let receipt = StreamEvent {
        submission: first.submission,
        key: EventKey::ACCEPTED,
        follows: None,
        body: EventBody::Accepted(Accepted {
            submission: first.submission,
            question: None,
            version: None,
            language: Language::Python,
            accepted_at: OffsetDateTime::UNIX_EPOCH,
        }),
    };
    assert_eq!(shown.step(&receipt), Step::Show);
    let mut list = Vec::new();
    for event in events {
        match shown.step(event) {
            Step::Show => list.push(event.clone()),
            Step::Drop => {}
            Step::Gap => panic!("something is missing before {event:?}"),
        }
    }
    list
}

/// The events as `key name`, one a line.
pub(crate) fn names(events: &[StreamEvent]) -> Vec<String> {
    events
        .iter()
        .map(|event| match event.follows {
            Some(before) => format!("{} {} after {before}", event.key, event.body.name()),
            None => format!("{} {}", event.key, event.body.name()),
        })
        .collect()
}

/// A submission to judge on two tests and to review.
pub(crate) fn judge_job() -> JudgeJob {
    let golden = include_str!("../../../contract/golden/jobs/judge.json");
    let job: JudgeJob = serde_json::from_str(golden).expect("a golden file");
    let now = OffsetDateTime::now_utc();
    JudgeJob {
        submission: SubmissionId::new(),
        account: contract::AccountId::new(),
        accepted_at: now,
        deadline: now + Duration::from_hours(1),
        ..job
    }
}

/// A run with own input.
pub(crate) fn run_job() -> JudgeJob {
    let job = judge_job();
    let mut judging = job.task.judging().clone();
    judging.tests.clear();
    JudgeJob {
        task: Task::Run {
            judging,
            stdin: "1 2\n".into(),
        },
        review: None,
        ..job
    }
}

/// A judged submission to review, with code of its own.
pub(crate) fn review_job() -> ReviewJob {
    let golden = include_str!("../../../contract/golden/jobs/review.json");
    let mut job: ReviewJob = serde_json::from_str(golden).expect("a golden file");
    job.submission = SubmissionId::new();
    job.account = contract::AccountId::new();
    job.deadline = OffsetDateTime::now_utc() + Duration::from_hours(1);
    job.files[0].content = format!("int main() {{ // {}\n}}\n", job.submission);
    job
}

/// An address on which nobody listens yet.
pub(crate) async fn free_address() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    listener.local_addr().expect("it is bound")
}
