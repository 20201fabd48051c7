//! How a consumer is told to end.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// When a consumer ends: softly it takes nothing new and lets work finish for a grace time, hard it drops what runs.
///
/// Either way what was finished is committed and the group is left.
#[derive(Debug, Clone)]
pub struct Stop {
    pub(crate) soft: CancellationToken,
    pub(crate) hard: CancellationToken,
    pub(crate) grace: Duration,
}

impl Stop {
    /// Ends softly with the first token, hard with the second or a grace time after the first.
    pub fn new(soft: CancellationToken, hard: CancellationToken, grace: Duration) -> Self {
        Self { soft, hard, grace }
    }

    /// A stop of its own, for tests; [`soft`](Self::soft) and [`hard`](Self::hard) begin it.
    pub fn manual(grace: Duration) -> Self {
        Self::new(CancellationToken::new(), CancellationToken::new(), grace)
    }

    /// Begins the soft end.
    pub fn soft(&self) {
        self.soft.cancel();
    }

    /// Ends hard.
    pub fn hard(&self) {
        self.hard.cancel();
    }
}
