//! Personal API tokens of who is signed in. The token itself is shown once, when it is made.

use axum::{extract::State, response::IntoResponse};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use service::{
    Problem,
    extract::{Json, Path},
};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    fields::Violations,
    scope::Scope,
    secret::ApiToken,
    signed_in::SignedIn,
    state::App,
    store::{
        self,
        api_token::{NewToken, StoredToken},
        audit::{Action, Entry},
    },
    visitor::Visitor,
};

/// Nobody needs more.
const MOST_TOKENS: i64 = 50;

/// A token to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MakeToken {
    /// What it is for.
    name: String,
    /// What it may do; `read` and `submit` when absent.
    scopes: Option<Vec<Scope>>,
    /// When it ends to be good; never when absent.
    #[serde(default, with = "time::serde::rfc3339::option")]
    expires_at: Option<OffsetDateTime>,
}

/// A token, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenBody {
    id: Uuid,
    name: String,
    scopes: Vec<Scope>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    expires_at: Option<OffsetDateTime>,
    /// To the minute.
    #[serde(with = "time::serde::rfc3339::option")]
    last_used_at: Option<OffsetDateTime>,
}

impl From<StoredToken> for TokenBody {
    fn from(token: StoredToken) -> Self {
        let scopes = token.scopes();
        let StoredToken {
            id,
            name,
            created_at,
            expires_at,
            last_used_at,
            ..
        } = token;
        Self {
            id,
            name,
            scopes,
            created_at,
            expires_at,
            last_used_at,
        }
    }
}

/// A token that was made now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MadeToken {
    #[serde(flatten)]
    about: TokenBody,
    /// `cm_pat_…`: keep it, it is not shown again.
    token: String,
}

/// All tokens of an account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenList {
    items: Vec<TokenBody>,
}

/// Your personal API tokens.
#[utoipa::path(
    get, path = "/api/v1/tokens", tag = "account", operation_id = "list_tokens",
    responses(
        (status = 200, body = TokenList),
        Problem,
    ),
)]
pub(crate) async fn list(
    State(app): State<App>,
    signed_in: SignedIn,
) -> Result<axum::Json<TokenList>, Problem> {
    let tokens = store::api_token::list(&app.db, signed_in.id()).await?;
    Ok(axum::Json(TokenList {
        items: tokens.into_iter().map(Into::into).collect(),
    }))
}

/// Make a personal API token.
#[utoipa::path(
    post, path = "/api/v1/tokens", tag = "account", operation_id = "make_token", request_body = MakeToken,
    responses(
        (status = 201, body = MadeToken),
        Problem,
    ),
)]
pub(crate) async fn make(
    State(app): State<App>,
    signed_in: SignedIn,
    Visitor(address): Visitor,
    Json(body): Json<MakeToken>,
) -> Result<impl IntoResponse, Problem> {
    let mut violations = Violations::default();
    let name = violations.name("/name", &body.name);
    let mut scopes = body.scopes.unwrap_or_else(|| Scope::DEFAULT.to_vec());
    scopes.sort_unstable();
    scopes.dedup();
    let scopes = Some(scopes)
        .filter(|scopes| !scopes.is_empty())
        .ok_or("a token without scopes can do nothing");
    let scopes = violations.check("/scopes", "scopes", scopes);
    let future = body
        .expires_at
        .is_none_or(|end| end > OffsetDateTime::now_utc());
    violations.check(
        "/expires_at",
        "expires_at",
        future.then_some(()).ok_or("this time has passed"),
    );
    let (name, scopes) = violations.none(name.zip(scopes))?;
    let (account, token) = (signed_in.id(), ApiToken::generate());
    let new = NewToken {
        account,
        name: &name,
        hash: token.hash(),
        scopes: &scopes,
        expires_at: body.expires_at,
    };
    let mut transaction = app.db.begin().await?;
    let stored = store::api_token::insert(&mut *transaction, &new, MOST_TOKENS)
        .await?
        .ok_or_else(|| {
            Problem::conflict(format!(
                "there are {MOST_TOKENS} tokens already: revoke some"
            ))
        })?;
    let detail = serde_json::json!({ "token": stored.id, "scopes": scopes });
    let entry = Entry {
        actor: Some(account),
        account: Some(account),
        address: Some(address),
        detail: Some(detail),
    };
    store::audit::add(&mut *transaction, Action::TokenMade, &entry).await?;
    transaction.commit().await?;
    Ok((
        StatusCode::CREATED,
        axum::Json(MadeToken {
            about: stored.into(),
            token: token.reveal(),
        }),
    ))
}

/// Revoke a personal API token.
#[utoipa::path(
    delete, path = "/api/v1/tokens/{id}", tag = "account", operation_id = "revoke_token", params(("id" = Uuid, Path)),
    responses(
        (status = 204, description = "it opens nothing any more"),
        Problem,
    ),
)]
pub(crate) async fn revoke(
    State(app): State<App>,
    signed_in: SignedIn,
    Visitor(address): Visitor,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    let account = signed_in.id();
    let mut transaction = app.db.begin().await?;
    if !store::api_token::revoke(&mut *transaction, account, id).await? {
        return Err(Problem::not_found("token"));
    }
    let detail = serde_json::json!({ "token": id });
    let entry = Entry {
        actor: Some(account),
        account: Some(account),
        address: Some(address),
        detail: Some(detail),
    };
    store::audit::add(&mut *transaction, Action::TokenRevoked, &entry).await?;
    transaction.commit().await?;
    app.sign_ins.forget(account);
    Ok(StatusCode::NO_CONTENT)
}
