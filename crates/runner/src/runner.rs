//! A runner at work: what it has, how much it takes, and how a judgement is started and given up.

use contract::event::FinalVerdict;
use contract::language::InstalledLanguage;
use contract::runner_api::{AbsentLanguage, RunnerConfig, RunnerEvent, RunnerFailure};
use service::trace::{self, Traceparent};
use service::{Problem, Shutdown};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::judge::{Events, Judge, JudgeError};
use crate::toolchain::Toolchain;

/// What the caller is told to wait when all places are taken, in seconds.
const RETRY_AFTER: u64 = 1;

/// One runner.
#[derive(Debug)]
pub(crate) struct Runner {
    judge: Judge,
    absent: Vec<AbsentLanguage>,
    places: Arc<Semaphore>,
    jobs: usize,
    shutdown: Shutdown,
}

impl Runner {
    /// A runner that takes so many judgements at once.
    pub(crate) fn new(
        judge: Judge,
        absent: Vec<AbsentLanguage>,
        jobs: usize,
        shutdown: Shutdown,
    ) -> Self {
        Self {
            judge,
            absent,
            places: Arc::new(Semaphore::new(jobs)),
            jobs,
            shutdown,
        }
    }

    /// What it judges with.
    pub(crate) fn judge(&self) -> &Judge {
        &self.judge
    }

    /// What is installed.
    pub(crate) fn languages(&self) -> Vec<InstalledLanguage> {
        let toolchains = self.judge.toolchains.iter();
        toolchains.map(Toolchain::installed).collect()
    }

    /// What is in force.
    pub(crate) fn config(&self) -> RunnerConfig {
        let report = self.judge.sandbox.report();
        let sandbox = serde_json::to_value(report).unwrap_or_default();
        RunnerConfig {
            backend: sandbox["backend"].as_str().unwrap_or_default().to_owned(),
            slots: report.slots,
            jobs: self.jobs,
            absent: self.absent.clone(),
            sandbox,
        }
    }

    /// Starts a judgement if there is a place for it. It ends when it is done, when nobody listens any more, or at the
    /// hard end of the service; then its programs are dead.
    pub(crate) fn start<Judgement>(
        self: &Arc<Self>,
        work: impl FnOnce(Arc<Self>, Events) -> Judgement,
    ) -> Result<UnboundedReceiver<RunnerEvent>, Problem>
    where
        Judgement: Future<Output = Result<FinalVerdict, JudgeError>> + Send + 'static,
    {
        if self.shutdown.soft().is_cancelled() {
            return Err(Problem::unavailable("This runner is ending."));
        }
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| {
            Problem::overloaded("All places of this runner are taken.", RETRY_AFTER)
        })?;
        let (events, receiver) = unbounded_channel();
        let judgement = work(Arc::clone(self), events.clone());
        let hard = self.shutdown.hard().clone();
        let task = async move {
            let _place = place;
            let last = tokio::select! {
                () = events.closed() => {
                    tracing::info!("a judgement was given up: nobody listens");
                    return;
                }
                () = hard.cancelled() => RunnerEvent::Failed(RunnerFailure {
                    reason: "internal".to_owned(),
                    message: "the runner ended before the judgement did".to_owned(),
                    retryable: true,
                }),
                done = judgement => match done {
                    Ok(verdict) => RunnerEvent::Finished(verdict),
                    Err(error) => failed(&error),
                },
            };
            // When the listener has gone at last, nobody needs to know.
            let _ = events.send(last);
        };
        // The task is a part of the caller's trace, also in what it asks of others.
        let caller = Traceparent::current().to_string();
        self.shutdown.tracker().spawn(async move {
            trace::continued(crate::NAME, "judge", Some(&caller), task).await;
        });
        Ok(receiver)
    }
}

fn failed(error: &JudgeError) -> RunnerEvent {
    let failure = error.failure();
    tracing::warn!(
        reason = failure.reason,
        message = failure.message,
        "a judgement failed"
    );
    RunnerEvent::Failed(failure)
}
