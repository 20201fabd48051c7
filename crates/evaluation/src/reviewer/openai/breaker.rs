//! A circuit breaker: while the model's server is down, nobody waits for it.
//!
//! ```text
//!   closed ──5 failures in a row──► open 30 s ──► one trial ──success──► closed
//!                                     ▲               └────failure──┐
//!                                     └─────────────────────────────┘
//! ```

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// So many failures in a row open it.
const FAILURES: u32 = 5;

/// How long it stays open.
const OPEN: Duration = Duration::from_secs(30);

/// Counts failures of one server.
#[derive(Debug, Default)]
pub(crate) struct Breaker {
    state: Mutex<State>,
}

#[derive(Debug, Default, Clone, Copy)]
struct State {
    failures: u32,
    barred_until: Option<Instant>,
}

impl Breaker {
    /// Whether a request may be made now. While it is open, one trial is let through each time it has been open long enough.
    pub(crate) fn allows(&self) -> bool {
        let now = Instant::now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match state.barred_until {
            None => true,
            Some(until) if now < until => false,
            Some(_) => {
                // The trial; the others wait for what becomes of it.
                state.barred_until = Some(now + OPEN);
                true
            }
        }
    }

    /// The server answered.
    pub(crate) fn succeeded(&self) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = State::default();
    }

    /// The server did not answer, or said that it cannot.
    pub(crate) fn failed(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.failures = state.failures.saturating_add(1);
        if state.failures >= FAILURES {
            state.barred_until = Some(Instant::now() + OPEN);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn opens_after_failures_in_a_row_and_lets_one_trial_through() {
        let breaker = Breaker::default();
        for _ in 1..FAILURES {
            breaker.failed();
        }
        breaker.succeeded();
        for _ in 1..FAILURES {
            breaker.failed();
        }
        assert!(breaker.allows());
        breaker.failed();
        assert!(!breaker.allows());

        tokio::time::advance(OPEN).await;
        assert!(breaker.allows(), "the trial");
        assert!(!breaker.allows(), "only one");
        breaker.failed();
        tokio::time::advance(OPEN / 2).await;
        assert!(!breaker.allows());

        tokio::time::advance(OPEN).await;
        assert!(breaker.allows());
        breaker.succeeded();
        assert!(breaker.allows());
    }
}
