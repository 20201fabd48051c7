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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;

    use super::document;

    #[test]
    fn every_operation_has_a_name_of_its_own() {
        let text = document().expect("a document");
        let document: Value = serde_json::from_str(&text).expect("it is JSON");
        let mut seen = BTreeMap::new();
        for (path, operations) in document["paths"].as_object().expect("paths") {
            for (method, operation) in operations.as_object().expect("operations") {
                let name = operation["operationId"].as_str().unwrap_or_default();
                assert!(!name.is_empty(), "{method} {path} has no name");
                let place = format!("{method} {path}");
                if let Some(other) = seen.insert(name.to_owned(), place.clone()) {
                    panic!("{other} and {place} are both named {name}");
                }
            }
        }
        assert!(seen.len() > 40, "only {} operations", seen.len());
    }
}
