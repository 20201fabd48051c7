//! Accounts.

use contract::{AccountId, Locale, Role};
use sqlx::{FromRow, PgExecutor, Row, postgres::PgRow};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::email::Email;

/// An account as it is stored, without its password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredAccount {
    /// Its id.
    pub id: AccountId,
    /// Its normalised e-mail address.
    pub email: String,
    /// The name that others see.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The language its owner reads.
    pub locale: Locale,
    /// Whether it may not be used.
    pub suspended: bool,
    /// When it was made.
    pub created_at: OffsetDateTime,
}

impl FromRow<'_, PgRow> for StoredAccount {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let word = |column: &str| row.try_get::<String, _>(column);
        let unknown =
            |word: &str| sqlx::Error::Decode(format!("{word:?} is no word of ours").into());
        let (role, locale) = (word("role")?, word("locale")?);
        Ok(Self {
            id: AccountId(row.try_get("id")?),
            email: row.try_get("email")?,
            name: row.try_get("name")?,
            role: Role::from_word(&role).ok_or_else(|| unknown(&role))?,
            locale: Locale::from_tag(&locale).ok_or_else(|| unknown(&locale))?,
            suspended: row.try_get("suspended")?,
            created_at: row.try_get("created_at")?,
        })
    }
}

/// An account to be made.
#[derive(Debug, Clone)]
pub(crate) struct NewAccount<'a> {
    /// Its address.
    pub email: &'a Email,
    /// The name that others see.
    pub name: &'a str,
    /// What it may do.
    pub role: Role,
    /// The language its owner reads.
    pub locale: Locale,
    /// Absent until its owner chooses a password with a one-time code.
    pub password_hash: Option<&'a str>,
}

/// Makes an account; `None` when the address is taken.
pub(crate) async fn insert(
    db: impl PgExecutor<'_>,
    new: &NewAccount<'_>,
) -> sqlx::Result<Option<StoredAccount>> {
    sqlx::query_as(
        r"
        insert into gateway.account (id, email, name, role, locale, password_hash)
        values ($1, $2, $3, $4, $5, $6)
        on conflict (email) do nothing
        returning id, email, name, role, locale, suspended_at is not null as suspended, created_at
        ",
    )
    .bind(AccountId::new().0)
    .bind(new.email.as_str())
    .bind(new.name)
    .bind(new.role.as_str())
    .bind(new.locale.as_str())
    .bind(new.password_hash)
    .fetch_optional(db)
    .await
}

/// The account of an address, with the hash of its password.
pub(crate) async fn by_email(
    db: impl PgExecutor<'_>,
    email: &Email,
) -> sqlx::Result<Option<(StoredAccount, Option<String>)>> {
    let row = sqlx::query(
        r"
        select id, email, name, role, locale, suspended_at is not null as suspended, created_at, password_hash
        from gateway.account where email = $1
        ",
    )
    .bind(email.as_str())
    .fetch_optional(db)
    .await?;
    row.map(|row| {
        Ok((
            StoredAccount::from_row(&row)?,
            row.try_get("password_hash")?,
        ))
    })
    .transpose()
}

/// One account.
pub(crate) async fn by_id(
    db: impl PgExecutor<'_>,
    id: AccountId,
) -> sqlx::Result<Option<StoredAccount>> {
    sqlx::query_as(
        r"
        select id, email, name, role, locale, suspended_at is not null as suspended, created_at
        from gateway.account where id = $1
        ",
    )
    .bind(id.0)
    .fetch_optional(db)
    .await
}

/// The oldest account of a role that may be used.
pub(crate) async fn first_of_role(
    db: impl PgExecutor<'_>,
    role: Role,
) -> sqlx::Result<Option<StoredAccount>> {
    sqlx::query_as(
        r"
        select id, email, name, role, locale, false as suspended, created_at
        from gateway.account where role = $1 and suspended_at is null order by id limit 1
        ",
    )
    .bind(role.as_str())
    .fetch_optional(db)
    .await
}

