//! Signing in and out. Answers about credentials are the same, and take as long, whatever it is that is wrong.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use contract::{AccountId, Locale, Role};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use service::{Problem, extract::Json};
use sqlx::PgConnection;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    access_token::LIFETIME_SECONDS,
    config::Registration,
    cookie,
    email::Email,
    fields::Violations,
    password::Answer,
    routes::me::AccountBody,
    secret::{OneTimeCode, RefreshToken},
    session::Worth,
    state::App,
    store::{
        self,
        account::NewAccount,
        audit::{Action, Entry},
        session::EndedBy,
    },
    visitor::{OwnPage, Visitor},
};

/// A new account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Register {
    /// The address to sign in with.
    email: String,
    /// 8 to 256 characters.
    password: String,
    /// The name that others see.
    name: String,
    /// `ko` or `en`; `en` when absent.
    locale: Option<String>,
}

/// Address and password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Login {
    /// The address, in any case.
    email: String,
    /// The password.
    password: String,
}

/// A one-time code and the password to set.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reset {
    /// As it was shown, in any case, with or without dashes.
    code: String,
    /// The new password, 8 to 256 characters.
    password: String,
}

/// An access token; the refresh token is in the cookie.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SignInBody {
    /// To be sent as `Authorization: Bearer …`.
    access_token: String,
    /// `Bearer`.
    token_type: &'static str,
    /// Seconds.
    expires_in: i64,
}

/// Make an account of your own; its role is `learner`.
#[utoipa::path(
    post, path = "/api/v1/auth/register", tag = "sign-in", operation_id = "register", request_body = Register, security(()),
    responses(
        (status = 201, body = AccountBody),
        Problem,
    ),
)]
pub(crate) async fn register(
    State(app): State<App>,
    Visitor(address): Visitor,
    Json(body): Json<Register>,
) -> Result<impl IntoResponse, Problem> {
    app.limits.sign_in(address)?;
    if app.settings.registration == Registration::Closed {
        return Err(Problem::forbidden(
            "accounts are made by an admin here: ask for one",
        ));
    }
    let mut violations = Violations::default();
    let email = violations.email("/email", &body.email);
    let password = violations.password("/password", body.password);
    let name = violations.name("/name", &body.name);
    let locale = match &body.locale {
        Some(tag) => violations.locale("/locale", tag),
        None => Some(Locale::default()),
    };
    let parts = || Some((email?, password?, name?, locale?));
    let (email, password, name, locale) = violations.none(parts())?;
    let hash = app.hasher.hash(&password).await?;
    let new = NewAccount {
        email: &email,
        name: &name,
        role: Role::Learner,
        locale,
        password_hash: Some(&hash),
    };
    let account = store::account::insert(&app.db, &new)
        .await?
        .ok_or_else(|| Problem::conflict("there is an account with this e-mail address: sign in, or ask a teacher for a code"))?;
    let entry = Entry {
        actor: Some(account.id),
        account: Some(account.id),
        address: Some(address),
        detail: None,
    };
    store::audit::add(&app.db, Action::Registered, &entry).await?;
    Ok((StatusCode::CREATED, axum::Json(AccountBody::from(account))))
}

/// Sign in.
#[utoipa::path(
    post, path = "/api/v1/auth/login", tag = "sign-in", operation_id = "log_in", request_body = Login, security(()),
    responses(
        (status = 200, description = "with the refresh cookie", body = SignInBody),
        Problem,
    ),
)]
pub(crate) async fn login(
    State(app): State<App>,
    Visitor(address): Visitor,
    Json(body): Json<Login>,
) -> Result<Response, Problem> {
    app.limits.sign_in(address)?;
    let found = match Email::parse(&body.email) {
        Ok(email) => store::account::by_email(&app.db, &email).await?,
        Err(_) => None,
    };
    let stored = found.as_ref().and_then(|(_, hash)| hash.as_deref());
    let answer = app.hasher.verify(&body.password, stored).await?;
    let mut transaction = app.db.begin().await?;
    let opened = match &found {
        // To verify takes a while: meanwhile another password may have been set.
        Some((account, hash)) if answer != Answer::Wrong => {
            store::account::still_opens(&mut *transaction, account.id, hash.as_deref()).await?
        }
        _ => false,
    };
    let account = found.map(|(account, _)| account);
    let Some(account) = account.clone().filter(|_| opened) else {
        let entry = Entry {
            account: account.map(|account| account.id),
            address: Some(address),
            ..Entry::default()
        };
        store::audit::add(&mut *transaction, Action::LoginFailed, &entry).await?;
        transaction.commit().await?;
        metrics::counter!("codementor_logins_total", "result" => "failed").increment(1);
        return Err(Problem::unauthenticated(
            "e-mail address or password is wrong, or the account is suspended",
        ));
    };
    if let Answer::RightRehashed(hash) = answer {
        store::account::set_password_hash(&mut *transaction, account.id, &hash).await?;
    }
    let signed_in = begin_session(&app, &mut transaction, account.id).await?;
    let entry = Entry {
        actor: Some(account.id),
        account: Some(account.id),
        address: Some(address),
        detail: None,
    };
    store::audit::add(&mut *transaction, Action::LoginOk, &entry).await?;
    transaction.commit().await?;
    metrics::counter!("codementor_logins_total", "result" => "ok").increment(1);
    Ok(signed_in.into_response())
}

