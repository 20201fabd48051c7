//! Making service tokens, and keeping those that are asked for again and again.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use contract::Account;
use jsonwebtoken::{Algorithm, Header, encode};
use time::OffsetDateTime;

use super::{Claims, ServiceKey, TYPE};

/// How long a token is good, in seconds.
const LIFE: i64 = 60;

/// More than are asked for within half a token's life; when it is full it is emptied.
const KEPT: usize = 20_000;

/// Makes a service's tokens. Cheap to clone; clones keep them together.
#[derive(Debug, Clone)]
pub struct Minter {
    key: ServiceKey,
    kept: Arc<Mutex<HashMap<Kept, (Arc<str>, i64)>>>,
}

type Kept = (String, Option<Account>);

impl Minter {
    /// For the service whose key this is.
    pub fn new(key: ServiceKey) -> Self {
        Self {
            key,
            kept: Arc::default(),
        }
    }

    /// For asking `audience` in the service's own name.
    pub fn service(&self, audience: &str) -> Arc<str> {
        self.kept_or_made(audience, None)
    }

    /// For asking `audience` on behalf of an account.
    pub fn for_account(&self, audience: &str, account: &Account) -> Arc<str> {
        self.kept_or_made(audience, Some(account))
    }

    /// For somebody without a key, to get just these blobs from `audience` until `expires`.
    pub fn for_blobs(&self, audience: &str, blobs: Vec<String>, expires: OffsetDateTime) -> String {
        let claims = Claims {
            exp: expires.unix_timestamp(),
            blobs: Some(blobs),
            ..self.claims(audience, None)
        };
        self.sign(&claims)
    }

    fn kept_or_made(&self, audience: &str, account: Option<&Account>) -> Arc<str> {
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let name = (audience.to_owned(), account.cloned());
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((token, made)) = kept.get(&name)
            && (0..LIFE / 2).contains(&(now - made))
        {
            return Arc::clone(token);
        }
        let token: Arc<str> = self.sign(&self.claims(audience, account)).into();
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(name, (Arc::clone(&token), now));
        token
    }

    fn claims(&self, audience: &str, account: Option<&Account>) -> Claims {
        let now = OffsetDateTime::now_utc().unix_timestamp();
        Claims {
            iss: self.key.name().to_owned(),
            aud: audience.to_owned(),
            iat: now,
            exp: now + LIFE,
            account: account.cloned(),
            blobs: None,
        }
    }

    fn sign(&self, claims: &Claims) -> String {
        let header = Header {
            typ: Some(TYPE.to_owned()),
            kid: Some(self.key.name().to_owned()),
            ..Header::new(Algorithm::EdDSA)
        };
        encode(&header, claims, self.key.encoding()).unwrap_or_else(|error| {
            // Signing with a key that was loaded does not fail; an empty token is refused everywhere.
            tracing::error!(%error, "cannot sign a service token");
            String::new()
        })
    }
}
