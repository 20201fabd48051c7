//! The account of who is signed in.

use axum::extract::State;
use contract::{AccountId, Locale, Role};
use serde::{Deserialize, Serialize};
use service::{Problem, extract::Json};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::{
    fields::Violations,
    password::Answer,
    signed_in::SignedIn,
    state::App,
    store::{
        self,
        account::{Change, StoredAccount},
        audit::{Action, Entry},
        session::EndedBy,
    },
    visitor::Visitor,
};

/// An account, as its owner and admins see it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccountBody {
    id: AccountId,
    email: String,
    /// The name that others see.
    name: String,
    role: Role,
    locale: Locale,
    /// Whether it may not be used.
    suspended: bool,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

impl From<StoredAccount> for AccountBody {
    fn from(account: StoredAccount) -> Self {
        let StoredAccount {
            id,
            email,
            name,
            role,
            locale,
            suspended,
            created_at,
        } = account;
        Self {
            id,
            email,
            name,
            role,
            locale,
            suspended,
            created_at,
        }
    }
}

/// What to change; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeMe {
    /// The name that others see.
    name: Option<String>,
    /// `ko` or `en`.
    locale: Option<String>,
    /// A new password, 8 to 256 characters; ends all other sign-ins.
    password: Option<String>,
    /// The password so far; needed for a new one.
    current_password: Option<String>,
}

/// The account of who is signed in.
#[utoipa::path(
    get, path = "/api/v1/me", tag = "account", operation_id = "show_me",
    responses(
        (status = 200, body = AccountBody),
        Problem,
    ),
)]
pub(crate) async fn show(signed_in: SignedIn) -> axum::Json<AccountBody> {
    axum::Json(signed_in.0.account.clone().into())
}

/// Change name, language or password.
#[utoipa::path(
    patch, path = "/api/v1/me", tag = "account", operation_id = "change_me", request_body = ChangeMe,
    responses(
        (status = 200, body = AccountBody),
        Problem,
    ),
)]
pub(crate) async fn change(
    State(app): State<App>,
    signed_in: SignedIn,
    Visitor(address): Visitor,
    Json(body): Json<ChangeMe>,
) -> Result<axum::Json<AccountBody>, Problem> {
    let mut violations = Violations::default();
    let name = body.name.and_then(|name| violations.name("/name", &name));
    let locale = body
        .locale
        .and_then(|tag| violations.locale("/locale", &tag));
    let password = body
        .password
        .and_then(|password| violations.password("/password", password));
    violations.none(Some(()))?;
    let id = signed_in.id();
    let hash = match password {
        Some(password) => {
            app.limits.sign_in(address)?;
            let stored = store::account::password_hash(&app.db, id).await?;
            let current = body.current_password.unwrap_or_default();
            if app.hasher.verify(&current, stored.as_deref()).await? == Answer::Wrong {
                return Err(
                    Problem::invalid("a new password takes the one so far").with_error(
                        "/current_password",
                        "wrong",
                        "this is not the password so far",
                    ),
                );
            }
            Some(app.hasher.hash(&password).await?)
        }
        None => None,
    };
    let mut transaction = app.db.begin().await?;
    if let Some(hash) = hash {
        store::account::set_password_hash(&mut *transaction, id, &hash).await?;
        store::code::void_all(&mut *transaction, id).await?;
        store::session::end_all(
            &mut *transaction,
            id,
            signed_in.0.session,
            EndedBy::Password,
        )
        .await?;
        let entry = Entry {
            actor: Some(id),
            account: Some(id),
            address: Some(address),
            detail: None,
        };
        store::audit::add(&mut *transaction, Action::PasswordChanged, &entry).await?;
    }
    let change = Change {
        name: name.as_deref(),
        locale,
        ..Change::default()
    };
    let account = store::account::change(&mut *transaction, id, &change)
        .await?
        .ok_or_else(|| Problem::not_found("account"))?;
    transaction.commit().await?;
    app.sign_ins.forget(id);
    Ok(axum::Json(account.into()))
}
