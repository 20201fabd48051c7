//! The log of actions: who did what to whom. Only ever added to; the database refuses anything else.

use std::net::IpAddr;

use contract::AccountId;
use serde_json::Value;
use sqlx::PgExecutor;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Somebody made an account for themselves.
    Registered,
    /// Somebody signed in.
    LoginOk,
    /// Somebody gave a wrong password.
    LoginFailed,
    /// Somebody signed out.
    Logout,
    /// A refresh token came back that had long been exchanged; its session was ended.
    RefreshReused,
    /// A one-time code was made.
    ResetCodeMade,
    /// A password was set with a one-time code.
    PasswordReset,
    /// The owner changed the password.
    PasswordChanged,
    /// An account got another role.
    RoleChanged,
    /// An account was suspended.
    Suspended,
    /// An account may be used again.
    Resumed,
    /// Accounts were made from a list.
    AccountsImported,
    /// A personal API token was made.
    TokenMade,
    /// A personal API token was revoked.
    TokenRevoked,
    /// The operator made the first admin, or let an admin in again.
    AdminSetUp,
    /// The operator made an access token on the machine.
    TokenMinted,
    /// Access tokens are signed with another key from now on.
    SigningKeyAdded,
}

impl Action {
    /// The word that is stored.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::LoginOk => "login.ok",
            Self::LoginFailed => "login.failed",
            Self::Logout => "logout",
            Self::RefreshReused => "refresh.reused",
            Self::ResetCodeMade => "reset-code.made",
            Self::PasswordReset => "password.reset",
            Self::PasswordChanged => "password.changed",
            Self::RoleChanged => "role.changed",
            Self::Suspended => "account.suspended",
            Self::Resumed => "account.resumed",
            Self::AccountsImported => "accounts.imported",
            Self::TokenMade => "token.made",
            Self::TokenRevoked => "token.revoked",
            Self::AdminSetUp => "admin.set-up",
            Self::TokenMinted => "token.minted",
            Self::SigningKeyAdded => "signing-key.added",
        }
    }
}

/// One line of the log.
#[derive(Debug, Clone, Default)]
pub(crate) struct Entry {
    /// Who did it; absent when nobody was signed in.
    pub actor: Option<AccountId>,
    /// Whose account it was done to.
    pub account: Option<AccountId>,
    /// From where.
    pub address: Option<IpAddr>,
    /// What else there is to know; never a secret.
    pub detail: Option<Value>,
}

/// Adds a line.
pub(crate) async fn add(
    db: impl PgExecutor<'_>,
    action: Action,
    entry: &Entry,
) -> sqlx::Result<()> {
    sqlx::query(
        r"
        insert into gateway.audit (action, actor, account, address, detail) values ($1, $2, $3, $4::inet, $5)
        ",
    )
    .bind(action.as_str())
    .bind(entry.actor.map(|id| id.0))
    .bind(entry.account.map(|id| id.0))
    .bind(entry.address.map(|address| address.to_string()))
    .bind(&entry.detail)
    .execute(db)
    .await?;
    Ok(())
}
