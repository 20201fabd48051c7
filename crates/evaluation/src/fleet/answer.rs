//! A runner's answer: one event a line, until the last one.

use std::{fmt, time::Duration};

use contract::runner_api::{JudgeRequest, RunRequest, RunnerEvent};
use futures::{StreamExt as _, stream::BoxStream};
use serde::Serialize;
use service::ClientError;
use tokio::time::timeout;

use super::Slot;

/// A runner says at once whether it takes a job.
const WORD: Duration = Duration::from_secs(15);

/// How long a full runner is left alone that does not say itself.
const REST: Duration = Duration::from_millis(500);

/// Why a runner does not judge.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunnerError {
    /// It has no room, or is not there: the job did not begin.
    #[error("the runner has no room")]
    Busy,
    /// It broke, or broke off.
    #[error("{0}")]
    Failed(String),
    /// It will never take this request.
    #[error("{0}")]
    Refused(String),
}

/// What a runner streams. Dropping it ends the judging.
pub(crate) struct Answer {
    events: BoxStream<'static, Result<RunnerEvent, ClientError>>,
    silence: Duration,
    slot: Slot,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("slot", &self.slot)
            .finish_non_exhaustive()
    }
}

impl Slot {
    /// Has the code judged; nothing may be said longer than `silence`.
    pub(crate) async fn judge(
        self,
        request: &JudgeRequest,
        silence: Duration,
    ) -> Result<Answer, RunnerError> {
        self.ask("/internal/judge", request, silence).await
    }

    /// Has the code run once.
    pub(crate) async fn run(
        self,
        request: &RunRequest,
        silence: Duration,
    ) -> Result<Answer, RunnerError> {
        self.ask("/internal/run", request, silence).await
    }

    async fn ask(
        self,
        path: &str,
        request: &(impl Serialize + Sync),
        silence: Duration,
    ) -> Result<Answer, RunnerError> {
        let asked = self.client().post(path).body(request).timeout(WORD);
        match asked.lines::<RunnerEvent>().await {
            Ok(events) => Ok(Answer {
                events: events.boxed(),
                silence,
                slot: self,
            }),
            Err(error) => Err(self.refusal(&error)),
        }
    }

    fn refusal(&self, error: &ClientError) -> RunnerError {
        match error {
            // Nobody took the job: it costs no try.
            ClientError::Unreachable { source, .. } if source.is_connect() => {
                self.doubt();
                RunnerError::Busy
            }
            ClientError::Problem { problem, .. } => match problem.status().as_u16() {
                429 | 503 => {
                    let pause = problem.retry_after_seconds().map(Duration::from_secs);
                    self.rest(pause.unwrap_or(REST));
                    RunnerError::Busy
                }
                400 | 404 | 405 | 411..=422 => RunnerError::Refused(error.to_string()),
                _ => RunnerError::Failed(error.to_string()),
            },
            ClientError::Request { .. } => RunnerError::Refused(error.to_string()),
            _ => {
                self.doubt();
                RunnerError::Failed(error.to_string())
            }
        }
    }
}

impl Answer {
    /// The next event. An answer that ends before its last event was cut.
    pub(crate) async fn next(&mut self) -> Result<RunnerEvent, RunnerError> {
        let reason = match timeout(self.silence, self.events.next()).await {
            Ok(Some(Ok(event))) => return Ok(event),
            Ok(Some(Err(error))) => error.to_string(),
            Ok(None) => "the runner broke off".to_owned(),
            Err(_) => "the runner is silent".to_owned(),
        };
        self.slot.doubt();
        Err(RunnerError::Failed(reason))
    }
}
