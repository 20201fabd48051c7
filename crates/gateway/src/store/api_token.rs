//! Personal API tokens.

use contract::AccountId;
use sqlx::{FromRow, PgExecutor};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{scope::Scope, secret::Hash};

/// A token as it is stored.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct StoredToken {
    /// Its id.
    pub id: Uuid,
    /// What its owner calls it.
    pub name: String,
    scopes: Vec<String>,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// When it ends to be good.
    pub expires_at: Option<OffsetDateTime>,
    /// When it was last shown, to the minute.
    pub last_used_at: Option<OffsetDateTime>,
}

impl StoredToken {
    /// What it may do. Words of a later version are ignored: they widen nothing.
    pub(crate) fn scopes(&self) -> Vec<Scope> {
        self.scopes
            .iter()
            .filter_map(|word| Scope::from_word(word))
            .collect()
    }
}

/// A token to be made.
#[derive(Debug, Clone)]
pub(crate) struct NewToken<'a> {
    /// Whose.
    pub account: AccountId,
    /// What its owner calls it.
    pub name: &'a str,
    /// What is stored of it.
    pub hash: Hash,
    /// What it may do.
    pub scopes: &'a [Scope],
    /// When it ends to be good.
    pub expires_at: Option<OffsetDateTime>,
}

/// Makes a token; `None` when the account has `most` already.
pub(crate) async fn insert(
    db: impl PgExecutor<'_>,
    new: &NewToken<'_>,
    most: i64,
) -> sqlx::Result<Option<StoredToken>> {
    let scopes: Vec<_> = new.scopes.iter().map(|scope| scope.as_str()).collect();
    sqlx::query_as(
        r"
        insert into gateway.api_token (id, account, name, hash, scopes, expires_at)
        select $1, $2, $3, $4, $5, $6
        where (
            select count(*) from gateway.api_token
            where account = $2 and revoked_at is null and (expires_at is null or expires_at > now())
        ) < $7
        returning id, name, scopes, created_at, expires_at, last_used_at
        ",
    )
    .bind(Uuid::now_v7())
    .bind(new.account.0)
    .bind(new.name)
    .bind(new.hash.as_slice())
    .bind(scopes)
    .bind(new.expires_at)
    .bind(most)
    .fetch_optional(db)
    .await
}

/// The tokens of an account that are not revoked, expired ones included.
pub(crate) async fn list(
    db: impl PgExecutor<'_>,
    account: AccountId,
) -> sqlx::Result<Vec<StoredToken>> {
    sqlx::query_as(
        r"
        select id, name, scopes, created_at, expires_at, last_used_at
        from gateway.api_token where account = $1 and revoked_at is null order by id
        ",
    )
    .bind(account.0)
    .fetch_all(db)
    .await
}

/// Revokes a token of an account; its hash, `None` when the account has no such token.
pub(crate) async fn revoke(
    db: impl PgExecutor<'_>,
    account: AccountId,
    id: Uuid,
) -> sqlx::Result<bool> {
    let revoked = sqlx::query(
        "update gateway.api_token set revoked_at = now() where id = $2 and account = $1 and revoked_at is null",
    )
    .bind(account.0)
    .bind(id)
    .execute(db)
    .await?;
    Ok(revoked.rows_affected() > 0)
}
