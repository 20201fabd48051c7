//! The sample questions' solutions, read from their folders.

use std::{fs, path::Path};

use serde_json::Value;

/// One solution and what it should get.
#[derive(Debug, Clone)]
pub struct Solution {
    /// The question.
    pub question: String,
    /// The language's id.
    pub language: String,
    /// The file's name.
    pub file: String,
    /// The code.
    pub code: String,
    /// The expected verdict.
    pub expect: String,
}

/// Every solution of every sample question.
pub fn solutions() -> Vec<Solution> {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples");
    let mut solutions = vec![];
    for entry in fs::read_dir(samples).expect("samples are there") {
        let folder = entry.expect("they can be read").path();
        let Ok(text) = fs::read_to_string(folder.join("question.json")) else {
            continue;
        };
        let document: Value = serde_json::from_str(&text).expect("question.json is JSON");
        let field = |value: &Value, name: &str| value[name].as_str().expect("a text").to_owned();
        for solution in document["solutions"].as_array().expect("solutions") {
            let file = field(solution, "file");
            solutions.push(Solution {
                question: field(&document, "slug"),
                language: field(solution, "language"),
                code: fs::read_to_string(folder.join("solutions").join(&file)).expect("the file"),
                expect: field(solution, "expect"),
                file,
            });
        }
    }
    assert!(!solutions.is_empty());
    solutions
}
