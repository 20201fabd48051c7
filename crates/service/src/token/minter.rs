//! Makes the tokens that a service shows to others, and keeps those that will be asked for again.
//!
//! A token is used until half of its life is over, so that one that was just handed out never dies on its way. What is kept is
//! bounded: accounts come and go.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use contract::Account;
use jsonwebtoken::{Algorithm, Header};
use time::OffsetDateTime;

use super::{Claims, ServiceKey, TYPE, seconds};

/// How long a token counts.
const LIFE: Duration = Duration::from_mins(1);

/// How many tokens are kept: some megabytes.
const KEPT: usize = 10_000;

/// Makes a service's tokens. Clones are the same.
#[derive(Clone)]
pub struct Minter {
    inner: Arc<Inner>,
}

struct Inner {
    key: ServiceKey,
    kept: Mutex<HashMap<Wanted, Kept>>,
}

/// For which service, and on whose behalf.
type Wanted = (String, Option<Account>);

struct Kept {
    token: Arc<str>,
    made: SystemTime,
}

impl Minter {
    /// For the service whose key this is.
    pub fn new(key: ServiceKey) -> Self {
        Self {
            inner: Arc::new(Inner {
                key,
                kept: Mutex::default(),
            }),
        }
    }

    /// The service whose tokens it makes.
    pub fn name(&self) -> &str {
        self.inner.key.name()
    }

    /// For asking `audience` in the service's own name.
    pub fn service(&self, audience: &str) -> Arc<str> {
        self.kept_or_made((audience.to_owned(), None), SystemTime::now())
    }

    /// For asking `audience` on behalf of an account.
    pub fn for_account(&self, audience: &str, account: &Account) -> Arc<str> {
        self.kept_or_made(
            (audience.to_owned(), Some(account.clone())),
            SystemTime::now(),
        )
    }

    /// For somebody without a key, to get just these blobs (hexadecimal SHA-256) from `audience` until `expires`.
    pub fn for_blobs(&self, audience: &str, blobs: Vec<String>, expires: OffsetDateTime) -> String {
        self.sign(&Claims {
            exp: expires.unix_timestamp(),
            blobs: Some(blobs),
            ..self.claims(audience, SystemTime::now())
        })
    }

    pub(super) fn kept_or_made(&self, wanted: Wanted, now: SystemTime) -> Arc<str> {
        let mut kept = self
            .inner
            .kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(one) = kept.get(&wanted).filter(|one| one.is_fresh(now)) {
            return one.token.clone();
        }
        let token: Arc<str> = self
            .sign(&Claims {
                account: wanted.1.clone(),
                ..self.claims(&wanted.0, now)
            })
            .into();
        if kept.len() >= KEPT {
            kept.retain(|_, one| one.is_fresh(now));
        }
        // All of them still count: forgetting them costs a signature each, and is rare.
        if kept.len() >= KEPT {
            kept.clear();
        }
        let one = Kept {
            token: token.clone(),
            made: now,
        };
        kept.insert(wanted, one);
        token
    }

    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.inner
            .kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }

    fn claims(&self, audience: &str, now: SystemTime) -> Claims {
        Claims {
            iss: self.name().to_owned(),
            aud: audience.to_owned(),
            iat: seconds(now),
            exp: seconds(now + LIFE),
            account: None,
            blobs: None,
        }
    }

    fn sign(&self, claims: &Claims) -> String {
        let header = Header {
            typ: Some(TYPE.to_owned()),
            kid: Some(self.name().to_owned()),
            ..Header::new(Algorithm::EdDSA)
        };
        jsonwebtoken::encode(&header, claims, self.inner.key.encoding()).unwrap_or_else(|error| {
            // Signing with a key that could be loaded does not fail; an empty token is refused everywhere.
            tracing::error!(%error, "cannot sign a service token");
            String::new()
        })
    }
}

impl Kept {
    /// Its first half is not over; a clock that was set back makes it stale.
    fn is_fresh(&self, now: SystemTime) -> bool {
        now.duration_since(self.made)
            .is_ok_and(|age| age < LIFE / 2)
    }
}

impl fmt::Debug for Minter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Minter").field(&self.name()).finish()
    }
}
