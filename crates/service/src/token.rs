//! Service tokens: by them services know each other, and on whose behalf they ask.
//!
//! EdDSA JWTs with `typ: service+jwt`, the called service as audience, and the caller's name as issuer and key id. Short-lived:
//! nothing is revoked, everything expires. A user's own token never works here, nor one of these on a public route.

mod extract;
mod keys;
mod minter;

use std::sync::Arc;

use contract::Account;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

pub use extract::{Caller, Principal};
pub use keys::{KeyError, ServiceKey, TrustedKeys, make_keys};
pub use minter::Minter;

/// What tells these tokens from users' tokens.
pub const TYPE: &str = "service+jwt";

/// How far two machines' clocks may be apart, in seconds.
const LEEWAY: u64 = 5;

/// What a service token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The calling service.
    pub iss: String,
    /// The called service.
    pub aud: String,
    /// When it was made, in seconds since 1970.
    pub iat: i64,
    /// When it ends, in seconds since 1970.
    pub exp: i64,
    /// On whose behalf.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
    /// The only blobs that it opens, by SHA-256.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blobs: Option<Vec<String>>,
}

/// Checks tokens that are shown to one service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Verifier {
    audience: Arc<str>,
    trusted: TrustedKeys,
}

/// A token that opens nothing here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid service token")]
pub struct BadToken;

impl Verifier {
    /// For the service of that name.
    pub fn new(service: &str, trusted: TrustedKeys) -> Self {
        Self {
            audience: service.into(),
            trusted,
        }
    }

    /// What a token says, when it is valid here and now.
    pub fn verify(&self, token: &str) -> Result<Claims, BadToken> {
        let header = decode_header(token).map_err(|_| BadToken)?;
        if header.alg != Algorithm::EdDSA || header.typ.as_deref() != Some(TYPE) {
            return Err(BadToken);
        }
        let kid = header.kid.ok_or(BadToken)?;
        let key = self.trusted.key(&kid).ok_or(BadToken)?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.leeway = LEEWAY;
        validation.set_audience(&[&self.audience]);
        validation.set_issuer(&[&kid]);
        validation.set_required_spec_claims(&["exp", "aud", "iss"]);
        let claims = decode::<Claims>(token, key, &validation)
            .map_err(|_| BadToken)?
            .claims;
        let now = OffsetDateTime::now_utc().unix_timestamp();
        if claims.iat > now + LEEWAY.cast_signed() {
            return Err(BadToken);
        }
        Ok(claims)
    }
}

#[cfg(test)]
mod tests;
