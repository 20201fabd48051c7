//! Parameters behind the question mark.

use axum::extract::FromRequestParts;
use http::request::Parts;
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;

use super::{code, cut, quoted};
use crate::Problem;

/// The query. A type with `deny_unknown_fields` refuses what it does not know.
#[derive(Debug, Clone, Copy, Default)]
pub struct Query<T>(pub T);

impl<T, S> FromRequestParts<S> for Query<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::parse(parts.uri.query().unwrap_or_default())
    }
}

impl<T: DeserializeOwned> Query<T> {
    /// Reads a query as the extractor does.
    pub fn parse(query: &str) -> Result<Self, Problem> {
        if !is_clean(query) {
            return Err(Problem::malformed(
                "The query is not UTF-8, or holds a NUL character.",
            ));
        }
        let pairs = form_urlencoded::parse(query.as_bytes());
        serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(pairs))
            .map(Self)
            .map_err(|error| {
                let place = error.path().to_string();
                wrong(&place, &error.into_inner().to_string())
            })
    }
}

/// Whether what is percent-encoded is UTF-8 without NUL.
pub(super) fn is_clean(encoded: &str) -> bool {
    let decoded: Vec<u8> = percent_decode_str(encoded).collect();
    !decoded.contains(&0) && std::str::from_utf8(&decoded).is_ok()
}

fn wrong(place: &str, message: &str) -> Problem {
    let code = code(message);
    let name = match code {
        "missing-field" | "unknown-field" | "duplicate-field" => quoted(message).unwrap_or(place),
        _ => place,
    };
    // serde's path is "." where it knows none.
    let pointer = if name == "." {
        String::new()
    } else {
        format!("/{name}")
    };
    Problem::malformed("The query is not what this address takes. See errors.").with_error(
        pointer,
        code,
        cut(message),
    )
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Page {
        limit: Option<u8>,
        cursor: Option<String>,
    }

    fn refused(query: &str) -> (u16, Vec<(String, String)>) {
        let problem = Query::<Page>::parse(query).expect_err("it is wrong");
        let errors = problem.errors().iter();
        let errors = errors.map(|error| (error.pointer.clone(), error.code.clone()));
        (problem.status().as_u16(), errors.collect())
    }

    #[test]
    fn reads_what_is_asked() {
        let Query(page) = Query::<Page>::parse("limit=7&cursor=%ED%95%9C+a").expect("it is right");
        assert_eq!(
            (page.limit, page.cursor.as_deref()),
            (Some(7), Some("한 a"))
        );
    }

    #[test]
    fn names_the_parameter_that_is_wrong() {
        let one = |pointer: &str, code: &str| (400, vec![(pointer.to_owned(), code.to_owned())]);
        assert_eq!(refused("limit=x"), one("/limit", "invalid-value"));
        assert_eq!(refused("limit=300"), one("/limit", "invalid-value"));
        assert_eq!(refused("limt=3"), one("/limt", "unknown-field"));
        assert_eq!(refused("limit=3&limit=4"), one("/limit", "duplicate-field"));
    }

    #[test]
    fn refuses_what_is_no_text() {
        for query in ["cursor=%00", "cursor=%ff", "%00=1", "cursor=a%C3%28"] {
            assert_eq!(refused(query), (400, vec![]), "{query}");
        }
    }
}
