//! Who is asking: an access token or a personal API token in `Authorization`, and nowhere else, turned into an account.
//!
//! Never reads a cookie or the URL. The account is looked up and remembered for at most a second, so that a suspended one is
//! refused at its next request and a busy one costs the database one statement a second.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::extract::FromRequestParts;
use contract::{Account, AccountId, Role};
use http::{HeaderMap, header, request::Parts};
use service::Problem;
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    keys::Keys,
    scope::Scope,
    secret::{API_TOKEN_PREFIX, ApiToken, Hash},
    state::App,
    store::{self, account::StoredAccount},
};

/// How long an account is remembered.
const REMEMBERED: Duration = Duration::from_secs(1);
/// More than that many are not remembered at once.
const MOST_REMEMBERED: usize = 20_000;
/// No credential of ours is as long.
const MAX_CREDENTIAL_BYTES: usize = 4_096;

/// The person behind a request, within the limits of requests.
#[derive(Debug, Clone)]
pub(crate) struct SignedIn(pub(crate) Arc<Signed>);

/// The account, and what it was proved with.
#[derive(Debug)]
pub(crate) struct Signed {
    pub(crate) account: StoredAccount,
    /// The session of an access token.
    pub(crate) session: Option<Uuid>,
    /// What a personal API token may do; `None` for a person who signed in.
    scopes: Option<Vec<Scope>>,
    /// When the credential ends.
    expires_at: Option<OffsetDateTime>,
}

impl SignedIn {
    /// The account's id.
    pub(crate) fn id(&self) -> AccountId {
        self.0.account.id
    }

    /// What other services are told.
    pub(crate) fn account(&self) -> Account {
        let StoredAccount {
            id,
            role,
            locale,
            ref name,
            ..
        } = self.0.account;
        Account {
            id,
            role,
            locale,
            name: name.clone(),
        }
    }

    /// Refuses who has not at least this role.
    pub(crate) fn require(&self, role: Role) -> Result<(), Problem> {
        if self.0.account.role >= role {
            return Ok(());
        }
        Err(Problem::forbidden(format!(
            "this takes the role {}",
            role.as_str()
        )))
    }
}

impl FromRequestParts<App> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let credential = bearer(&parts.headers)?;
        let signed = app.sign_ins.look_up(&app.db, &app.keys, credential).await?;
        app.limits.request(signed.account.id)?;
        if let Some(scopes) = &signed.scopes {
            let needed = Scope::needed(&parts.method, parts.uri.path());
            match needed {
                Some(scope) if scopes.contains(&scope) => {}
                Some(scope) => {
                    let detail = format!(
                        "this API token lacks the scope {}: make one that has it",
                        scope.as_str()
                    );
                    return Err(Problem::forbidden(detail));
                }
                None => return Err(Problem::forbidden("an API token cannot do this: sign in")),
            }
        }
        Ok(Self(signed))
    }
}

/// The one credential of a request.
fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(Problem::unauthenticated(
            "send one header `Authorization: Bearer <token>`, with a token from /api/v1/auth/login",
        ));
    };
    let credential = value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, credential)| credential.trim());
    credential
        .filter(|credential| !credential.is_empty() && credential.len() <= MAX_CREDENTIAL_BYTES)
        .ok_or_else(|| Problem::unauthenticated("the header reads `Authorization: Bearer <token>`"))
}

/// When it was looked up, and what was found.
type Remembered = (Instant, Arc<Signed>);

/// Accounts that asked within the last second, by the SHA-256 of what they showed.
#[derive(Debug, Default)]
pub(crate) struct SignIns {
    remembered: Mutex<HashMap<Hash, Remembered>>,
}

impl SignIns {
    /// Who shows this credential.
    async fn look_up(
        &self,
        db: &PgPool,
        keys: &Keys,
        credential: &str,
    ) -> Result<Arc<Signed>, Problem> {
        let name = Sha256::digest(credential).into();
        if let Some(signed) = self.remembered(&name) {
            return Ok(signed);
        }
        let signed = Arc::new(if credential.starts_with(API_TOKEN_PREFIX) {
            by_api_token(db, credential).await?
        } else {
            by_access_token(db, keys, credential).await?
        });
        self.remember(name, &signed);
        Ok(signed)
    }

    /// Has the account looked up at its next request: something about it has changed.
    pub(crate) fn forget(&self, account: AccountId) {
        let mut remembered = self
            .remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        remembered.retain(|_, (_, signed)| signed.account.id != account);
    }

    fn remembered(&self, name: &Hash) -> Option<Arc<Signed>> {
        let remembered = self
            .remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let (at, signed) = remembered.get(name)?;
        let good = at.elapsed() < REMEMBERED
            && signed
                .expires_at
                .is_none_or(|end| end > OffsetDateTime::now_utc());
        good.then(|| Arc::clone(signed))
    }

    fn remember(&self, name: Hash, signed: &Arc<Signed>) {
        let mut remembered = self
            .remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= MOST_REMEMBERED {
            remembered.retain(|_, (at, _)| at.elapsed() < REMEMBERED);
        }
        if remembered.len() < MOST_REMEMBERED {
            remembered.insert(name, (Instant::now(), Arc::clone(signed)));
        }
    }
}

async fn by_access_token(db: &PgPool, keys: &Keys, token: &str) -> Result<Signed, Problem> {
    let claims = keys.verify(token).await.map_err(|refused| {
        tracing::debug!(%refused, "access token refused");
        Problem::unauthenticated(
            "the access token is not good, or not any more: refresh it, or sign in",
        )
    })?;
    let account = store::signed_in::by_session(db, claims.sub, claims.sid)
        .await?
        .ok_or_else(|| Problem::unauthenticated("this sign-in has ended: sign in again"))?;
    let expires_at = OffsetDateTime::from_unix_timestamp(claims.exp).ok();
    Ok(Signed {
        account,
        session: claims.sid,
        scopes: None,
        expires_at,
    })
}

async fn by_api_token(db: &PgPool, token: &str) -> Result<Signed, Problem> {
    let refused =
        || Problem::unauthenticated("the API token is not good, or not any more: make another one");
    let token = ApiToken::parse(token).ok_or_else(refused)?;
    let owner = store::signed_in::by_api_token(db, &token.hash())
        .await?
        .ok_or_else(refused)?;
    Ok(Signed {
        account: owner.account,
        session: None,
        scopes: Some(owner.scopes),
        expires_at: owner.expires_at,
    })
}
