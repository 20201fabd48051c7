//! The books of evaluation: what was claimed and what was judged, by the minute in which it was accepted.
//!
//! Reads only evaluation's own table; others compare. Digests are made as execute makes its own: a sum over hashes of ids.

use contract::SubmissionId;
use sqlx::PgPool;
use time::OffsetDateTime;

use crate::store;

/// What came of the jobs accepted within one minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Minute {
    /// Its beginning.
    pub begin: OffsetDateTime,
    /// Judgings that a worker has begun.
    pub claimed: u64,
    /// Judgings that are done.
    pub judged: u64,
    /// Over hashes of the ids of those that are done, modulo 2^64.
    pub judged_digest: u64,
    /// Reviews that are done.
    pub reviewed: u64,
}

/// The books since then, oldest first.
pub async fn minutes(pool: &PgPool, since: OffsetDateTime) -> sqlx::Result<Vec<Minute>> {
    store::audit_minutes(pool, since).await
}

/// Which judgings are done, among those accepted within the minute that begins then.
pub async fn judged_in(
    pool: &PgPool,
    minute: OffsetDateTime,
) -> sqlx::Result<Vec<(SubmissionId, u32)>> {
    store::audit_judged_in(pool, minute).await
}
