//! What requests have in common: which question, which body, which language.

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use contract::{Account, Language, Locale};
use serde::de::DeserializeOwned;
use serde_json::Value;
use service::extract::Json;

use crate::{
    error::QuestionError,
    etag::IfMatch,
    rules,
    state::AppState,
    statement,
    store::{self, Key, Viewer, Visible},
};

/// The question that the address names. What cannot be a name is not found.
pub(crate) fn key(text: &str) -> Result<Key, QuestionError> {
    Key::parse(text).ok_or(QuestionError::NotFound("question"))
}

/// The language that the address names.
pub(crate) fn language(text: &str) -> Result<Language, QuestionError> {
    text.parse()
        .map_err(|_| QuestionError::NotFound("language"))
}

/// The test that the address names.
pub(crate) fn test_name(text: &str) -> Result<&str, QuestionError> {
    if rules::is_name(text) {
        Ok(text)
    } else {
        Err(QuestionError::NotFound("test"))
    }
}

/// The languages in which the request's sender wants to read.
pub(crate) fn wanted(headers: &HeaderMap, account: &Account) -> Vec<Locale> {
    let header = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    statement::wanted_locales(header, account.locale)
}

/// The question, if the account may see it.
pub(crate) async fn visible(
    state: &AppState,
    key: &Key,
    account: &Account,
) -> Result<Visible, QuestionError> {
    store::find_visible(&state.pool, key, Viewer::from(account))
        .await?
        .ok_or(QuestionError::NotFound("question"))
}

/// The question, if it is the account's to change.
pub(crate) async fn mine(
    state: &AppState,
    key: &Key,
    account: &Account,
) -> Result<Visible, QuestionError> {
    let question = visible(state, key, account).await?;
    if question.draft.is_some() {
        Ok(question)
    } else {
        Err(QuestionError::NotFound("question"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(&parts.headers))
    }
}

/// The forms in which bodies come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Media {
    /// `application/json`, also `…+json`.
    Json,
    /// `text/…` in UTF-8; what says nothing is taken for it.
    Text,
    /// `multipart/form-data`.
    Form,
    /// `application/zip`.
    Zip,
    /// Anything else.
    Other,
}

impl Media {
    /// What `Content-Type` says.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let Some(value) = headers.get(header::CONTENT_TYPE) else {
            return Self::Text;
        };
        let value = value.to_str().unwrap_or_default().to_ascii_lowercase();
        let mut parts = value.split(';').map(str::trim);
        match parts.next().unwrap_or_default() {
            kind if kind == "application/json"
                || (kind.starts_with("application/") && kind.ends_with("+json")) =>
            {
                Self::Json
            }
            kind if kind.starts_with("text/") => {
                let charset = parts.find_map(|part| part.strip_prefix("charset="));
                match charset.map(|charset| charset.trim_matches('"')) {
                    None | Some("utf-8" | "utf8" | "us-ascii") => Self::Text,
                    Some(_) => Self::Other,
                }
            }
            "multipart/form-data" => Self::Form,
            "application/zip" | "application/x-zip-compressed" => Self::Zip,
            _ => Self::Other,
        }
    }
}

/// A JSON body. Faults are named by their places.
pub(crate) async fn json<T: DeserializeOwned>(
    request: Request,
    state: &AppState,
) -> Result<T, QuestionError> {
    let Json(value) = Json::<Value>::from_request(request, state).await?;
    Ok(rules::typed(value)?)
}

/// A body of text.
pub(crate) async fn text(request: Request, state: &AppState) -> Result<String, QuestionError> {
    let body = Bytes::from_request(request, state)
        .await
        .map_err(|rejection| {
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                QuestionError::TooLarge("The body is larger than this address takes. Send less.")
            } else {
                QuestionError::Malformed(
                    "The body ended before it was whole. Send it again.".to_owned(),
                )
            }
        })?;
    String::from_utf8(body.into()).map_err(|error| {
        QuestionError::Malformed(format!("The body is not UTF-8: {}.", error.utf8_error()))
    })
}

/// The body as it arrives, without the usual limit: the reader counts.
pub(crate) fn stream(request: Request) -> axum::body::BodyDataStream {
    let body: Body = request.into_body();
    body.into_data_stream()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_bodies_by_their_content_type() {
        for (value, expected) in [
            ("application/json", Media::Json),
            ("application/merge-patch+json; charset=utf-8", Media::Json),
            ("text/plain", Media::Text),
            ("Text/X-C++; Charset=\"UTF-8\"", Media::Text),
            ("text/plain; charset=euc-kr", Media::Other),
            ("multipart/form-data; boundary=x", Media::Form),
            ("application/zip", Media::Zip),
            ("application/x-www-form-urlencoded", Media::Other),
            ("", Media::Other),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, value.parse().expect("a value"));
            assert_eq!(Media::of(&headers), expected, "{value}");
        }
        assert_eq!(Media::of(&HeaderMap::new()), Media::Text);
    }
}
