//! The handle of a running consumer, windowed or ordered.

use std::{sync::Arc, thread};

use contract::Topic;
use rdkafka::{
    config::FromClientConfigAndContext,
    consumer::{BaseConsumer, Consumer as _},
};
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    Heartbeat, KafkaConfig, QueueError, Stop,
    context::MemberContext,
    error::refused,
    member::{self, Reports, Setting, Work},
    partitions::Partitions,
};

/// A member of a consumer group at work. Dropping it ends it hard.
#[derive(Debug)]
#[must_use = "dropping it ends it"]
pub struct Consumer {
    heartbeat: Heartbeat,
    joined: watch::Receiver<bool>,
    ended: watch::Receiver<Option<Ending>>,
    dropped: CancellationToken,
    tasks: TaskTracker,
}

type Ending = Result<(), Arc<QueueError>>;

/// What work is made of, apart from its own rules.
pub(crate) struct Means {
    pub(crate) reports: Reports,
    pub(crate) tasks: TaskTracker,
    pub(crate) runtime: tokio::runtime::Handle,
    pub(crate) abandon: CancellationToken,
}

impl Consumer {
    /// For the liveness probe.
    pub fn heartbeat(&self) -> Heartbeat {
        self.heartbeat.clone()
    }

    /// Whether it has been given its partitions, perhaps none, at least once: for the readiness probe.
    pub fn is_joined(&self) -> bool {
        *self.joined.borrow()
    }

    /// Returns when it has been given its partitions, perhaps none, for the first time.
    pub async fn joined(&self) -> Result<(), QueueError> {
        match self.joined.clone().wait_for(|joined| *joined).await {
            Ok(_) => Ok(()),
            Err(_) => Err(QueueError::Ended),
        }
    }

    /// As [`Self::ended`]. One that failed for good calls `stop`, which ends its service: what it consumed would wait for ever.
    pub async fn attended(&self, stop: impl FnOnce()) -> Result<(), QueueError> {
        let ended = self.ended().await;
        if let Err(error) = &ended {
            tracing::error!(%error, "a consumer failed for good: ending");
            stop();
        }
        ended
    }

    /// Returns when it has left its group and no handler runs any more; an error when it ended without being told to.
    pub async fn ended(&self) -> Result<(), QueueError> {
        let mut ended = self.ended.clone();
        let ending = match ended.wait_for(Option::is_some).await {
            Ok(ending) => ending.clone().unwrap_or(Ok(())),
            // The thread panicked.
            Err(_) => Err(Arc::new(QueueError::Fatal("its thread ended".to_owned()))),
        };
        self.tasks.close();
        self.tasks.wait().await;
        ending.map_err(|error| {
            Arc::try_unwrap(error).unwrap_or_else(|error| QueueError::Fatal(error.to_string()))
        })
    }

    /// Starts the thread of a member. Must be called inside a tokio runtime, on which handlers run.
    pub(crate) fn start<W: Work>(
        config: &KafkaConfig,
        group: &str,
        topics: &[Topic],
        prefetch: usize,
        stop: Stop,
        work: impl FnOnce(Means) -> W + Send + 'static,
    ) -> Result<Self, QueueError> {
        let heartbeat = Heartbeat::new();
        let consumer = BaseConsumer::from_config_and_context(
            &config.member(group, prefetch),
            MemberContext::new(group, heartbeat.clone()),
        )
        .map_err(refused("to start a consumer"))?;
        let topics: Vec<_> = topics
            .iter()
            .map(|topic| (*topic, config.topic(*topic)))
            .collect();
        let names: Vec<_> = topics.iter().map(|(_, name)| name.as_str()).collect();
        consumer
            .subscribe(&names)
            .map_err(refused("to join a group"))?;

        let (dropped, abandon) = (CancellationToken::new(), CancellationToken::new());
        let tasks = TaskTracker::new();
        let (joined, is_joined) = watch::channel(false);
        let (end, ended) = watch::channel(None);
        let partitions = Partitions::new(group, topics, abandon.clone());
        let setting = Setting {
            stop,
            dropped: dropped.clone(),
            abandon: abandon.clone(),
            heartbeat: heartbeat.clone(),
            joined,
        };
        let (runtime, members_tasks) = (tokio::runtime::Handle::current(), tasks.clone());
        thread::Builder::new()
            .name(format!("kafka {group}"))
            .spawn(move || {
                let result = member::run(consumer, partitions, setting, |reports| {
                    work(Means {
                        reports,
                        tasks: members_tasks,
                        runtime,
                        abandon,
                    })
                });
                if let Err(error) = &result {
                    tracing::error!(%error, "a consumer failed for good");
                }
                end.send_replace(Some(result.map_err(Arc::new)));
            })
            .map_err(|error| QueueError::Fatal(format!("no thread for a consumer: {error}")))?;
        Ok(Self {
            heartbeat,
            joined: is_joined,
            ended,
            dropped,
            tasks,
        })
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.dropped.cancel();
    }
}
