//! axum's extractors with problems as rejections, and with what no handler should have to check: no NUL, nothing but UTF-8.
//!
//! What cannot be read is 400, what is read and wrong is 422; `errors` points at the place.

mod json;
mod objects;
mod path;
mod query;

pub use json::Json;
pub use objects::Objects;
pub use path::Path;
pub use query::Query;

/// Longer messages of parsers are cut: they may repeat what was sent.
const MESSAGE_LIMIT: usize = 300;

/// The stable word for what serde says is wrong.
fn code(message: &str) -> &'static str {
    const CODES: [(&str, &str); 6] = [
        ("missing field", "missing-field"),
        ("unknown field", "unknown-field"),
        ("duplicate field", "duplicate-field"),
        ("unknown variant", "unknown-value"),
        ("invalid type", "invalid-type"),
        ("invalid length", "invalid-length"),
    ];
    CODES
        .iter()
        .find(|(start, _)| message.starts_with(start))
        .map_or("invalid-value", |(_, code)| code)
}

/// The name in backquotes: serde's way to say which field is missing or unknown.
fn quoted(message: &str) -> Option<&str> {
    message.split('`').nth(1)
}

/// At most [`MESSAGE_LIMIT`] characters.
fn cut(message: &str) -> String {
    match message.char_indices().nth(MESSAGE_LIMIT) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message.to_owned(),
    }
}
