//! Accounts of others: what an admin, or a teacher for a learner who has lost the password, may do.

use axum::{extract::State, response::IntoResponse};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use contract::{AccountId, Role};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use service::{
    Problem,
    extract::{Json, Path, Query},
};
use time::{Duration, OffsetDateTime};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    routes::me::AccountBody,
    secret::OneTimeCode,
    signed_in::SignedIn,
    state::App,
    store::{
        self,
        account::{Change, Filter},
        audit::{Action, Entry},
        session::EndedBy,
    },
    visitor::Visitor,
};

/// How long a code is good that a teacher or admin makes for somebody.
const CODE_LIFETIME: Duration = Duration::days(1);
const MOST_LISTED: u16 = 100;

/// Which accounts to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// A part of name or address.
    query: Option<String>,
    /// Only this role.
    role: Option<Role>,
    /// Only suspended ones, or only the others.
    suspended: Option<bool>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// At most so many; 50 when absent.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
}

/// A page of accounts.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccountList {
    items: Vec<AccountBody>,
    /// For the next page; `null` on the last.
    next_cursor: Option<String>,
}

/// What to change; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeAccount {
    /// What it may do.
    role: Option<Role>,
    /// Whether it may not be used; ends its sign-ins.
    suspended: Option<bool>,
}

/// A one-time code.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CodeBody {
    /// For `POST /api/v1/auth/reset`; it is not shown again.
    code: String,
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
}

/// Find accounts.
#[utoipa::path(
    get, path = "/api/v1/accounts", tag = "accounts", operation_id = "list_accounts", params(ListQuery),
    responses(
        (status = 200, body = AccountList),
        Problem,
    ),
)]
pub(crate) async fn list(
    State(app): State<App>,
    signed_in: SignedIn,
    Query(query): Query<ListQuery>,
) -> Result<axum::Json<AccountList>, Problem> {
    signed_in.require(Role::Admin)?;
    let after = match &query.cursor {
        Some(cursor) => Some(
            read_cursor(cursor).ok_or_else(|| Problem::malformed("this cursor is none of ours"))?,
        ),
        None => None,
    };
    let limit = query.limit.unwrap_or(50);
    if !(1..=MOST_LISTED).contains(&limit) {
        let message = "a page holds 1 to 100: choose such a limit";
        return Err(Problem::invalid(message).with_error("/limit", "invalid-value", message));
    }
    let filter = Filter {
        query: query.query.as_deref(),
        role: query.role,
        suspended: query.suspended,
        after,
    };
    let mut accounts = store::account::list(&app.db, &filter, i64::from(limit) + 1).await?;
    let most = usize::from(limit);
    let more = accounts.len() > most;
    accounts.truncate(most);
    let next_cursor = accounts.last().filter(|_| more).map(|last| cursor(last.id));
    Ok(axum::Json(AccountList {
        items: accounts.into_iter().map(Into::into).collect(),
        next_cursor,
    }))
}

fn cursor(id: AccountId) -> String {
    URL_SAFE_NO_PAD.encode(id.0)
}

fn read_cursor(text: &str) -> Option<AccountId> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    Uuid::from_slice(&bytes).ok().map(AccountId)
}

/// Change an account's role, suspend it or let it be used again.
#[utoipa::path(
    patch, path = "/api/v1/accounts/{id}", tag = "accounts", operation_id = "change_account", request_body = ChangeAccount, params(("id" = Uuid, Path)),
    responses(
        (status = 200, body = AccountBody),
        Problem,
    ),
)]
pub(crate) async fn change(
    State(app): State<App>,
    signed_in: SignedIn,
    Visitor(address): Visitor,
    Path(id): Path<AccountId>,
    Json(body): Json<ChangeAccount>,
) -> Result<axum::Json<AccountBody>, Problem> {
    signed_in.require(Role::Admin)?;
    let mut transaction = app.db.begin().await?;
    let admins = store::account::lock_admins(&mut *transaction).await?;
    let before = store::account::by_id(&mut *transaction, id)
        .await?
        .ok_or_else(|| Problem::not_found("account"))?;
    let change = Change {
        role: body.role,
        suspended: body.suspended,
        ..Change::default()
    };
    let after = store::account::change(&mut *transaction, id, &change)
        .await?
        .ok_or_else(|| Problem::not_found("account"))?;
    let was_admin = before.role == Role::Admin && !before.suspended;
    let is_admin = after.role == Role::Admin && !after.suspended;
    if was_admin && !is_admin && admins <= 1 {
        return Err(Problem::conflict(
            "this is the last admin: make another one first",
        ));
    }
    let mut actions = Vec::new();
    if before.role != after.role {
        actions.push((
            Action::RoleChanged,
            Some(serde_json::json!({ "from": before.role, "to": after.role })),
        ));
    }
    if before.suspended != after.suspended {
        actions.push((
            if after.suspended {
                Action::Suspended
            } else {
                Action::Resumed
            },
            None,
        ));
    }
    if before.role != after.role || after.suspended {
        // They were made for what it was.
        store::code::void_all(&mut *transaction, id).await?;
    }
    if after.suspended {
        store::session::end_all(&mut *transaction, id, None, EndedBy::Suspended).await?;
    }
    for (action, detail) in actions {
        let entry = Entry {
            actor: Some(signed_in.id()),
            account: Some(id),
            address: Some(address),
            detail,
        };
        store::audit::add(&mut *transaction, action, &entry).await?;
    }
    transaction.commit().await?;
    app.sign_ins.forget(id);
    Ok(axum::Json(after.into()))
}

/// Make a one-time code with which somebody sets a new password: teachers for learners, admins for anybody.
#[utoipa::path(
    post, path = "/api/v1/accounts/{id}/reset-code", tag = "accounts", operation_id = "make_reset_code", params(("id" = Uuid, Path)),
    responses(
        (status = 201, body = CodeBody),
        Problem,
    ),
)]
pub(crate) async fn make_reset_code(
    State(app): State<App>,
    signed_in: SignedIn,
    Visitor(address): Visitor,
    Path(id): Path<AccountId>,
) -> Result<impl IntoResponse, Problem> {
    signed_in.require(Role::Teacher)?;
    let account = store::account::by_id(&app.db, id)
        .await?
        .ok_or_else(|| Problem::not_found("account"))?;
    if account.role > Role::Learner {
        // A code is as good as the password: nobody gets above the own role with one.
        signed_in.require(Role::Admin)?;
    }
    if account.suspended {
        return Err(Problem::conflict(
            "the account is suspended: an admin lets it be used again first",
        ));
    }
    let code = OneTimeCode::generate();
    let mut transaction = app.db.begin().await?;
    let expires_at = store::code::insert(
        &mut *transaction,
        &code,
        id,
        Some(signed_in.id()),
        CODE_LIFETIME,
    )
    .await?;
    let entry = Entry {
        actor: Some(signed_in.id()),
        account: Some(id),
        address: Some(address),
        detail: None,
    };
    store::audit::add(&mut *transaction, Action::ResetCodeMade, &entry).await?;
    transaction.commit().await?;
    Ok((
        StatusCode::CREATED,
        axum::Json(CodeBody {
            code: code.reveal(),
            expires_at,
        }),
    ))
}
