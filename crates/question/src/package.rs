//! A question as a problem package, and a package as a question.
//!
//! ```text
//!  document ─┬─ texts, code ──▶ files of their own (statement/, languages/, submissions/, output_validator/)
//!            └─ the rest ─────▶ codementor.json, which an import believes; problem.yaml says the same for other judges
//! ```
//! So an export that is imported and exported again has the same bytes. A package of others is read as far as a question has
//! a place for it; all else is a warning. Nothing of a package is run.

mod foreign;
mod ours;
mod yaml;

use std::path::Path;

use contract::manifest::TestRef;
use package::{Files, Limits, Package, PackageError, Warning};
use serde_json::Value;

use crate::{
    blobs::{BlobError, Blobs, Staged},
    error::QuestionError,
    rules::{Fault, MAX_TEST_BYTES, MAX_TESTS},
};

pub(crate) use ours::export;

/// Largest zip, in bytes.
pub(crate) const MAX_PACKAGE_BYTES: u64 = 256 << 20;

/// A package as a question, its tests' bodies staged.
pub(crate) struct Imported {
    /// The document, without tests.
    pub(crate) document: Value,
    pub(crate) tests: Vec<TestRef>,
    pub(crate) staged: Vec<Staged>,
    /// Whether the slug was made up here, and so may be changed.
    pub(crate) slug_is_ours: bool,
    pub(crate) warnings: Vec<Warning>,
}

/// Where a test's bodies lie, before they are staged.
struct Bodies {
    test: TestRef,
    input: String,
    output: Option<String>,
}

/// Reads a zip. Blocks.
pub(crate) fn import(zip: &Path, blobs: &Blobs) -> Result<Imported, QuestionError> {
    let file = std::fs::File::open(zip).map_err(BlobError::from)?;
    let limits = Limits {
        file_bytes: MAX_TEST_BYTES,
        total_bytes: 1 << 30,
        ..Limits::default()
    };
    let files = Files::of_zip(file, String::new(), limits).map_err(refused)?;
    let package = Package::read(files).map_err(refused)?;
    let mut warnings = package.warnings.clone();
    let (document, bodies, slug_is_ours) = if let Some(ours) = &package.ours {
        let (document, bodies) = ours::import(&package, ours.clone(), &mut warnings)?;
        (document, bodies, false)
    } else {
        let (document, bodies) = foreign::import(&package, &mut warnings).map_err(refused)?;
        (document, bodies, true)
    };
    if bodies.len() > MAX_TESTS {
        return Err(QuestionError::fault(
            "/data",
            "too-many",
            "a question has at most 5,000 tests",
        ));
    }
    let (mut tests, mut staged) = (Vec::with_capacity(bodies.len()), Vec::new());
    for Bodies {
        mut test,
        input,
        output,
    } in bodies
    {
        let body = stage(&package.files, Some(&input), blobs)?;
        test.input = body.blob.clone();
        staged.push(body);
        let body = stage(&package.files, output.as_deref(), blobs)?;
        test.output = body.blob.clone();
        staged.push(body);
        for (name, size) in [
            (Some(&input), test.input.size),
            (output.as_ref(), test.output.size),
        ] {
            let place = pointer(name.map_or("", String::as_str));
            if let Some(fault) = crate::rules::check_sample_size(&place, test.sample, size) {
                return Err(fault.into());
            }
        }
        tests.push(test);
    }
    Ok(Imported {
        document,
        tests,
        staged,
        slug_is_ours,
        warnings,
    })
}

fn stage(files: &Files, name: Option<&str>, blobs: &Blobs) -> Result<Staged, QuestionError> {
    let mut staging = blobs.stage(MAX_TEST_BYTES).map_err(BlobError::from)?;
    if let Some(name) = name {
        let mut file = files.file(name).map_err(refused)?;
        let mut buffer = vec![0; 64 << 10];
        loop {
            let count = std::io::Read::read(&mut file, &mut buffer).map_err(BlobError::from)?;
            if count == 0 {
                break;
            }
            staging.write(&buffer[..count])?;
        }
    }
    Ok(staging.finish())
}

/// A package is wrong in a place: its file, and the field in it.
fn refused(error: PackageError) -> QuestionError {
    match error {
        PackageError::Wrong {
            place,
            code,
            message,
        } => Fault::new(pointer(&place), code, message).into(),
        PackageError::Disk(error) => QuestionError::Blob(error.into()),
    }
}

fn pointer(place: &str) -> String {
    match place {
        "" => String::new(),
        place => format!("/{}", place.replace('~', "~0").replace('/', "~1")),
    }
}

#[cfg(test)]
mod tests;
