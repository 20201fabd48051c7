//! Who is behind a credential, in one statement: the account as it is now, and whether the credential is still good.

use contract::AccountId;
use sqlx::{FromRow, PgExecutor, Row};
use time::OffsetDateTime;
use uuid::Uuid;

use super::account::StoredAccount;
use crate::{scope::Scope, secret::Hash};

/// The account of an access token; `None` when it is gone, suspended, or the token's session has ended.
pub(crate) async fn by_session(
    db: impl PgExecutor<'_>,
    account: AccountId,
    session: Option<Uuid>,
) -> sqlx::Result<Option<StoredAccount>> {
    sqlx::query_as(
        r"
        select id, email, name, role, locale, false as suspended, created_at
        from gateway.account
        where id = $1 and suspended_at is null and ($2::uuid is null or exists (
            select from gateway.session
            where session.id = $2 and session.account = $1 and ended_at is null and expires_at > now()
        ))
        ",
    )
    .bind(account.0)
    .bind(session)
    .fetch_optional(db)
    .await
}

/// Who shows a personal API token, and what it may do.
#[derive(Debug, Clone)]
pub(crate) struct TokenOwner {
    /// The account.
    pub account: StoredAccount,
    /// What the token may do.
    pub scopes: Vec<Scope>,
    /// When it ends to be good.
    pub expires_at: Option<OffsetDateTime>,
}

/// The owner of a personal API token; `None` when it is not good, or the account suspended. Its use is noted, to the minute.
pub(crate) async fn by_api_token(
    db: impl PgExecutor<'_> + Copy,
    hash: &Hash,
) -> sqlx::Result<Option<TokenOwner>> {
    let row = sqlx::query(
        r"
        select account.id, email, account.name, role, locale, false as suspended, account.created_at,
            scopes, expires_at, coalesce(last_used_at < now() - interval '1 minute', true) as unnoted
        from gateway.api_token token join gateway.account account on account.id = token.account
        where hash = $1 and revoked_at is null and (expires_at is null or expires_at > now()) and suspended_at is null
        ",
    )
    .bind(hash.as_slice())
    .fetch_optional(db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    if row.try_get("unnoted")? {
        sqlx::query("update gateway.api_token set last_used_at = now() where hash = $1")
            .bind(hash.as_slice())
            .execute(db)
            .await?;
    }
    let words: Vec<String> = row.try_get("scopes")?;
    Ok(Some(TokenOwner {
        account: StoredAccount::from_row(&row)?,
        scopes: words
            .iter()
            .filter_map(|word| Scope::from_word(word))
            .collect(),
        expires_at: row.try_get("expires_at")?,
    }))
}
