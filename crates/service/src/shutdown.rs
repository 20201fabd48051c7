//! The end of a service: softly first, hard after a grace time.
//!
//! ```text
//!  running ──signal or stop()──► soft: unready, no new work, streams end ──grace──► hard: what is left is dropped
//! ```

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long work may go on after the soft end.
const GRACE: Duration = Duration::from_secs(25);

/// Tells all parts of a service that it ends. Cheap to clone; all clones are one.
#[derive(Debug, Clone)]
pub struct Shutdown {
    soft: CancellationToken,
    hard: CancellationToken,
    tracker: TaskTracker,
    grace: Duration,
}

impl Shutdown {
    /// Ends when [`stop`](Self::stop) is called.
    pub fn manual() -> Self {
        Self {
            soft: CancellationToken::new(),
            hard: CancellationToken::new(),
            tracker: TaskTracker::new(),
            grace: GRACE,
        }
    }

    /// Ends at SIGINT or SIGTERM; a second one ends the process at once, with exit code 130.
    pub fn on_signals() -> Self {
        let shutdown = Self::manual();
        let on_signal = shutdown.clone();
        tokio::spawn(async move {
            let (interrupt, terminate) = (
                signal(SignalKind::interrupt()),
                signal(SignalKind::terminate()),
            );
            let (mut interrupt, mut terminate) = match (interrupt, terminate) {
                (Ok(interrupt), Ok(terminate)) => (interrupt, terminate),
                (Err(error), _) | (_, Err(error)) => {
                    tracing::error!(%error, "cannot listen for signals");
                    return;
                }
            };
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                if on_signal.soft.is_cancelled() {
                    std::process::exit(130);
                }
                on_signal.stop();
            }
        });
        shutdown
    }

    /// Begins the end.
    pub fn stop(&self) {
        if self.soft.is_cancelled() {
            return;
        }
        tracing::info!("ending: no new work is taken");
        self.soft.cancel();
        let (hard, grace) = (self.hard.clone(), self.grace);
        tokio::spawn(async move {
            tokio::time::sleep(grace).await;
            hard.cancel();
        });
    }

    /// Cancelled when no new work shall be taken.
    pub fn soft(&self) -> &CancellationToken {
        &self.soft
    }

    /// Cancelled when work shall be dropped.
    pub fn hard(&self) -> &CancellationToken {
        &self.hard
    }

    /// Counts the tasks that must have ended before the service has.
    pub fn tracker(&self) -> &TaskTracker {
        &self.tracker
    }

    /// Returns when all tracked tasks have ended, or the hard end came.
    pub async fn finished(&self) {
        self.tracker.close();
        tokio::select! {
            () = self.tracker.wait() => {}
            () = self.hard.cancelled() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_hard_end_follows_the_soft_one() {
        let shutdown = Shutdown::manual();
        assert!(!shutdown.soft().is_cancelled());
        shutdown.clone().stop();
        assert!(shutdown.soft().is_cancelled());
        assert!(!shutdown.hard().is_cancelled());
        shutdown.hard().cancelled().await;
    }

    #[tokio::test(start_paused = true)]
    async fn waits_for_tracked_tasks() {
        let shutdown = Shutdown::manual();
        let soft = shutdown.soft().clone();
        let task = shutdown
            .tracker()
            .spawn(async move { soft.cancelled().await });
        shutdown.stop();
        shutdown.finished().await;
        assert!(task.is_finished());
        assert!(!shutdown.hard().is_cancelled());
    }
}
