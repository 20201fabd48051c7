//! Entity tags: `"r7"` is the seventh revision of a draft, `"v2.ko"` what learners see of a version in Korean.
//!
//! Whoever changes something says by `If-Match` which revision they have seen, so of two who save at once one is told. A tag
//! never tells learners of drafts.

use axum::http::{HeaderMap, header};
use contract::Locale;

/// The tag of a revision.
pub(crate) fn of_revision(revision: i64) -> String {
    format!("\"r{revision}\"")
}

/// The tag of a question as its teachers see it in this language. `If-Match` takes it like [`of_revision`]'s.
pub(crate) fn of_draft(revision: i64, locale: Locale) -> String {
    format!("\"r{revision}.{}\"", locale.as_str())
}

/// The tag of a question as learners see it in this language.
pub(crate) fn of_version(version: i32, locale: Locale) -> String {
    format!("\"v{version}.{}\"", locale.as_str())
}

/// The same tag, different for each mark of what stands beside the question in the answer. `If-Match` takes it all the same.
pub(crate) fn marked(tag: &str, mark: &str) -> String {
    format!("{}.{mark}\"", tag.trim_end_matches('"'))
}

/// What a request demands of the state that it changes (RFC 9110 §13.1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum IfMatch {
    /// Nothing.
    Absent,
    /// That there is one: `*`.
    Any,
    /// That it is one of these revisions. What is no tag of ours matches nothing.
    Revisions(Vec<i64>),
}

impl IfMatch {
    /// The demand in these headers.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut revisions = Vec::new();
        let mut present = false;
        for value in headers.get_all(header::IF_MATCH) {
            present = true;
            for tag in value.to_str().unwrap_or_default().split(',').map(str::trim) {
                if tag == "*" {
                    return Self::Any;
                }
                revisions.extend(revision(tag));
            }
        }
        if present {
            Self::Revisions(revisions)
        } else {
            Self::Absent
        }
    }

    /// Whether a change of this revision is what is wanted.
    pub(crate) fn permits(&self, revision: i64) -> bool {
        match self {
            Self::Absent | Self::Any => true,
            Self::Revisions(revisions) => revisions.contains(&revision),
        }
    }
}

/// Whether the client has this already (RFC 9110 §13.1.2).
pub(crate) fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|known| known.trim().trim_start_matches("W/"))
        .any(|known| known == tag || known == "*")
}

/// `"r7"` or `"r7.ko"`; a weak tag is none, since it does not tell every change.
fn revision(tag: &str) -> Option<i64> {
    let inner = tag.strip_prefix("\"r")?.strip_suffix('"')?;
    let digits = inner.split_once('.').map_or(inner, |(digits, _)| digits);
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn if_match(value: &str) -> IfMatch {
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_MATCH, value.parse().expect("a header's value"));
        IfMatch::of(&headers)
    }

    #[test]
    fn reads_what_was_given_out() {
        assert_eq!(IfMatch::of(&HeaderMap::new()), IfMatch::Absent);
        for tag in [
            of_revision(7),
            of_draft(7, Locale::Ko),
            marked(&of_draft(7, Locale::Ko), "8a"),
        ] {
            assert!(if_match(&tag).permits(7));
            assert!(!if_match(&tag).permits(8));
        }
        assert!(if_match("*").permits(7));
        assert!(if_match("\"x\", \"r6\" , \"r7.en\"").permits(7));
    }

    #[test]
    fn what_is_no_tag_of_a_draft_matches_nothing() {
        for value in ["", "r7", "7", "\"r\"", "W/\"r7\"", "\"v7.ko\"", "\"r7x\""] {
            assert!(!if_match(value).permits(7), "{value}");
        }
    }

    #[test]
    fn knows_what_the_client_has() {
        let mut headers = HeaderMap::new();
        assert!(!is_known(&headers, "\"v1.ko\""));
        headers.insert(
            header::IF_NONE_MATCH,
            "\"a\", W/\"v1.ko\"".parse().expect("a value"),
        );
        assert!(is_known(&headers, "\"v1.ko\""));
        assert!(!is_known(&headers, "\"v1.en\""));
    }
}
