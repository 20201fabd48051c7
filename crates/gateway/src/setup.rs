//! What the operator does on the machine, with the database at hand: the first key, the first admin, demo accounts, a token.
//!
//! Every step may be repeated; none weakens what is there.

use contract::{AccountId, Locale, Role};
use sqlx::{Connection, PgPool};
use time::{Duration, OffsetDateTime};

use crate::{
    access_token::{SignError, Signer, SigningPair},
    email::{BadEmail, Email},
    password::{self, Answer, BadPassword, HashError, Password},
    secret::OneTimeCode,
    store::{
        self,
        account::{Change, NewAccount},
        audit::{Action, Entry},
    },
};

/// How long the first admin's code is good.
const CODE_LIFETIME: Duration = Duration::days(1);

/// Why the operator's wish was not done.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The database.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// The address.
    #[error(transparent)]
    Email(#[from] BadEmail),
    /// The password.
    #[error(transparent)]
    Password(#[from] BadPassword),
    /// Hashing.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// Signing.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// There is no key.
    #[error("there is no signing key yet: run `codementor setup`")]
    NoKey,
    /// There is no such account.
    #[error("there is no such account that may be used")]
    NoAccount,
}

/// What was set up.
#[derive(Debug)]
pub struct SetUp {
    /// Whether the first signing key was made now.
    pub key_made: bool,
    /// A code with which the admin chooses a password, good once and for a day; absent when no admin was asked for, or
    /// there is one with a password already.
    pub code: Option<String>,
}

/// Makes the first signing key and, when asked to, the first admin.
pub async fn setup(db: &PgPool, admin: Option<&str>) -> Result<SetUp, SetupError> {
    let key_made = ensure_signing_key(db).await?;
    let code = match admin {
        Some(email) => first_admin(db, email).await?,
        None => None,
    };
    Ok(SetUp { key_made, code })
}

/// Makes the first signing key; whether it did.
pub async fn ensure_signing_key(db: &PgPool) -> Result<bool, SetupError> {
    add_key(db, true).await
}

/// Signs access tokens with a new key from now on; the former one proves what it has signed until that has expired.
pub async fn rotate_signing_key(db: &PgPool) -> Result<(), SetupError> {
    add_key(db, false).await.map(drop)
}

async fn add_key(db: &PgPool, only_first: bool) -> Result<bool, SetupError> {
    let mut connection = db.acquire().await?;
    let mut transaction = connection.begin().await?;
    let pair = SigningPair::generate();
    let added = store::key::add(&mut transaction, &pair, only_first).await?;
    if added {
        let detail = serde_json::json!({ "kid": pair.kid });
        let entry = Entry {
            detail: Some(detail),
            ..Entry::default()
        };
        store::audit::add(&mut *transaction, Action::SigningKeyAdded, &entry).await?;
    }
    transaction.commit().await?;
    Ok(added)
}

/// Makes an admin of that address and answers with a one-time code to choose a password with. `None` when that admin has a
/// password already: who has lost it asks another admin, or suspends the account in the database and sets it up again.
pub async fn first_admin(db: &PgPool, email: &str) -> Result<Option<String>, SetupError> {
    let email = Email::parse(email)?;
    ensure_signing_key(db).await?;
    let mut transaction = db.begin().await?;
    let new = NewAccount {
        email: &email,
        name: "Admin",
        role: Role::Admin,
        locale: Locale::default(),
        password_hash: None,
    };
    let account = if let Some(made) = store::account::insert(&mut *transaction, &new).await? {
        made
    } else {
        let found = store::account::by_email(&mut *transaction, &email).await?;
        let (account, password) = found.ok_or(SetupError::NoAccount)?;
        if account.role == Role::Admin && password.is_some() && !account.suspended {
            return Ok(None);
        }
        let change = Change {
            role: Some(Role::Admin),
            suspended: Some(false),
            ..Change::default()
        };
        let changed = store::account::change(&mut *transaction, account.id, &change).await?;
        changed.ok_or(SetupError::NoAccount)?
    };
    let code = OneTimeCode::generate();
    store::code::insert(&mut *transaction, &code, account.id, None, CODE_LIFETIME).await?;
    let entry = Entry {
        account: Some(account.id),
        ..Entry::default()
    };
    store::audit::add(&mut *transaction, Action::AdminSetUp, &entry).await?;
    transaction.commit().await?;
    Ok(Some(code.reveal()))
}

/// An account that everybody on this machine may use.
#[derive(Debug, Clone)]
pub struct DemoAccount {
    /// What it may do.
    pub role: Role,
    /// Its address.
    pub email: String,
    /// Its password.
    pub password: String,
}

/// Makes each demo account, or gives it this password. For a laptop only.
pub async fn ensure_demo_accounts(db: &PgPool, accounts: &[DemoAccount]) -> Result<(), SetupError> {
    for account in accounts {
        demo_account(db, &account.email, &account.password, account.role).await?;
    }
    Ok(())
}

/// Makes one demo account, or gives it this password.
pub async fn demo_account(
    db: &PgPool,
    email: &str,
    password: &str,
    role: Role,
) -> Result<AccountId, SetupError> {
    let email = Email::parse(email)?;
    Password::parse(password.to_owned())?;
    ensure_signing_key(db).await?;
    if let Some((account, Some(stored))) = store::account::by_email(db, &email).await? {
        let same = !matches!(password::verify_now(password, &stored)?, Answer::Wrong);
        if same && account.role == role && !account.suspended {
            return Ok(account.id);
        }
    }
    let hash = password::hash_now(password)?;
    let name = match role {
        Role::Learner => "Demo learner",
        Role::Teacher => "Demo teacher",
        Role::Admin => "Demo admin",
    };
    let mut transaction = db.begin().await?;
    let new = NewAccount {
        email: &email,
        name,
        role,
        locale: Locale::default(),
        password_hash: Some(&hash),
    };
    let id = if let Some(made) = store::account::insert(&mut *transaction, &new).await? {
        made.id
    } else {
        let found = store::account::by_email(&mut *transaction, &email).await?;
        let (account, _) = found.ok_or(SetupError::NoAccount)?;
        let change = Change {
            role: Some(role),
            suspended: Some(false),
            ..Change::default()
        };
        store::account::change(&mut *transaction, account.id, &change).await?;
        store::account::set_password_hash(&mut *transaction, account.id, &hash).await?;
        account.id
    };
    transaction.commit().await?;
    Ok(id)
}

/// Whose token the operator wants.
#[derive(Debug, Clone)]
pub enum Owner {
    /// This account's.
    Account(AccountId),
    /// The account's of this address.
    Email(String),
    /// That of the oldest account of this role.
    Role(Role),
}

/// An access token for an account, as if its owner had signed in; for the operator on the machine. It ends after ten minutes.
pub async fn mint_access_token(db: &PgPool, owner: &Owner) -> Result<String, SetupError> {
    let account = match owner {
        Owner::Account(id) => store::account::by_id(db, *id).await?,
        Owner::Email(email) => store::account::by_email(db, &Email::parse(email)?)
            .await?
            .map(|(account, _)| account),
        Owner::Role(role) => store::account::first_of_role(db, *role).await?,
    };
    let account = account
        .filter(|account| !account.suspended)
        .ok_or(SetupError::NoAccount)?;
    let (signing, _) = store::key::load(db).await?;
    let signer = Signer::new(&signing.ok_or(SetupError::NoKey)?)?;
    let token = signer.sign(account.id, None, OffsetDateTime::now_utc())?;
    let entry = Entry {
        account: Some(account.id),
        ..Entry::default()
    };
    store::audit::add(db, Action::TokenMinted, &entry).await?;
    Ok(token)
}
