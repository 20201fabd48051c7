//! Passwords: argon2id, off the async threads, a few at a time.
//!
//! Each hash takes 19 MiB and tens of milliseconds of processor: unbounded, a burst of sign-ins would be an attack on
//! ourselves. A password that does not exist takes as long to refuse as one that is wrong.

use std::{fmt, sync::Arc, time::Duration};

use argon2::{
    Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version,
    password_hash::{SaltString, rand_core::OsRng},
};
use tokio::sync::Semaphore;

/// Least length, in characters.
pub(crate) const MIN_CHARS: usize = 8;
/// Greatest length, in characters: hashing more tells nobody anything.
pub(crate) const MAX_CHARS: usize = 256;

/// How long a sign-in may wait for its turn.
const PATIENCE: Duration = Duration::from_secs(5);

/// A password of a length that we take.
#[derive(Clone)]
pub(crate) struct Password(String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// A password that is too short or too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a password has {MIN_CHARS} to {MAX_CHARS} characters")]
pub struct BadPassword;

impl Password {
    /// Checks the length; there are no rules about which characters.
    pub(crate) fn parse(text: String) -> Result<Self, BadPassword> {
        let fits = (MIN_CHARS..=MAX_CHARS).contains(&text.chars().count());
        fits.then_some(Self(text)).ok_or(BadPassword)
    }
}

/// Why there is no answer about a password.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// Too many others wait.
    #[error("too many sign-ins at once")]
    Busy,
    /// The stored hash cannot be read, or the hashing thread died.
    #[error("password hash: {0}")]
    Broken(String),
}

/// What a stored hash says of a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It is not the one.
    Wrong,
    /// It is the one.
    Right,
    /// It is the one, and here is a hash by today's rules to store.
    RightRehashed(String),
}

/// Hashes and verifies, a few at a time.
#[derive(Debug, Clone)]
pub(crate) struct Hasher {
    turns: Arc<Semaphore>,
    nobody: Arc<str>,
    patience: Duration,
}

impl Hasher {
    /// With so many at a time. Takes as long as one hash.
    pub(crate) fn new(at_a_time: usize) -> Result<Self, HashError> {
        Ok(Self {
            turns: Arc::new(Semaphore::new(at_a_time)),
            nobody: hash_now("nobody has this password")?.into(),
            patience: PATIENCE,
        })
    }

    /// The hash to store.
    pub(crate) async fn hash(&self, password: &Password) -> Result<String, HashError> {
        let text = password.0.clone();
        self.in_turn(move || hash_now(&text)).await
    }

    /// Compares with a stored hash; without one it takes as long, and is wrong.
    pub(crate) async fn verify(
        &self,
        password: &str,
        stored: Option<&str>,
    ) -> Result<Answer, HashError> {
        // Longer ones were never stored, and would make the hashing itself slow.
        let password: String = password.chars().take(MAX_CHARS + 1).collect();
        let exists = stored.is_some();
        let stored = stored.unwrap_or(&self.nobody).to_owned();
        let answer = self.in_turn(move || verify_now(&password, &stored)).await?;
        Ok(if exists { answer } else { Answer::Wrong })
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, HashError> {
        let turn = tokio::time::timeout(self.patience, Arc::clone(&self.turns).acquire_owned())
            .await
            .map_err(|_| HashError::Busy)?
            .map_err(|_| HashError::Busy)?;
        tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        })
        .await
        .map_err(|error| HashError::Broken(error.to_string()))?
    }
}

/// OWASP's least for argon2id: 19 MiB, two passes, one lane.
fn rules() -> Result<Argon2<'static>, HashError> {
    let params = Params::new(19_456, 2, 1, None).map_err(broken)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Hashes on the calling thread, without waiting for a turn: for set-up programs.
pub(crate) fn hash_now(password: &str) -> Result<String, HashError> {
    let salt = SaltString::generate(&mut OsRng);
    let hash = rules()?
        .hash_password(password.as_bytes(), &salt)
        .map_err(broken)?;
    Ok(hash.to_string())
}

/// Verifies on the calling thread, without waiting for a turn: for set-up programs.
pub(crate) fn verify_now(password: &str, stored: &str) -> Result<Answer, HashError> {
    let hash = PasswordHash::new(stored).map_err(broken)?;
    let rules = rules()?;
    match rules.verify_password(password.as_bytes(), &hash) {
        Ok(()) => {
            let used = Params::try_from(&hash).map_err(broken)?;
            let today = rules.params();
            let same = hash.algorithm.as_str() == "argon2id"
                && (used.m_cost(), used.t_cost(), used.p_cost())
                    == (today.m_cost(), today.t_cost(), today.p_cost());
            if same {
                Ok(Answer::Right)
            } else {
                hash_now(password).map(Answer::RightRehashed)
            }
        }
        Err(argon2::password_hash::Error::Password) => Ok(Answer::Wrong),
        Err(error) => Err(broken(error)),
    }
}

fn broken(error: impl fmt::Display) -> HashError {
    HashError::Broken(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::parse(text.to_owned()).expect("a fit password")
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert!(Password::parse("비밀번호여덟글자".to_owned()).is_ok());
        assert!(Password::parse("비밀번호일곱자".to_owned()).is_err());
        assert!(Password::parse("x".repeat(256)).is_ok());
        assert!(Password::parse("x".repeat(257)).is_err());
    }

    #[tokio::test]
    async fn knows_the_right_one() {
        let hasher = Hasher::new(2).expect("a hasher");
        let stored = hasher
            .hash(&password("correct horse"))
            .await
            .expect("a hash");
        assert!(
            stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{stored}"
        );
        for (given, answer) in [
            ("correct horse", Answer::Right),
            ("correct house", Answer::Wrong),
            ("", Answer::Wrong),
        ] {
            assert_eq!(
                hasher
                    .verify(given, Some(&stored))
                    .await
                    .expect("an answer"),
                answer
            );
        }
    }

    #[tokio::test]
    async fn nobody_has_the_password_of_nobody() {
        let hasher = Hasher::new(1).expect("a hasher");
        let answer = hasher.verify("nobody has this password", None).await;
        assert_eq!(answer.expect("an answer"), Answer::Wrong);
    }

    #[tokio::test]
    async fn hashes_by_older_rules_are_renewed() {
        let old = Argon2::new(
            Algorithm::Argon2id,
            Version::V0x13,
            Params::new(8_192, 1, 1, None).expect("params"),
        );
        let salt = SaltString::generate(&mut OsRng);
        let stored = old
            .hash_password(b"correct horse", &salt)
            .expect("a hash")
            .to_string();
        let hasher = Hasher::new(1).expect("a hasher");
        let Answer::RightRehashed(renewed) = hasher
            .verify("correct horse", Some(&stored))
            .await
            .expect("an answer")
        else {
            panic!("it is right, and old");
        };
        assert_eq!(
            hasher
                .verify("correct horse", Some(&renewed))
                .await
                .expect("an answer"),
            Answer::Right
        );
    }

    #[tokio::test]
    async fn waiting_for_a_turn_ends() {
        let mut hasher = Hasher::new(0).expect("a hasher");
        hasher.patience = Duration::from_millis(1);
        let answer = hasher.hash(&password("correct horse")).await;
        assert!(matches!(answer, Err(HashError::Busy)), "{answer:?}");
    }
}
