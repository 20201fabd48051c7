//! Who calls: a service, perhaps on behalf of a person, as extractors for handlers.
//!
//! Every route under `/internal` and every route behind the gateway takes one of the two. Never says why a token does not
//! count; the log does.

use std::ops::Deref;

use axum::extract::{FromRef, FromRequestParts};
use contract::{Account, Role};
use http::{HeaderMap, header::AUTHORIZATION, request::Parts};

use super::{Claims, Verifier};
use crate::Problem;

/// A service that asks, known by its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// What its token says.
    pub claims: Claims,
}

/// The person on whose behalf a service asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Who.
    pub account: Account,
}

impl Caller {
    /// Only these services may ask, for themselves or for whomever.
    pub fn require(&self, services: &[&str]) -> Result<(), Problem> {
        if self.claims.blobs.is_none() && services.contains(&self.claims.iss.as_str()) {
            Ok(())
        } else {
            Err(Problem::forbidden("This address is not for that service."))
        }
    }

    /// Whether the token was made for that blob.
    pub fn opens(&self, sha256: &str) -> bool {
        let blobs = self.claims.blobs.as_deref().unwrap_or_default();
        blobs.iter().any(|blob| blob == sha256)
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

    fn require(&self, role: Role, otherwise: &str) -> Result<(), Problem> {
        if self.account.role >= role {
            Ok(())
        } else {
            Err(Problem::forbidden(otherwise))
        }
    }
}

impl Deref for Principal {
    type Target = Account;

    fn deref(&self) -> &Account {
        &self.account
    }
}

impl<S> FromRequestParts<S> for Caller
where
    S: Send + Sync,
    Verifier: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Some(token) = bearer(&parts.headers) else {
            return Err(Problem::unauthenticated(
                "Send a token as `Authorization: Bearer …`.",
            ));
        };
        match Verifier::from_ref(state).verify(token) {
            Ok(claims) => Ok(Self { claims }),
            Err(_) => Err(Problem::unauthenticated(
                "The token is not valid here, or has expired.",
            )),
        }
    }
}

impl<S> FromRequestParts<S> for Principal
where
    S: Send + Sync,
    Verifier: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let claims = Caller::from_request_parts(parts, state).await?.claims;
        match (claims.account, claims.blobs) {
            (Some(account), None) => Ok(Self { account }),
            _ => Err(Problem::forbidden(
                "This address is for people, not for services.",
            )),
        }
    }
}

/// The token of `Authorization: Bearer …`; the scheme's name in any case.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
