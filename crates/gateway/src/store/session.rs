//! Sessions and their refresh tokens.

use contract::AccountId;
use sqlx::{FromRow, PgConnection, PgExecutor};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    secret::{Hash, RefreshToken},
    session::{LIFETIME, Presented},
};

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndedBy {
    /// Its owner signed out.
    Logout,
    /// A refresh token came back that had long been exchanged.
    Reuse,
    /// The password was changed or reset.
    Password,
    /// The account was suspended.
    Suspended,
}

impl EndedBy {
    fn as_str(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::Reuse => "reuse",
            Self::Password => "password",
            Self::Suspended => "suspended",
        }
    }
}

/// A session that began now, with its first refresh token.
pub(crate) async fn begin(
    db: &mut PgConnection,
    account: AccountId,
) -> sqlx::Result<(Uuid, RefreshToken)> {
    let (session, token) = (Uuid::now_v7(), RefreshToken::generate());
    sqlx::query(
        r"
        with session as (
            insert into gateway.session (id, account, expires_at)
            values ($1, $2, now() + make_interval(secs => $4)) returning id
        )
        insert into gateway.refresh_token (hash, session) select $3, id from session
        ",
    )
    .bind(session)
    .bind(account.0)
    .bind(token.hash().as_slice())
    .bind(LIFETIME.as_seconds_f64())
    .execute(db)
    .await?;
    Ok((session, token))
}

/// A refresh token that was shown, with its family locked until the transaction ends.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Found {
    /// Its family.
    pub session: Uuid,
    account: Uuid,
    /// Whether the account is suspended.
    pub suspended: bool,
    /// The time in the database.
    pub now: OffsetDateTime,
    replaced_at: Option<OffsetDateTime>,
    successor_salt: Option<Vec<u8>>,
    successor_is_current: bool,
    expires_at: OffsetDateTime,
    ended: bool,
}

impl Found {
    /// Whose it is.
    pub(crate) fn account(&self) -> AccountId {
        AccountId(self.account)
    }

    /// What decides about its worth.
    pub(crate) fn presented(&self) -> Presented {
        Presented {
            replaced_at: self.replaced_at,
            successor_is_current: self.successor_is_current,
            expires_at: self.expires_at,
            ended: self.ended,
        }
    }

    /// The salt that its successor was derived with.
    pub(crate) fn salt(&self) -> Option<[u8; 32]> {
        self.successor_salt.as_deref()?.try_into().ok()
    }
}

/// Finds a refresh token and locks its family: two tabs take turns.
pub(crate) async fn find_and_lock(
    db: &mut PgConnection,
    hash: &Hash,
) -> sqlx::Result<Option<Found>> {
    let locked = sqlx::query(
        r"
        select from gateway.session where id = (select session from gateway.refresh_token where hash = $1) for update
        ",
    )
    .bind(hash.as_slice())
    .execute(&mut *db)
    .await?;
    if locked.rows_affected() == 0 {
        return Ok(None);
    }
    // A statement of its own, so that it sees what the one before it in the queue has done. Its time is the clock's: the
    // transaction's is older than what it waited for.
    sqlx::query_as(
        r"
        select token.session, session.account, account.suspended_at is not null as suspended, clock_timestamp() as now,
            token.replaced_at, token.successor_salt,
            coalesce(successor.replaced_at is null and successor.hash is not null, false) as successor_is_current,
            session.expires_at, session.ended_at is not null as ended
        from gateway.refresh_token token
        join gateway.session session on session.id = token.session
        join gateway.account account on account.id = session.account
        left join gateway.refresh_token successor on successor.hash = token.successor
        where token.hash = $1
        ",
    )
    .bind(hash.as_slice())
    .fetch_optional(db)
    .await
}

/// Exchanges a token for its successor.
pub(crate) async fn rotate(
    db: &mut PgConnection,
    session: Uuid,
    token: &RefreshToken,
) -> sqlx::Result<RefreshToken> {
    let salt = RefreshToken::new_salt();
    let successor = token.successor(&salt);
    sqlx::query(
        r"
        with replaced as (
            update gateway.refresh_token
            set replaced_at = clock_timestamp(), successor_salt = $3, successor = $4 where hash = $2
        )
        insert into gateway.refresh_token (hash, session) values ($4, $1)
        ",
    )
    .bind(session)
    .bind(token.hash().as_slice())
    .bind(salt.as_slice())
    .bind(successor.hash().as_slice())
    .execute(&mut *db)
    .await?;
    sqlx::query(
        "update gateway.session set expires_at = now() + make_interval(secs => $2) where id = $1",
    )
    .bind(session)
    .bind(LIFETIME.as_seconds_f64())
    .execute(db)
    .await?;
    Ok(successor)
}

/// Ends a session.
pub(crate) async fn end(db: impl PgExecutor<'_>, session: Uuid, by: EndedBy) -> sqlx::Result<bool> {
    let ended = sqlx::query(
        "update gateway.session set ended_at = now(), ended_by = $2 where id = $1 and ended_at is null",
    )
    .bind(session)
    .bind(by.as_str())
    .execute(db)
    .await?;
    Ok(ended.rows_affected() > 0)
}

/// Ends all sessions of an account, but for one.
pub(crate) async fn end_all(
    db: impl PgExecutor<'_>,
    account: AccountId,
    but: Option<Uuid>,
    by: EndedBy,
) -> sqlx::Result<u64> {
    let ended = sqlx::query(
        r"
        update gateway.session set ended_at = now(), ended_by = $3
        where account = $1 and ended_at is null and id is distinct from $2
        ",
    )
    .bind(account.0)
    .bind(but)
    .bind(by.as_str())
    .execute(db)
    .await?;
    Ok(ended.rows_affected())
}

/// Removes families that nobody can use any more, and codes that nobody may.
pub(crate) async fn sweep(db: impl PgExecutor<'_>) -> sqlx::Result<u64> {
    let swept = sqlx::query(
        r"
        with codes as (delete from gateway.one_time_code where expires_at < now() - interval '7 days')
        delete from gateway.session
        where id in (
            select id from gateway.session
            where expires_at < now() or ended_at < now() - interval '7 days' limit 10000
        )
        ",
    )
    .execute(db)
    .await?;
    Ok(swept.rows_affected())
}
