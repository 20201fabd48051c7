//! Who calls: a service, perhaps on behalf of a person, as extractors for handlers.
//!
//! Every route under `/internal` and every route behind the gateway takes one of the two. Never says why a token does not
//! count; the log does.

use std::{ops::Deref, time::SystemTime};

use axum::extract::{FromRef, FromRequestParts};
use contract::{Account, Role};
use http::{HeaderMap, header::AUTHORIZATION, request::Parts};
use jsonwebtoken::{Algorithm, Validation};

use super::{Claims, LEEWAY, TYPE, TokenError, TrustedKeys};
use crate::Problem;

/// Checks tokens that are shown to one service. Clones are the same.
#[derive(Debug, Clone)]
pub struct Verifier {
    name: String,
    keys: TrustedKeys,
}

/// A service that calls, known by its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The calling service.
    pub iss: String,
    /// The person on whose behalf it calls.
    pub account: Option<Account>,
    /// The blobs (hexadecimal SHA-256) that the token opens; a token with some opens nothing else.
    pub blobs: Option<Vec<String>>,
}

/// The person on whose behalf a service calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal(pub Account);

impl Verifier {
    /// For the service of that name.
    pub fn new(name: &str, keys: TrustedKeys) -> Self {
        Self {
            name: name.to_owned(),
            keys,
        }
    }

    /// Who made this token for this service.
    pub fn verify(&self, token: &str) -> Result<Caller, TokenError> {
        let header = jsonwebtoken::decode_header(token)?;
        if header.typ.as_deref() != Some(TYPE) {
            return Err(TokenError::NotOurs);
        }
        let name = header.kid.ok_or(TokenError::NotOurs)?;
        let Some(key) = self.keys.key(&name) else {
            return Err(TokenError::UnknownKey(name));
        };
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.leeway = LEEWAY;
        validation.set_audience(&[&self.name]);
        validation.set_required_spec_claims(&["exp", "aud", "iss"]);
        let claims = jsonwebtoken::decode::<Claims>(token, key, &validation)?.claims;
        if claims.iss != name {
            return Err(TokenError::WrongIssuer);
        }
        let now = SystemTime::UNIX_EPOCH
            .elapsed()
            .unwrap_or_default()
            .as_secs();
        if claims.iat > now + LEEWAY {
            return Err(TokenError::NotYet);
        }
        Ok(Caller {
            iss: claims.iss,
            account: claims.account,
            blobs: claims.blobs,
        })
    }

    /// Who sent a request with these headers.
    pub fn verify_headers(&self, headers: &HeaderMap) -> Result<Caller, Problem> {
        let Some(token) = bearer(headers) else {
            return Err(Problem::unauthenticated("Send a service token as Bearer."));
        };
        self.verify(token).map_err(|error| {
            tracing::warn!(cause = %error, "refused a service token: {error}");
            Problem::unauthenticated("The token is not valid here, or has expired.")
        })
    }
}

impl Caller {
    /// Only these services may ask, for themselves or for whomever.
    pub fn require_one_of(&self, services: &[&str]) -> Result<(), Problem> {
        if self.blobs.is_none() && services.contains(&self.iss.as_str()) {
            Ok(())
        } else {
            Err(Problem::forbidden("This address is not for that service."))
        }
    }

    /// Whether the token was made for that blob.
    pub fn opens(&self, sha256: &str) -> bool {
        self.blobs.iter().flatten().any(|blob| blob == sha256)
    }
}

impl Principal {
    /// Teachers and admins only.
    pub fn require_teacher(&self) -> Result<(), Problem> {
        self.require(Role::Teacher, "Only teachers may do this.")
    }

    /// Admins only.
    pub fn require_admin(&self) -> Result<(), Problem> {
        self.require(Role::Admin, "Only admins may do this.")
    }

    fn require(&self, role: Role, refusal: &str) -> Result<(), Problem> {
        if self.role >= role {
            Ok(())
        } else {
            Err(Problem::forbidden(refusal))
        }
    }
}

impl Deref for Principal {
    type Target = Account;

    fn deref(&self) -> &Account {
        &self.0
    }
}

impl<S> FromRequestParts<S> for Caller
where
    S: Send + Sync,
    Verifier: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Verifier::from_ref(state).verify_headers(&parts.headers)
    }
}

impl<S> FromRequestParts<S> for Principal
where
    S: Send + Sync,
    Verifier: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let caller = Verifier::from_ref(state).verify_headers(&parts.headers)?;
        caller
            .account
            .map(Self)
            .ok_or_else(|| Problem::forbidden("This address is for people, not for services."))
    }
}

/// The token of `Authorization: Bearer …`; the scheme's name in any case.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
