//! E-mail addresses as account names: parsed once, compared as people compare them.
//!
//! Whether mail arrives there is never checked: no mail is sent.

use std::fmt;

/// The longest address that mail knows (RFC 5321, errata 1690).
const MAX_BYTES: usize = 254;
/// The longest part before the `@`.
const MAX_LOCAL_BYTES: usize = 64;

/// A normalised address: trimmed and in lower case, so that equal means equal to people.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Email(String);

/// A text that is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an e-mail address reads name@host, without spaces")]
pub struct BadEmail;

impl Email {
    /// Normalises and checks.
    pub(crate) fn parse(text: &str) -> Result<Self, BadEmail> {
        let email = text.trim().to_lowercase();
        let (local, host) = email.rsplit_once('@').ok_or(BadEmail)?;
        let unfit = |part: &str| {
            part.is_empty()
                || part.contains(|c: char| {
                    c.is_whitespace() || c.is_control() || matches!(c, '@' | ',' | ';' | '<' | '>')
                })
        };
        let host_is_odd =
            host.starts_with(['.', '-']) || host.ends_with('.') || host.contains("..");
        if email.len() > MAX_BYTES
            || local.len() > MAX_LOCAL_BYTES
            || unfit(local)
            || unfit(host)
            || host_is_odd
        {
            return Err(BadEmail);
        }
        Ok(Self(email))
    }

    /// The normalised text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_same_however_it_is_typed() {
        for typed in [" Kim@Example.COM", "kim@example.com", "KIM@EXAMPLE.COM\n"] {
            assert_eq!(
                Email::parse(typed).expect("an address").as_str(),
                "kim@example.com"
            );
        }
        assert_eq!(
            Email::parse("홍길동@예시.한국")
                .expect("an address")
                .as_str(),
            "홍길동@예시.한국"
        );
    }

    #[test]
    fn refuses_what_is_no_address() {
        let long = format!("{}@example.com", "a".repeat(65));
        for bad in [
            "", "@", "a@", "@b", "ab", "a b@c", "a@b c", "a@@b", "a\0@b", "a@b..c", "a@.b", "a@b.",
            "<a@b>", "a@b,c@d", &long,
        ] {
            assert_eq!(Email::parse(bad), Err(BadEmail), "{bad:?}");
        }
    }
}
