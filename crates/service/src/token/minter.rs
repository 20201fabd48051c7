//! Makes the tokens that a service shows to others, and keeps those that will be asked for again.
//!
//! A token is used until half of its life is over, so that one that was just handed out never dies on its way. What is kept is
//! bounded: accounts come and go.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use contract::Account;
use jsonwebtoken::{Algorithm, Header};
use time::OffsetDateTime;

use super::{Claims, ServiceKey, TYPE};

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
    kept: Mutex<HashMap<(String, Option<Account>), Kept>>,
}

struct Kept {
    token: Arc<str>,
    until: SystemTime,
}

/// A token could not be made: the key is not one to sign with.
#[derive(Debug, thiserror::Error)]
pub enum MintError {
    /// Signing failed.
    #[error("cannot sign a service token")]
    Sign(#[from] jsonwebtoken::errors::Error),
}

impl Minter {
    /// A minter with that key.
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

    /// A token of this service itself, for the service `aud`.
    pub fn service(&self, aud: &str) -> Result<Arc<str>, MintError> {
        self.kept_or_new(aud, None, SystemTime::now())
    }

    /// A token of this service on behalf of an account, for the service `aud`.
    pub fn for_account(&self, aud: &str, account: &Account) -> Result<Arc<str>, MintError> {
        self.kept_or_new(aud, Some(account), SystemTime::now())
    }

    /// A token that opens just these blobs (hexadecimal SHA-256) of the service `aud` until then.
    pub fn for_blobs(
        &self,
        aud: &str,
        sha256s: &[String],
        expires_at: OffsetDateTime,
    ) -> Result<String, MintError> {
        let expires_at = u64::try_from(expires_at.unix_timestamp()).unwrap_or_default();
        self.sign(&Claims {
            iss: self.name().to_owned(),
            aud: aud.to_owned(),
            iat: seconds(SystemTime::now()),
            exp: expires_at,
            account: None,
            blobs: Some(sha256s.to_vec()),
        })
    }

    fn kept_or_new(
        &self,
        aud: &str,
        account: Option<&Account>,
        now: SystemTime,
    ) -> Result<Arc<str>, MintError> {
        let wanted = (aud.to_owned(), account.cloned());
        let mut kept = self
            .inner
            .kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(one) = kept.get(&wanted).filter(|one| now < one.until) {
            return Ok(one.token.clone());
        }
        let token: Arc<str> = self
            .sign(&Claims {
                iss: self.name().to_owned(),
                aud: aud.to_owned(),
                iat: seconds(now),
                exp: seconds(now + LIFE),
                account: wanted.1.clone(),
                blobs: None,
            })?
            .into();
        if kept.len() >= KEPT {
            kept.retain(|_, one| now < one.until);
        }
        // All of them still count: forgetting some costs a signature each, and is rare.
        if kept.len() >= KEPT {
            kept.clear();
        }
        let one = Kept {
            token: token.clone(),
            until: now + LIFE / 2,
        };
        kept.insert(wanted, one);
        Ok(token)
    }

    fn sign(&self, claims: &Claims) -> Result<String, MintError> {
        let header = Header {
            typ: Some(TYPE.to_owned()),
            kid: Some(self.name().to_owned()),
            ..Header::new(Algorithm::EdDSA)
        };
        Ok(jsonwebtoken::encode(
            &header,
            claims,
            self.inner.key.encoding(),
        )?)
    }
}

impl fmt::Debug for Minter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Minter").field(&self.name()).finish()
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

#[cfg(test)]
mod tests {
    use contract::{AccountId, Locale, Role};

    use super::*;
    use crate::token::{TrustedKeys, Verifier};

    fn account(name: &str) -> Account {
        Account {
            id: AccountId::new(),
            role: Role::Learner,
            locale: Locale::Ko,
            name: name.to_owned(),
        }
    }

    #[test]
    fn hands_out_a_token_until_half_of_its_life() {
        let minter = Minter::new(ServiceKey::generate("gateway"));
        let (begin, learner) = (SystemTime::now(), account("학생"));
        let at = |second| {
            minter
                .kept_or_new(
                    "execute",
                    Some(&learner),
                    begin + Duration::from_secs(second),
                )
                .expect("it can be signed")
        };
        let first = at(0);
        assert_eq!(at(29), first);
        assert_ne!(at(30), first);
    }

    #[test]
    fn keeps_apart_what_differs() {
        let minter = Minter::new(ServiceKey::generate("gateway"));
        let learner = account("a");
        let promoted = Account {
            role: Role::Teacher,
            ..learner.clone()
        };
        let tokens = [
            minter.service("execute"),
            minter.service("question"),
            minter.for_account("execute", &learner),
            minter.for_account("execute", &promoted),
        ];
        let tokens: std::collections::HashSet<_> = tokens
            .into_iter()
            .map(|token| token.expect("it can be signed"))
            .collect();
        assert_eq!(tokens.len(), 4);
    }

    #[test]
    fn keeps_a_bounded_number() {
        let minter = Minter::new(ServiceKey::generate("gateway"));
        {
            let mut kept = minter.inner.kept.lock().expect("nobody panicked");
            for _ in 0..KEPT {
                let one = Kept {
                    token: "t".into(),
                    until: SystemTime::now() + LIFE,
                };
                kept.insert(("execute".to_owned(), Some(account("a"))), one);
            }
        }
        let token = minter.service("execute").expect("it can be signed");
        assert!(minter.inner.kept.lock().expect("nobody panicked").len() <= KEPT);
        assert_eq!(minter.service("execute").expect("it is kept"), token);
    }

    #[test]
    fn a_token_says_for_whom_and_for_what() {
        let key = ServiceKey::generate("evaluation");
        let trusted = TrustedKeys::from_keys([&key]);
        let (minter, verifier) = (Minter::new(key), Verifier::new("question", trusted));
        let learner = account("학생");
        let token = minter
            .for_account("question", &learner)
            .expect("it can be signed");
        let caller = verifier.verify(&token).expect("it counts");
        assert_eq!(
            (caller.iss.as_str(), caller.account),
            ("evaluation", Some(learner))
        );
        let until = OffsetDateTime::now_utc() + Duration::from_hours(1);
        let token = minter
            .for_blobs("question", &["abc".to_owned()], until)
            .expect("it can be signed");
        let caller = verifier.verify(&token).expect("it counts");
        assert!(caller.opens("abc") && !caller.opens("abd"));
        assert!(caller.require_one_of(&["evaluation"]).is_err());
        let nothing = minter.for_blobs("question", &[], until);
        let caller = verifier
            .verify(&nothing.expect("it can be signed"))
            .expect("it counts");
        assert!(!caller.opens("abc"));
        assert!(caller.require_one_of(&["evaluation"]).is_err());
    }
}