/// Exchange the refresh cookie for the next one and an access token.
#[utoipa::path(
    post, path = "/api/v1/auth/refresh", tag = "sign-in", operation_id = "refresh_sign_in", security(("refresh_cookie" = [])),
    responses(
        (status = 200, description = "with the next refresh cookie", body = SignInBody),
        Problem,
    ),
)]
pub(crate) async fn refresh(
    State(app): State<App>,
    _: OwnPage,
    Visitor(address): Visitor,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Some(token) = cookie::read(&headers) else {
        return Ok(refused(&app));
    };
    let mut transaction = app.db.begin().await?;
    let Some(found) = store::session::find_and_lock(&mut transaction, &token.hash()).await? else {
        return Ok(refused(&app));
    };
    let successor = match found.presented().worth(found.now) {
        _ if found.suspended => None,
        Worth::Rotate => {
            Some(store::session::rotate(&mut transaction, found.session, &token).await?)
        }
        Worth::Repeat => found.salt().map(|salt| token.successor(&salt)),
        Worth::Refuse => None,
        Worth::Reuse => {
            store::session::end(&mut *transaction, found.session, EndedBy::Reuse).await?;
            let detail = serde_json::json!({ "session": found.session });
            let entry = Entry {
                account: Some(found.account()),
                address: Some(address),
                detail: Some(detail),
                ..Entry::default()
            };
            store::audit::add(&mut *transaction, Action::RefreshReused, &entry).await?;
            metrics::counter!("codementor_refresh_reused_total").increment(1);
            tracing::warn!(session = %found.session, "an exchanged refresh token came back: session ended");
            None
        }
    };
    let signed_in = match successor {
        Some(token) => Some(SignInAnswer::new(
            &app,
            found.account(),
            found.session,
            &token,
        )?),
        None => None,
    };
    transaction.commit().await?;
    Ok(signed_in.map_or_else(|| refused(&app), IntoResponse::into_response))
}

/// Sign out: the session ends, with all its tokens.
#[utoipa::path(
    post, path = "/api/v1/auth/logout", tag = "sign-in", operation_id = "log_out", security(("refresh_cookie" = [])),
    responses((status = 204, description = "signed out, or was not signed in"), Problem),
)]
pub(crate) async fn logout(
    State(app): State<App>,
    _: OwnPage,
    Visitor(address): Visitor,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    if let Some(token) = cookie::read(&headers) {
        let mut transaction = app.db.begin().await?;
        if let Some(found) = store::session::find_and_lock(&mut transaction, &token.hash()).await?
            && store::session::end(&mut *transaction, found.session, EndedBy::Logout).await?
        {
            let owner = Some(found.account());
            let entry = Entry {
                actor: owner,
                account: owner,
                address: Some(address),
                detail: None,
            };
            store::audit::add(&mut *transaction, Action::Logout, &entry).await?;
            transaction.commit().await?;
            app.sign_ins.forget(found.account());
        }
    }
    Ok((StatusCode::NO_CONTENT, cookie::clear(app.settings.https)))
}

/// Set a password with a one-time code, and be signed in.
#[utoipa::path(
    post, path = "/api/v1/auth/reset", tag = "sign-in", operation_id = "reset_password", request_body = Reset, security(()),
    responses(
        (status = 200, description = "with the refresh cookie", body = SignInBody),
        Problem,
    ),
)]
pub(crate) async fn reset(
    State(app): State<App>,
    Visitor(address): Visitor,
    Json(body): Json<Reset>,
) -> Result<Response, Problem> {
    app.limits.sign_in(address)?;
    let mut violations = Violations::default();
    let password = violations.password("/password", body.password);
    let password = violations.none(password)?;
    let refused =
        || Problem::unauthenticated("the code is wrong, used or expired: ask for another one");
    let code = OneTimeCode::parse(&body.code).ok_or_else(refused)?;
    let mut transaction = app.db.begin().await?;
    let account = store::code::take(&mut transaction, &code.hash())
        .await?
        .ok_or_else(refused)?;
    let hash = app.hasher.hash(&password).await?;
    store::account::set_password_hash(&mut *transaction, account, &hash).await?;
    store::session::end_all(&mut *transaction, account, None, EndedBy::Password).await?;
    let signed_in = begin_session(&app, &mut transaction, account).await?;
    let entry = Entry {
        actor: Some(account),
        account: Some(account),
        address: Some(address),
        detail: None,
    };
    store::audit::add(&mut *transaction, Action::PasswordReset, &entry).await?;
    transaction.commit().await?;
    app.sign_ins.forget(account);
    Ok(signed_in.into_response())
}

async fn begin_session(
    app: &App,
    db: &mut PgConnection,
    account: AccountId,
) -> Result<SignInAnswer, Problem> {
    let (session, token) = store::session::begin(db, account).await?;
    SignInAnswer::new(app, account, session, &token)
}

/// An access token in the body and a refresh token in the cookie.
struct SignInAnswer {
    body: SignInBody,
    cookie: cookie::SetCookie,
}

impl SignInAnswer {
    fn new(
        app: &App,
        account: AccountId,
        session: Uuid,
        token: &RefreshToken,
    ) -> Result<Self, Problem> {
        let ring = app.keys.ring();
        let signer = ring.signer().ok_or_else(|| {
            Problem::unavailable("there is no signing key: the operator runs `codementor setup`")
        })?;
        let access_token = signer
            .sign(account, Some(session), OffsetDateTime::now_utc())
            .map_err(|error| Problem::internal(&error))?;
        Ok(Self {
            body: SignInBody {
                access_token,
                token_type: "Bearer",
                expires_in: LIFETIME_SECONDS,
            },
            cookie: cookie::set(token, app.settings.https),
        })
    }
}

impl IntoResponse for SignInAnswer {
    fn into_response(self) -> Response {
        (self.cookie, axum::Json(self.body)).into_response()
    }
}

fn refused(app: &App) -> Response {
    let problem = Problem::unauthenticated("the sign-in has ended: sign in again");
    (cookie::clear(app.settings.https), problem).into_response()
}
