//! The sample questions, embedded in the binary and put in through the public API as the demo teacher would.
//!
//! `samples/README.md` tells the form of the files. A question that is there already is left as it is.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use reqwest::Method;
use rust_embed::RustEmbed;
use serde_json::{Value, json};

use crate::client::Client;

#[derive(RustEmbed)]
#[folder = "../../samples"]
#[exclude = "README.md"]
struct Files;

/// A right answer to one of them, for the greeting's curl line; fits between single quotes.
pub(crate) const CURL_BODY: &str = r#"{"question": "tangerine-boxes", "language": "python", "code": "n, k = map(int, input().split())\nboxes = -(-n // k)\nprint(boxes, boxes * k - n)"}"#;

/// The slugs of all sample questions, in order.
pub(crate) fn slugs() -> Vec<String> {
    let mut slugs: Vec<String> = Files::iter()
        .filter_map(|path| path.strip_suffix("/question.json").map(str::to_owned))
        .collect();
    slugs.sort();
    slugs
}

/// Makes and publishes those that are not there yet.
pub(crate) async fn load(teacher: &Client) -> Result<()> {
    let mut present = BTreeSet::new();
    let mut cursor = String::new();
    loop {
        let page = teacher
            .json(Method::GET, &format!("/questions?limit=100{cursor}"), None)
            .await?;
        for question in page["items"].as_array().into_iter().flatten() {
            present.insert(question["slug"].as_str().unwrap_or_default().to_owned());
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    for slug in slugs() {
        if present.contains(&slug) {
            continue;
        }
        let document = document(&slug).with_context(|| format!("sample question {slug}"))?;
        put_in(teacher, &slug, &document)
            .await
            .with_context(|| format!("sample question {slug}"))?;
    }
    Ok(())
}

async fn put_in(teacher: &Client, slug: &str, document: &Value) -> Result<()> {
    // A draft of that name is one whose publishing was cut off.
    let made = teacher
        .json(Method::POST, "/questions", Some(document))
        .await;
    if let Err(error) = made
        && teacher
            .json(Method::GET, &format!("/questions/{slug}"), None)
            .await
            .is_err()
    {
        return Err(error);
    }
    // Their solutions are judged by the project's own tests.
    let path = format!("/questions/{slug}/publish?unverified=true");
    teacher.json(Method::POST, &path, None).await?;
    Ok(())
}

/// The question as one document for `POST /questions`, made of its folder.
pub(crate) fn document(slug: &str) -> Result<Value> {
    let mut document: Value = serde_json::from_str(&text(&format!("{slug}/question.json"))?)?;
    let mut statements = json!({});
    for locale in ["ko", "en"] {
        statements[locale] = text(&format!("{slug}/statement.{locale}.md"))?.into();
    }
    document["statements"] = statements;
    for test in document["tests"].as_array_mut().context("no tests")? {
        let name = test["name"]
            .as_str()
            .context("a test without a name")?
            .to_owned();
        test["input"] = text(&format!("{slug}/tests/{name}.in"))?.into();
        test["output"] = text(&format!("{slug}/tests/{name}.out"))?.into();
    }
    for solution in document["solutions"].as_array_mut().into_iter().flatten() {
        let file = solution["file"]
            .as_str()
            .context("a solution without a file")?;
        let code = text(&format!("{slug}/solutions/{file}"))?;
        solution["code"] = code.into();
        if let Some(fields) = solution.as_object_mut() {
            fields.remove("file");
        }
    }
    let prefix = format!("{slug}/");
    for path in Files::iter().filter(|path| path.starts_with(&prefix)) {
        let Some((folder, file)) = path[prefix.len()..].split_once('/') else {
            continue;
        };
        let field = match folder {
            "drivers" => "driver",
            "starters" => "starter",
            _ => continue,
        };
        let language = file.split('.').next().unwrap_or(file);
        document["languages"][language][field] = text(&path)?.into();
    }
    Ok(document)
}

fn text(path: &str) -> Result<String> {
    let file = Files::get(path).with_context(|| format!("there is no {path}"))?;
    String::from_utf8(file.data.into_owned()).with_context(|| format!("{path} is not text"))
}
