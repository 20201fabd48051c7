//! The books: counts and digests by minute.

use contract::SubmissionId;
use sqlx::PgExecutor;
use time::OffsetDateTime;
use uuid::Uuid;

use super::counted;
use crate::audit::Minute;

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// Counts and digests, by the minute of acceptance.
pub(crate) async fn minutes(
    db: impl PgExecutor<'_>,
    since: OffsetDateTime,
) -> sqlx::Result<Vec<Minute>> {
    let rows: Vec<(OffsetDateTime, i64, i64, String, i64)> = sqlx::query_as(
        r"
        WITH job AS (
            SELECT date_trunc('minute', accepted_at, 'UTC') AS minute, stage, done_at IS NOT NULL AS done,
                   hashtextextended(submission::text || '.' || judgement, 0)::numeric AS hash
            FROM evaluation.job WHERE accepted_at >= $1
        )
        SELECT minute,
               count(*) FILTER (WHERE stage = 'judge'),
               count(*) FILTER (WHERE stage = 'judge' AND done),
               mod(mod(coalesce(sum(hash) FILTER (WHERE stage = 'judge' AND done), 0), 18446744073709551616)
                   + 18446744073709551616, 18446744073709551616)::text,
               count(*) FILTER (WHERE stage = 'review' AND done)
        FROM job GROUP BY minute ORDER BY minute
        ",
    )
    .bind(since)
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|(begin, claimed, judged, digest, reviewed)| {
            Ok(Minute {
                begin,
                claimed: count(claimed),
                judged: count(judged),
                judged_digest: digest
                    .parse()
                    .map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
                reviewed: count(reviewed),
            })
        })
        .collect()
}

/// Which judgings are done, among those accepted within one minute.
pub(crate) async fn judged_in(
    db: impl PgExecutor<'_>,
    minute: OffsetDateTime,
) -> sqlx::Result<Vec<(SubmissionId, u32)>> {
    let rows: Vec<(Uuid, i32)> = sqlx::query_as(
        r"
        SELECT submission, judgement FROM evaluation.job
        WHERE accepted_at >= $1 AND accepted_at < $1 + interval '1 minute' AND stage = 'judge' AND done_at IS NOT NULL
        ",
    )
    .bind(minute)
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(id, number)| (SubmissionId(id), counted(number)))
        .collect())
}
