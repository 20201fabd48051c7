//! Extractors for internal routes: which service asks, and on whose behalf.

use axum::{
    extract::{FromRef, FromRequestParts},
    http::{HeaderMap, header, request::Parts},
};
use contract::{Account, Role};

use super::{Claims, Verifier};
use crate::Problem;

/// A service that asks, perhaps on somebody's behalf.
#[derive(Debug, Clone)]
pub struct Caller {
    /// What its token says.
    pub claims: Claims,
}

/// Somebody on whose behalf a service asks.
#[derive(Debug, Clone)]
pub struct Principal {
    /// Who.
    pub account: Account,
}

impl Caller {
    /// Only these services may ask.
    pub fn require(&self, services: &[&str]) -> Result<(), Problem> {
        if self.claims.blobs.is_none() && services.contains(&self.claims.iss.as_str()) {
            Ok(())
        } else {
            Err(Problem::forbidden("This address is not for that service."))
        }
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

impl<S: Send + Sync> FromRequestParts<S> for Caller
where
    Verifier: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let claims = Verifier::from_ref(state)
            .verify(bearer(&parts.headers)?)
            .map_err(|_| {
                Problem::unauthenticated("The token is not valid here, or has expired.")
            })?;
        Ok(Self { claims })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Principal
where
    Verifier: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, state).await?;
        match caller.claims.account {
            Some(account) => Ok(Self { account }),
            None => Err(Problem::forbidden(
                "This address is for people, not for services.",
            )),
        }
    }
}

fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
        .ok_or_else(|| Problem::unauthenticated("Send a token as `Authorization: Bearer …`."))
}
