//! Secrets that we make and hand out: refresh tokens, personal API tokens, one-time codes.
//!
//! Each is random and shown once; what is stored is its SHA-256. With 80 random bits and more there is nothing to guess
//! and nothing that a slow hash would add. None is ever logged: `Debug` shows the kind only.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::{TryRngCore, rngs::OsRng};
use sha2::{Digest, Sha256};

/// What is stored in place of a secret.
pub(crate) type Hash = [u8; 32];

/// What a client of a browser session holds in its cookie.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct RefreshToken([u8; 32]);

impl RefreshToken {
    /// A new one.
    pub(crate) fn generate() -> Self {
        Self(random())
    }

    /// The one that replaces this one. Only who holds this token and knows the salt can compute it, which is how a lost answer
    /// is repeated although nothing but hashes is stored.
    #[must_use]
    pub(crate) fn successor(&self, salt: &[u8; 32]) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"codementor refresh successor\0");
        hash.update(self.0);
        hash.update(salt);
        Self(hash.finalize().into())
    }

    /// A salt for [`Self::successor`].
    pub(crate) fn new_salt() -> [u8; 32] {
        random()
    }

    /// Reads the cookie's value.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// The cookie's value.
    pub(crate) fn reveal(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// What is stored.
    pub(crate) fn hash(&self) -> Hash {
        Sha256::digest(self.0).into()
    }
}

/// What every personal API token begins with, so that secret scanners know it.
pub(crate) const API_TOKEN_PREFIX: &str = "cm_pat_";

/// A personal API token: `cm_pat_`, 32 random bytes and 4 bytes of checksum, in hexadecimal.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ApiToken([u8; 32]);

impl ApiToken {
    /// A new one.
    pub(crate) fn generate() -> Self {
        Self(random())
    }

    /// Reads one; `None` when it was mistyped or cut, without asking the database.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = hex::decode(text.strip_prefix(API_TOKEN_PREFIX)?).ok()?;
        let (secret, checksum) = bytes.split_at_checked(32)?;
        let token = Self(secret.try_into().ok()?);
        // Upper case would be another text for the same token.
        (checksum == token.checksum() && token.reveal() == text).then_some(token)
    }

    /// The text to show once.
    pub(crate) fn reveal(&self) -> String {
        format!(
            "{API_TOKEN_PREFIX}{}{}",
            hex::encode(self.0),
            hex::encode(self.checksum())
        )
    }

    /// What is stored.
    pub(crate) fn hash(&self) -> Hash {
        Sha256::digest(self.0).into()
    }

    fn checksum(&self) -> [u8; 4] {
        let mut hash = Sha256::new();
        hash.update(API_TOKEN_PREFIX);
        hash.update(self.0);
        let [a, b, c, d, ..] = <[u8; 32]>::from(hash.finalize());
        [a, b, c, d]
    }
}

/// Digits and letters that are not mistaken for one another (Crockford's base 32).
const CODE_ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CODE_LETTERS: usize = 16;

/// A code that one person reads to another: 80 random bits as `XXXX-XXXX-XXXX-XXXX`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct OneTimeCode([u8; CODE_LETTERS]);

impl OneTimeCode {
    /// A new one.
    pub(crate) fn generate() -> Self {
        Self(random().map(|byte| CODE_ALPHABET[usize::from(byte % 32)]))
    }

    /// Reads what people type: any case, with or without dashes and spaces, O for 0, I and L for 1.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let letters: Vec<u8> = text
            .bytes()
            .filter(|byte| !matches!(byte, b'-' | b' '))
            .map(|byte| match byte.to_ascii_uppercase() {
                b'O' => b'0',
                b'I' | b'L' => b'1',
                other => other,
            })
            .collect();
        let known = letters.iter().all(|letter| CODE_ALPHABET.contains(letter));
        known.then_some(())?;
        letters.try_into().ok().map(Self)
    }

    /// The text to show once.
    pub(crate) fn reveal(&self) -> String {
        let groups: Vec<_> = self.0.chunks(4).map(String::from_utf8_lossy).collect();
        groups.join("-")
    }

    /// What is stored.
    pub(crate) fn hash(&self) -> Hash {
        Sha256::digest(self.0).into()
    }
}

macro_rules! hidden {
    ($($name:ident),+) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )+};
}
hidden!(RefreshToken, ApiToken, OneTimeCode);

/// Bytes that nobody can guess.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    OsRng
        .try_fill_bytes(&mut bytes)
        .expect("the system's random numbers never end");
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn api_token_is_read_as_it_was_shown() {
        let token = ApiToken::generate();
        let text = token.reveal();
        assert_eq!(text.len(), API_TOKEN_PREFIX.len() + 72);
        assert_eq!(ApiToken::parse(&text), Some(token));
    }

    proptest! {
        #[test]
        fn mistyped_api_token_is_refused(bytes: [u8; 32], at in 0usize..79, letter in "[0-9a-zA-Z_-]") {
            let good = ApiToken(bytes).reveal();
            let mut bad = good.clone();
            bad.replace_range(at..=at, &letter);
            prop_assume!(bad != good);
            prop_assert_eq!(ApiToken::parse(&bad), None);
            prop_assert_eq!(ApiToken::parse(&good[..at]), None);
        }

        #[test]
        fn any_text_is_refused_or_read(text in ".*") {
            prop_assert_eq!(ApiToken::parse(&text), None);
            if let Some(token) = RefreshToken::parse(&text) {
                prop_assert_eq!(token.reveal(), text);
            }
        }
    }

    #[test]
    fn code_is_read_as_people_type_it() {
        let code = OneTimeCode::parse("0123-4567-89AB-CDEF").expect("a code");
        for typed in [
            "o123 4567 89ab cdef",
            "0I23456789ABCDEF",
            "0l23-4567-89ab-cdef",
        ] {
            assert_eq!(OneTimeCode::parse(typed).as_ref(), Some(&code), "{typed}");
        }
        for bad in [
            "",
            "0123-4567-89AB-CDE",
            "0123-4567-89AB-CDEFG",
            "0123-4567-89AB-CDEU",
            "가나다라",
        ] {
            assert_eq!(OneTimeCode::parse(bad), None, "{bad}");
        }
        let fresh = OneTimeCode::generate();
        assert_eq!(
            OneTimeCode::parse(&fresh.reveal().to_lowercase()),
            Some(fresh)
        );
    }

    #[test]
    fn successor_depends_on_token_and_salt() {
        let (token, salt) = (RefreshToken::generate(), RefreshToken::new_salt());
        assert_eq!(token.successor(&salt), token.successor(&salt));
        assert_ne!(
            token.successor(&salt),
            token.successor(&RefreshToken::new_salt())
        );
        assert_ne!(
            token.successor(&salt),
            RefreshToken::generate().successor(&salt)
        );
        assert_eq!(RefreshToken::parse(&token.reveal()), Some(token));
    }

    #[test]
    fn debug_says_nothing() {
        assert_eq!(format!("{:?}", ApiToken::generate()), "ApiToken(…)");
    }
}
