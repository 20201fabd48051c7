//! From tests as they are sent to tests as they are stored: bodies become blobs before anything refers to them.

use std::collections::HashMap;

use contract::manifest::{BlobRef, TestRef};

use crate::{
    blobs::{self, BlobError, Blobs},
    document::TestDocument,
    error::QuestionError,
    rules::{Fault, MAX_TEST_BYTES, check_sample_size},
};

/// A draft's tests are shown with their bodies if they are few and small, all of them or none.
const MAX_INLINE_TESTS: usize = 500;
const MAX_INLINE_BYTES: u64 = 1 << 20;

/// A test as it was sent, its bodies kept as blobs.
#[derive(Debug)]
pub(crate) struct SentTest {
    /// All but the bodies.
    pub(crate) test: TestDocument,
    /// `None` where none was sent.
    pub(crate) input: Option<BlobRef>,
    /// `None` where none was sent.
    pub(crate) output: Option<BlobRef>,
}

/// Keeps the bodies of a set. Before the question is locked: a slow disk must not hold up others.
pub(crate) async fn keep(
    blobs: &Blobs,
    sent: Vec<TestDocument>,
) -> Result<Vec<SentTest>, QuestionError> {
    let folder = blobs.clone();
    let (tests, staged) = blobs::blocking(move || {
        let mut staged = Vec::new();
        let mut stage = |text: Option<String>| {
            let Some(text) = text else { return Ok(None) };
            let body = folder.stage_bytes(text.as_bytes(), MAX_TEST_BYTES)?;
            let blob = body.blob.clone();
            staged.push(body);
            Ok::<_, BlobError>(Some(blob))
        };
        let mut tests = Vec::with_capacity(sent.len());
        for mut test in sent {
            let (input, output) = (stage(test.input.take())?, stage(test.output.take())?);
            tests.push(SentTest {
                test,
                input,
                output,
            });
        }
        Ok((tests, staged))
    })
    .await?;
    blobs.keep(staged).await?;
    Ok(tests)
}

/// The set as it is to be stored. A body that was not sent is the one of the present test of the same name.
pub(crate) fn resolve(
    place: &str,
    sent: Vec<SentTest>,
    present: &[TestRef],
) -> Result<Vec<TestRef>, Vec<Fault>> {
    let present: HashMap<&str, &TestRef> = present
        .iter()
        .map(|test| (test.name.as_str(), test))
        .collect();
    let (mut tests, mut faults) = (Vec::with_capacity(sent.len()), Vec::new());
    for (index, test) in sent.into_iter().enumerate() {
        let before = present.get(test.test.name.as_str()).copied();
        match test.resolve(&format!("{place}/{index}"), before) {
            Ok(test) => tests.push(test),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() {
        Ok(tests)
    } else {
        Err(faults)
    }
}

impl SentTest {
    /// The test as it is to be stored.
    pub(crate) fn resolve(self, place: &str, before: Option<&TestRef>) -> Result<TestRef, Fault> {
        let sample = self.test.sample;
        let body = |field: &str, sent: Option<BlobRef>, before: Option<&BlobRef>| {
            let pointer = format!("{place}/{field}");
            let blob = sent.or_else(|| before.cloned());
            let blob = blob.ok_or_else(|| missing(pointer.clone()))?;
            match check_sample_size(&pointer, sample, blob.size) {
                Some(fault) => Err(fault),
                None => Ok(blob),
            }
        };
        Ok(TestRef {
            input: body("input", self.input, before.map(|test| &test.input))?,
            output: body("output", self.output, before.map(|test| &test.output))?,
            name: self.test.name,
            sample,
            group: self.test.group,
            points: self.test.points,
            args: Vec::new(),
            checker_args: Vec::new(),
        })
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
