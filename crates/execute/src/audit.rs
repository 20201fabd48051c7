//! The books of execute: what was accepted, and what has become of it, by the minute in which it was accepted.
//!
//! ```text
//!   accepted ─► sent (Kafka has it, or the outbox) ─► verdict shown ─► over, with one terminal event in a log without gaps
//! ```
//! Counts tell that something is missing, digests that two sets are the same, whatever their order; ids tell which. Reads only
//! execute's own tables; others compare.

use std::time::Duration;

use contract::SubmissionId;
use metrics::gauge;
use service::{Shutdown, database};
use sqlx::PgPool;
use time::OffsetDateTime;

use crate::store::audit as store;

/// A set of judgings: how many, and a sum over hashes of their ids. Equal sets have equal tallies; unequal ones have not, but
/// for one in 2^64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// How many.
    pub count: u64,
    /// The sum of the hashes, modulo 2^64.
    pub digest: u64,
}

impl Tally {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            digest: self.digest.wrapping_add(other.digest),
        }
    }
}

/// What was accepted within one minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Minute {
    /// Its beginning.
    pub begin: OffsetDateTime,
    /// All of it.
    pub accepted: Tally,
    /// What still lies in the outbox.
    pub unsent: u64,
    /// What a verdict was shown of.
    pub judged: Tally,
    /// What is over.
    pub terminal: Tally,
    /// Of which execute has ended some itself: cancelled, too late, tried too often.
    pub ended_here: u64,
    /// What may still come.
    pub open: u64,
}

impl Minute {
    /// Whether all that was accepted is over or may still come.
    pub fn is_balanced(&self) -> bool {
        self.accepted.count == self.terminal.count + self.open
    }
}

/// One judging of a submission or run.
pub type Judging = (SubmissionId, u32);

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hole {
    /// Of what.
    pub judging: Judging,
    /// What is wrong with it.
    pub what: Fault,
}

/// What can be wrong with one judging.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Its deadline has passed, and nobody has ended it.
    NotEnded,
    /// Its job lies neither in the outbox nor in Kafka.
    NotSent,
    /// It is over, but its log has no terminal event.
    NoTerminalEvent,
    /// Its log has more than one terminal event.
    TwoTerminalEvents,
    /// It is not over, but its log says so.
    NotMarked,
    /// An event is missing in its log.
    Gap,
}

impl Fault {
    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotEnded => "its deadline has passed and nobody has ended it",
            Self::NotSent => "its job lies neither in the outbox nor in Kafka",
            Self::NoTerminalEvent => "it is over but its log has no terminal event",
            Self::TwoTerminalEvents => "its log has more than one terminal event",
            Self::NotMarked => "its log has a terminal event but it counts as open",
            Self::Gap => "an event is missing in its log",
        }
    }
}

/// The books since then, oldest first.
pub async fn minutes(pool: &PgPool, since: OffsetDateTime) -> sqlx::Result<Vec<Minute>> {
    store::minutes(pool, since).await
}

/// What must not be, of all that was accepted since then; at most a thousand.
pub async fn holes(pool: &PgPool, since: OffsetDateTime) -> sqlx::Result<Vec<Hole>> {
    store::holes(pool, since).await
}

/// Which judgings a verdict was shown of, among those accepted within the minute that begins then.
pub async fn judged_in(pool: &PgPool, minute: OffsetDateTime) -> sqlx::Result<Vec<Judging>> {
    store::judged_in(pool, minute).await
}

/// Which of these judgings are here at all, and whether each is over.
pub async fn known(pool: &PgPool, judgings: &[Judging]) -> sqlx::Result<Vec<(Judging, bool)>> {
    store::known(pool, judgings).await
}

/// How often what is open is looked at for the metrics.
const MEASURE: Duration = Duration::from_secs(30);

/// Shows as metrics what the audit would find among what is open; the whole audit is a command.
pub(crate) async fn measure(pool: PgPool, patience: Duration, shutdown: Shutdown) {
    loop {
        match database::within(patience, store::open_holes(&pool)).await {
            Ok((overdue, unsent)) => {
                #[expect(clippy::cast_precision_loss, reason = "a gauge of some thousands")]
                let (overdue, unsent) = (overdue as f64, unsent as f64);
                gauge!("codementor_audit_holes", "what" => "not_ended").set(overdue);
                gauge!("codementor_audit_holes", "what" => "not_sent").set(unsent);
            }
            Err(error) => tracing::debug!(%error, "cannot look for holes"),
        }
        tokio::select! {
            () = tokio::time::sleep(MEASURE) => {}
            () = shutdown.soft().cancelled() => return,
        }
    }
}
