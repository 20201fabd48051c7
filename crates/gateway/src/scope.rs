//! What a personal API token may do: less than its owner, never more.
//!
//! A token's scopes narrow what is routed; the role of its owner is checked all the same, by each service. What no scope
//! covers, a token cannot do: it never makes tokens, changes its owner or signs in.

use http::Method;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One thing that a token may do.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scope {
    /// Read whatever its owner may read, open streams included.
    Read,
    /// Submit and run code, cancel.
    Submit,
    /// Make and change questions, rejudge.
    Questions,
    /// Manage accounts and dead letters.
    Admin,
}

impl Scope {
    /// What a token gets when nothing else is asked for.
    pub(crate) const DEFAULT: [Self; 2] = [Self::Read, Self::Submit];

    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Read, Self::Submit, Self::Questions, Self::Admin];

    /// The word for it in JSON and SQL.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Submit => "submit",
            Self::Questions => "questions",
            Self::Admin => "admin",
        }
    }

    /// The scope of that word.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == word)
    }

    /// Which scope a request needs; `None` when it takes a person who signed in.
    pub(crate) fn needed(method: &Method, path: &str) -> Option<Self> {
        let resource = path.strip_prefix("/api/v1/")?.split('/').next()?;
        let reads = matches!(*method, Method::GET | Method::HEAD);
        match resource {
            "auth" | "tokens" => None,
            "accounts" | "dead-letters" => Some(Self::Admin),
            _ if reads => Some(Self::Read),
            "submissions" | "runs" => Some(Self::Submit),
            "questions" | "rejudges" | "batches" => Some(Self::Questions),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_needs_its_scope() {
        for (method, path, needed) in [
            (Method::GET, "/api/v1/me", Some(Scope::Read)),
            (Method::PATCH, "/api/v1/me", None),
            (Method::GET, "/api/v1/tokens", None),
            (Method::POST, "/api/v1/tokens", None),
            (Method::POST, "/api/v1/auth/logout", None),
            (Method::GET, "/api/v1/questions/two-sum", Some(Scope::Read)),
            (Method::POST, "/api/v1/questions", Some(Scope::Questions)),
            (Method::POST, "/api/v1/submissions", Some(Scope::Submit)),
            (
                Method::GET,
                "/api/v1/submissions/1/events",
                Some(Scope::Read),
            ),
            (Method::POST, "/api/v1/runs", Some(Scope::Submit)),
            (Method::POST, "/api/v1/rejudges", Some(Scope::Questions)),
            (Method::GET, "/api/v1/accounts", Some(Scope::Admin)),
            (Method::DELETE, "/api/v1/dead-letters/1", Some(Scope::Admin)),
            (Method::POST, "/api/v1/submissionsx", None),
            (Method::GET, "/internal/config", None),
        ] {
            assert_eq!(Scope::needed(&method, path), needed, "{method} {path}");
        }
    }

    #[test]
    fn is_the_same_word_everywhere() {
        for scope in Scope::ALL {
            assert_eq!(Scope::from_word(scope.as_str()), Some(scope));
            assert_eq!(serde_json::json!(scope), scope.as_str());
        }
        assert_eq!(Scope::from_word("root"), None);
    }
}
