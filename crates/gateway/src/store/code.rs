//! One-time codes.

use contract::AccountId;
use sqlx::{PgConnection, PgExecutor};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::secret::{Hash, OneTimeCode};

/// Makes a code; when it expires.
pub(crate) async fn insert(
    db: impl PgExecutor<'_>,
    code: &OneTimeCode,
    account: AccountId,
    made_by: Option<AccountId>,
    lifetime: Duration,
) -> sqlx::Result<OffsetDateTime> {
    sqlx::query_scalar(
        r"
        insert into gateway.one_time_code (hash, account, made_by, expires_at)
        values ($1, $2, $3, now() + make_interval(secs => $4)) returning expires_at
        ",
    )
    .bind(code.hash().as_slice())
    .bind(account.0)
    .bind(made_by.map(|id| id.0))
    .bind(lifetime.as_seconds_f64())
    .fetch_one(db)
    .await
}

/// Uses a code up, and with it all other codes of the account; whose it was, `None` when it is not good. It is good as long as
/// who made it might make it still: a teacher's code opens learners' accounts only.
pub(crate) async fn take(db: &mut PgConnection, hash: &Hash) -> sqlx::Result<Option<AccountId>> {
    let account: Option<Uuid> = sqlx::query_scalar(
        r"
        update gateway.one_time_code set used_at = now()
        where hash = $1 and used_at is null and expires_at > now()
          and exists (
            select from gateway.account owner left join gateway.account maker on maker.id = made_by
            where owner.id = account and owner.suspended_at is null
              and (
                made_by is null
                or maker.suspended_at is null
                  and (maker.role = 'admin' or maker.role = 'teacher' and owner.role = 'learner')
              )
          )
        returning account
        ",
    )
    .bind(hash.as_slice())
    .fetch_optional(&mut *db)
    .await?;
    let account = account.map(AccountId);
    if let Some(account) = account {
        void_all(db, account).await?;
    }
    Ok(account)
}

/// No code of the account opens it any more.
pub(crate) async fn void_all(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<()> {
    sqlx::query(
        "update gateway.one_time_code set used_at = now() where account = $1 and used_at is null",
    )
    .bind(account.0)
    .execute(db)
    .await?;
    Ok(())
}
