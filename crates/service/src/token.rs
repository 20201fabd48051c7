//! How services know each other: short-lived tokens signed with one Ed25519 key a service.
//!
//! ```text
//! {typ: service+jwt, alg: EdDSA, kid: execute}
//! {iss: execute, aud: question, iat, exp, account?: {id, role, locale, name}, blobs?: [sha256]}
//! ```
//! A token opens one service only, and only for a minute. Never accepts another algorithm or type, a key that is not in the file
//! of trusted ones, or a token whose issuer is not the owner of its key.

mod caller;
mod keys;
mod minter;

use contract::Account;
use serde::{Deserialize, Serialize};

pub use caller::{Caller, Principal, Verifier};
pub use keys::{KeyError, ServiceKey, TrustedKeys, make_keys};
pub use minter::{MintError, Minter};

/// The `typ` of every token between services: what users hold never has it.
pub const TYPE: &str = "service+jwt";

/// How far the clocks of two services may differ, in seconds.
const LEEWAY: u64 = 5;

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    iat: u64,
    exp: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account: Option<Account>,
    /// Present in a token for blobs, also when it names none: such a one opens nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    blobs: Option<Vec<String>>,
}

/// Why a token does not count. Told to the log, not to the caller.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Not of the right type, or without a key's name.
    #[error("not a service token")]
    NotOurs,
    /// Signed with a key that is not trusted.
    #[error("key {0} is not trusted")]
    UnknownKey(String),
    /// Signed by one, issued in the name of another.
    #[error("issuer is not the owner of the key")]
    WrongIssuer,
    /// Issued in the future.
    #[error("issued in the future")]
    NotYet,
    /// The signature, the audience, the time or the form is wrong.
    #[error(transparent)]
    Invalid(#[from] jsonwebtoken::errors::Error),
}