/// The hash of an account's password.
pub(crate) async fn password_hash(
    db: impl PgExecutor<'_>,
    id: AccountId,
) -> sqlx::Result<Option<String>> {
    let hash: Option<Option<String>> =
        sqlx::query_scalar("select password_hash from gateway.account where id = $1")
            .bind(id.0)
            .fetch_optional(db)
            .await?;
    Ok(hash.flatten())
}

/// Whether an account still has this password and may be used; until the transaction ends, nobody changes that.
pub(crate) async fn still_opens(
    db: impl PgExecutor<'_>,
    id: AccountId,
    hash: Option<&str>,
) -> sqlx::Result<bool> {
    let found: Option<Uuid> = sqlx::query_scalar(
        r"
        select id from gateway.account
        where id = $1 and password_hash = $2 and suspended_at is null
        for no key update
        ",
    )
    .bind(id.0)
    .bind(hash)
    .fetch_optional(db)
    .await?;
    Ok(found.is_some())
}

/// Sets the hash of an account's password.
pub(crate) async fn set_password_hash(
    db: impl PgExecutor<'_>,
    id: AccountId,
    hash: &str,
) -> sqlx::Result<()> {
    sqlx::query("update gateway.account set password_hash = $2 where id = $1")
        .bind(id.0)
        .bind(hash)
        .execute(db)
        .await?;
    Ok(())
}

/// What is to be changed of an account; what is absent stays.
#[derive(Debug, Clone, Default)]
pub(crate) struct Change<'a> {
    /// The name that others see.
    pub name: Option<&'a str>,
    /// The language its owner reads.
    pub locale: Option<Locale>,
    /// What it may do.
    pub role: Option<Role>,
    /// Whether it may not be used.
    pub suspended: Option<bool>,
}

/// Changes an account and answers how it is now; `None` when there is none.
pub(crate) async fn change(
    db: impl PgExecutor<'_>,
    id: AccountId,
    change: &Change<'_>,
) -> sqlx::Result<Option<StoredAccount>> {
    sqlx::query_as(
        r"
        update gateway.account set
            name = coalesce($2, name),
            locale = coalesce($3, locale),
            role = coalesce($4, role),
            suspended_at = case $5 when true then coalesce(suspended_at, now()) when false then null else suspended_at end
        where id = $1
        returning id, email, name, role, locale, suspended_at is not null as suspended, created_at
        ",
    )
    .bind(id.0)
    .bind(change.name)
    .bind(change.locale.map(Locale::as_str))
    .bind(change.role.map(Role::as_str))
    .bind(change.suspended)
    .fetch_optional(db)
    .await
}

/// Locks all admins that may be used, so that two changes cannot each leave the other as the last; how many there are.
pub(crate) async fn lock_admins(db: impl PgExecutor<'_>) -> sqlx::Result<usize> {
    let admins: Vec<Uuid> = sqlx::query_scalar(
        "select id from gateway.account where role = 'admin' and suspended_at is null order by id for update",
    )
    .fetch_all(db)
    .await?;
    Ok(admins.len())
}

/// Which accounts to list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter<'a> {
    /// A part of name or address, in any case.
    pub query: Option<&'a str>,
    /// Of this role.
    pub role: Option<Role>,
    /// Suspended ones, or the others.
    pub suspended: Option<bool>,
    /// Only those behind it.
    pub after: Option<AccountId>,
}

/// Lists accounts in the order in which they were made.
pub(crate) async fn list(
    db: impl PgExecutor<'_>,
    filter: &Filter<'_>,
    limit: i64,
) -> sqlx::Result<Vec<StoredAccount>> {
    sqlx::query_as(
        r"
        select id, email, name, role, locale, suspended_at is not null as suspended, created_at
        from gateway.account
        where ($1::text is null or strpos(email, lower($1)) > 0 or strpos(lower(name), lower($1)) > 0)
          and ($2::text is null or role = $2)
          and ($3::boolean is null or (suspended_at is not null) = $3)
          and ($4::uuid is null or id > $4)
        order by id
        limit $5
        ",
    )
    .bind(filter.query)
    .bind(filter.role.map(Role::as_str))
    .bind(filter.suspended)
    .bind(filter.after.map(|id| id.0))
    .bind(limit)
    .fetch_all(db)
    .await
}
