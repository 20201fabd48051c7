//! From tests as they are sent to tests as they are stored: bodies become blobs before anything refers to them.

use contract::manifest::{BlobRef, TestRef};

use crate::{
    blobs::{self, Blobs, Staged},
    document::TestDocument,
    error::QuestionError,
    rules::{Fault, MAX_TEST_BYTES, check_sample_size},
};

/// A draft's tests are shown with their bodies if they are few and small, all of them or none.
const MAX_INLINE_TESTS: usize = 500;
const MAX_INLINE_BYTES: u64 = 1 << 20;

/// Stores the bodies of a set. A body that was not sent is the one of the present test of the same name.
pub(crate) async fn store_tests(
    blobs: &Blobs,
    place: &str,
    sent: Vec<TestDocument>,
    present: &[TestRef],
) -> Result<Vec<TestRef>, QuestionError> {
    let present: std::collections::HashMap<_, _> = present
        .iter()
        .map(|test| (test.name.clone(), test.clone()))
        .collect();
    let place = place.to_owned();
    let folder = blobs.clone();
    let (tests, staged, faults) = blobs::blocking(move || {
        let (mut tests, mut staged, mut faults) = (Vec::new(), Vec::new(), Vec::new());
        for (index, test) in sent.into_iter().enumerate() {
            let place = format!("{place}/{index}");
            let before = present.get(&test.name);
            let mut body = |text: Option<String>, field: &str, before: Option<&BlobRef>| {
                let blob = match (text, before) {
                    (Some(text), _) => {
                        let body = folder.stage_bytes(text.as_bytes(), MAX_TEST_BYTES)?;
                        let blob = body.blob.clone();
                        staged.push(body);
                        blob
                    }
                    (None, Some(before)) => before.clone(),
                    (None, None) => {
                        faults.push(missing(format!("{place}/{field}")));
                        return Ok(None);
                    }
                };
                let too_long =
                    check_sample_size(&format!("{place}/{field}"), test.sample, blob.size);
                faults.extend(too_long);
                Ok::<_, blobs::BlobError>(Some(blob))
            };
            let input = body(test.input, "input", before.map(|test| &test.input))?;
            let output = body(test.output, "output", before.map(|test| &test.output))?;
            if let (Some(input), Some(output)) = (input, output) {
                tests.push(TestRef {
                    name: test.name,
                    sample: test.sample,
                    group: test.group,
                    points: test.points,
                    input,
                    output,
                });
            }
        }
        Ok((tests, staged, faults))
    })
    .await?;
    if !faults.is_empty() {
        return Err(QuestionError::Invalid(faults));
    }
    blobs.keep(staged).await?;
    Ok(tests)
}

/// The body of one test: what was uploaded, else what the test of that name has.
pub(crate) fn body_of(
    field: &str,
    sample: bool,
    uploaded: Option<&Staged>,
    before: Option<&BlobRef>,
) -> Result<BlobRef, Fault> {
    let blob = uploaded.map(|staged| &staged.blob).or(before);
    let pointer = format!("/{field}");
    let blob = blob.ok_or_else(|| missing(pointer.clone()))?;
    match check_sample_size(&pointer, sample, blob.size) {
        Some(fault) => Err(fault),
        None => Ok(blob.clone()),
    }
}

/// A test as it is shown, without its bodies.
pub(crate) fn describe(test: &TestRef) -> TestDocument {
    TestDocument {
        name: test.name.clone(),
        input: None,
        output: None,
        sample: test.sample,
        group: test.group.clone(),
        points: test.points,
        input_size: Some(test.input.size),
        input_sha256: Some(test.input.sha256.clone()),
        output_size: Some(test.output.size),
        output_sha256: Some(test.output.sha256.clone()),
    }
}

/// A test as it is shown, with those bodies that are text.
pub(crate) async fn describe_whole(
    blobs: &Blobs,
    test: &TestRef,
) -> Result<TestDocument, QuestionError> {
    Ok(TestDocument {
        input: text(blobs, &test.input).await?,
        output: text(blobs, &test.output).await?,
        ..describe(test)
    })
}

/// A draft's tests as they are shown: with bodies if they are few and small.
pub(crate) async fn describe_all(
    blobs: &Blobs,
    tests: &[TestRef],
) -> Result<Vec<TestDocument>, QuestionError> {
    let bytes: u64 = tests
        .iter()
        .map(|test| test.input.size + test.output.size)
        .sum();
    if tests.len() > MAX_INLINE_TESTS || bytes > MAX_INLINE_BYTES {
        return Ok(tests.iter().map(describe).collect());
    }
    let mut described = Vec::with_capacity(tests.len());
    for test in tests {
        described.push(describe_whole(blobs, test).await?);
    }
    Ok(described)
}

/// A small body as text; `None` for large ones and for what is not UTF-8, which are fetched as files.
async fn text(blobs: &Blobs, blob: &BlobRef) -> Result<Option<String>, QuestionError> {
    if blob.size > MAX_INLINE_BYTES {
        return Ok(None);
    }
    let bytes = blobs.read(blob).await?;
    Ok(String::from_utf8(bytes.into()).ok())
}

fn missing(pointer: String) -> Fault {
    Fault::new(
        pointer,
        "required",
        "this is missing, and there is no test of that name yet",
    )
}
