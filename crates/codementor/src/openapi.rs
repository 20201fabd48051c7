//! The public API as one OpenAPI document, put together from what each service says of its own routes.

use anyhow::{Context, Result};
use utoipa::openapi::{InfoBuilder, OpenApi};

/// The committed `openapi.json`.
pub(crate) fn document() -> Result<String> {
    let mut document = OpenApi::new(
        InfoBuilder::new()
            .title("CodeMentor")
            .version("1")
            .description(Some(
                "Judge and review code over an exact stream. Errors are application/problem+json.",
            ))
            .build(),
        utoipa::openapi::Paths::new(),
    );
    document.merge(gateway::openapi());
    document.merge(question::openapi());
    document.merge(execute::openapi());
    gateway::document_streams(&mut document);
    let mut text = document
        .to_pretty_json()
        .context("the document is not JSON")?;
    text.push('\n');
    Ok(text)
}
