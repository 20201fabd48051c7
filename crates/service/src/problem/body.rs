//! The document itself, as it is written, read and described.
//!
//! Services read each other's, and pass them on; so what is missing in one is forgiven.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::{
    IntoResponses, ToSchema,
    openapi::{Content, Ref, RefOr, ResponseBuilder},
};

use super::{BASE, Kind};

/// The media type of every error.
pub const CONTENT_TYPE_PROBLEM: &str = "application/problem+json";

/// An error as a client sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// A URI that ends in a stable word.
    #[serde(rename = "type")]
    #[schema(example = "https://codementor.dev/problems/not-found")]
    pub kind: String,
    /// The kind of error, for people.
    #[serde(default)]
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened, and what to do.
    #[serde(default)]
    pub detail: String,
    /// The path that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Names the request in our logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// What is wrong where, when it is wrong in places.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Violation>,
    /// Seconds until another try makes sense; sent as `Retry-After`.
    #[serde(skip)]
    pub retry_after: Option<u64>,
}

/// One thing that is wrong in a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Violation {
    /// JSON pointer to the place, such as `/tests/0/name`, or a slash and the name of a query parameter; empty for the whole.
    pub pointer: String,
    /// A stable word.
    pub code: String,
    /// What is wrong, for people.
    pub message: String,
}

impl Problem {
    /// An error of that kind.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        let (word, status, title) = kind.described();
        Self {
            kind: format!("{BASE}{word}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            instance: None,
            request_id: None,
            errors: Vec::new(),
            retry_after: None,
        }
    }

    /// Adds one thing that is wrong.
    #[must_use]
    pub fn with_error(mut self, pointer: &str, code: &str, message: impl Into<String>) -> Self {
        self.errors.push(Violation {
            pointer: pointer.to_owned(),
            code: code.to_owned(),
            message: message.into(),
        });
        self
    }

    /// Says in how many seconds to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The stable word.
    pub fn word(&self) -> &str {
        self.kind.rsplit('/').next().unwrap_or_default()
    }

    /// Says which request it answers.
    #[must_use]
    pub(crate) fn about(mut self, instance: &str, request_id: &str) -> Self {
        self.instance = Some(instance.to_owned());
        self.request_id = Some(request_id.to_owned());
        self
    }

    /// The body as it goes out.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        // A struct of strings and numbers: there is nothing in it that could fail.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// `responses(…, Problem)` in a route's description: any other status is a problem.
impl IntoResponses for Problem {
    fn responses() -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        let schema = Content::new(Some(Ref::from_schema_name("Problem")));
        let response = ResponseBuilder::new()
            .description("What went wrong, and what to do")
            .content(CONTENT_TYPE_PROBLEM, schema)
            .build();
        BTreeMap::from([("default".to_owned(), RefOr::T(response))])
    }
}
