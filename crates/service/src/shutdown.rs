//! How a service ends: softly at first, hard after a grace time.
//!
//! ```text
//! running ── SIGTERM, SIGINT or stop() ──► soft: take nothing new, finish what is begun
//!    │                                       │ the grace time, or stop_now()
//!    └────────── second signal ──► exit      └──► hard: drop what is left
//! ```
//! Every task that a service spawns is tracked, so that its end can be waited for. Never ends the process by itself but at a
//! second signal.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The exit code after a second signal: that of a program ended by SIGINT.
const INTERRUPTED: i32 = 130;

/// Tells the tasks of a process to end, and knows when they have. Clones are the same.
#[derive(Debug, Clone)]
pub struct Shutdown {
    hard: CancellationToken,
    /// A child of `hard`: the hard end is a soft one, too.
    soft: CancellationToken,
    tracker: TaskTracker,
    grace: Duration,
}

impl Shutdown {
    /// How long after the soft end the hard one comes unless told: below the 30 s after which Kubernetes kills.
    pub const GRACE: Duration = Duration::from_secs(25);

    /// Ends at the first SIGINT or SIGTERM, hard when the grace time is over; a second one exits at once. Call it within a runtime.
    pub fn on_signals(grace: Duration) -> Self {
        let shutdown = Self::manual().with_grace(grace);
        match (
            signal(SignalKind::interrupt()),
            signal(SignalKind::terminate()),
        ) {
            (Ok(interrupt), Ok(terminate)) => {
                tokio::spawn(shutdown.clone().listen(interrupt, terminate));
            }
            (Err(error), _) | (_, Err(error)) => {
                tracing::error!(%error, "cannot listen to signals: only SIGKILL will end this process");
            }
        }
        shutdown
    }

    /// Ends when [`stop`](Self::stop) is called.
    pub fn manual() -> Self {
        let hard = CancellationToken::new();
        Self {
            soft: hard.child_token(),
            hard,
            tracker: TaskTracker::new(),
            grace: Self::GRACE,
        }
    }

    /// The same with another time between soft and hard.
    #[must_use]
    pub fn with_grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Cancelled when nothing new may be begun.
    pub fn soft(&self) -> &CancellationToken {
        &self.soft
    }

    /// Cancelled when everything must be dropped; then `soft` is, too.
    pub fn hard(&self) -> &CancellationToken {
        &self.hard
    }

    /// Spawn tasks on it that shall have ended before the service has.
    pub fn tracker(&self) -> &TaskTracker {
        &self.tracker
    }

    /// The time between soft and hard.
    pub fn grace(&self) -> Duration {
        self.grace
    }

    /// Begins the soft end; the hard one follows after the grace time. Call it within a runtime.
    pub fn stop(&self) {
        if self.soft.is_cancelled() {
            return;
        }
        self.soft.cancel();
        let (hard, grace) = (self.hard.clone(), self.grace);
        // Not tracked: it may well outlive all others.
        tokio::spawn(async move {
            tokio::select! {
                () = hard.cancelled() => {}
                () = tokio::time::sleep(grace) => hard.cancel(),
            }
        });
    }

    /// Begins the hard end.
    pub fn stop_now(&self) {
        self.hard.cancel();
    }

    /// Begins the soft end if nobody has, and waits until all tracked tasks have ended, or until the hard end. Call it within a
    /// runtime.
    ///
    /// Services that share a `Shutdown` wait for each other's tasks.
    pub async fn finished(&self) {
        self.stop();
        self.tracker.close();
        tokio::select! {
            () = self.tracker.wait() => {}
            () = self.hard.cancelled() => {}
        }
    }

    async fn listen(self, mut interrupt: Signal, mut terminate: Signal) {
        let mut either = async || {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        };
        either().await;
        tracing::info!("asked to end: finishing what is begun");
        self.stop();
        either().await;
        tracing::warn!("asked to end again: ending at once");
        std::process::exit(INTERRUPTED);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_hard_end_follows_the_soft_one() {
        let shutdown = Shutdown::manual();
        shutdown.clone().stop();
        assert!(shutdown.soft().is_cancelled() && !shutdown.hard().is_cancelled());
        let begun = tokio::time::Instant::now();
        shutdown.hard().cancelled().await;
        assert_eq!(begun.elapsed().as_secs(), Shutdown::GRACE.as_secs());
    }

    #[tokio::test]
    async fn the_hard_end_is_a_soft_one_too() {
        let shutdown = Shutdown::manual();
        shutdown.stop_now();
        assert!(shutdown.soft().is_cancelled());
    }

    #[tokio::test(start_paused = true)]
    async fn waits_for_tracked_tasks() {
        let shutdown = Shutdown::manual();
        let soft = shutdown.soft().clone();
        let task = shutdown.tracker().spawn(async move {
            soft.cancelled().await;
            tokio::time::sleep(Duration::from_secs(3)).await;
        });
        shutdown.finished().await;
        assert!(task.is_finished() && !shutdown.hard().is_cancelled());
    }

    #[tokio::test(start_paused = true)]
    async fn does_not_wait_for_a_task_that_never_ends() {
        let shutdown = Shutdown::manual().with_grace(Duration::from_secs(2));
        shutdown.tracker().spawn(std::future::pending::<()>());
        shutdown.finished().await;
        assert!(shutdown.hard().is_cancelled());
    }
}
