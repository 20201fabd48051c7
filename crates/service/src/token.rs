//! How services know each other: short-lived tokens signed with one Ed25519 key a service.
//!
//! ```text
//! {typ: service+jwt, alg: EdDSA, kid: execute}
//! {iss: execute, aud: question, iat, exp, account?: {id, role, locale, name}, blobs?: [sha256]}
//! ```
//! A token opens one service only, and only for a minute: nothing is revoked, everything expires. Never accepts another algorithm
//! or type, a key that is not in the file of trusted ones, or a token whose issuer is not the owner of its key.

mod caller;
mod keys;
mod minter;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::SystemTime};

use contract::Account;
use jsonwebtoken::{Algorithm, Validation};
use serde::{Deserialize, Serialize};

pub use caller::{Caller, Principal};
pub use keys::{KeyError, ServiceKey, TrustedKeys, make_keys};
pub use minter::Minter;

/// The `typ` of every token between services: what users hold never has it.
pub const TYPE: &str = "service+jwt";

/// How far the clocks of two services may be apart, in seconds.
const LEEWAY: u64 = 5;

/// What a token says.
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
    /// The only blobs that it opens, by hexadecimal SHA-256; a token with such a list opens nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blobs: Option<Vec<String>>,
}

/// Checks tokens that are shown to one service. Clones are the same.
#[derive(Debug, Clone)]
pub struct Verifier {
    audience: Arc<str>,
    trusted: TrustedKeys,
}

/// A token that opens nothing here. Why is logged, and not told.
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
        self.check(token).map_err(|reason| {
            tracing::warn!(reason, "refused a service token: {reason}");
            BadToken
        })
    }

    fn check(&self, token: &str) -> Result<Claims, String> {
        let header = jsonwebtoken::decode_header(token).map_err(|error| error.to_string())?;
        if header.typ.as_deref() != Some(TYPE) {
            return Err("it is of another type".to_owned());
        }
        let Some(name) = header.kid else {
            return Err("it names no key".to_owned());
        };
        let Some(key) = self.trusted.key(&name) else {
            return Err(format!("key {name:?} is not trusted"));
        };
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.leeway = LEEWAY;
        validation.set_audience(&[&self.audience]);
        validation.set_issuer(&[&name]);
        validation.set_required_spec_claims(&["exp", "aud", "iss"]);
        let claims = jsonwebtoken::decode::<Claims>(token, key, &validation)
            .map_err(|error| error.to_string())?
            .claims;
        if claims.iat > seconds(SystemTime::now()) + LEEWAY.cast_signed() {
            return Err("it was made in the future".to_owned());
        }
        Ok(claims)
    }
}

/// Since 1970.
fn seconds(time: SystemTime) -> i64 {
    let since = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    since.as_secs().cast_signed()
}
