//! What a set of tests must be like.

use std::collections::HashSet;

use crate::document::TestDocument;

use super::{Fault, range};

/// Most tests of one question.
pub(crate) const MAX_TESTS: usize = 5_000;
/// Most samples of one question: all of them are shown with it.
pub(crate) const MAX_SAMPLES: usize = 50;
/// Largest input or output.
pub(crate) const MAX_TEST_BYTES: u64 = 64 << 20;
/// Largest input or output of a sample: it is shown with the question.
const MAX_SAMPLE_BYTES: u64 = 64 << 10;

/// Whether this can name a test or a group.
pub(crate) fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        && !text.bytes().all(|byte| byte == b'.')
}

/// What is wrong with a whole set.
pub(crate) fn check_tests(place: &str, tests: &[TestDocument]) -> Vec<Fault> {
    let mut faults = Vec::new();
    if tests.len() > MAX_TESTS {
        faults.push(Fault::new(place, "too-many", "at most 5,000 tests"));
    }
    if tests.iter().filter(|test| test.sample).count() > MAX_SAMPLES {
        faults.push(Fault::new(place, "too-many", "at most 50 samples"));
    }
    let mut names = HashSet::new();
    for (index, test) in tests.iter().enumerate() {
        let place = format!("{place}/{index}");
        faults.extend(check_test(&place, test));
        if !names.insert(&test.name) {
            faults.push(Fault::new(
                format!("{place}/name"),
                "duplicate",
                "another test has this name",
            ));
        }
    }
    faults
}

/// What is wrong with one test.
pub(crate) fn check_test(place: &str, test: &TestDocument) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut name = |name: &str, field: &str| {
        if !is_name(name) {
            faults.push(Fault::new(
                format!("{place}/{field}"),
                "format",
                "1 to 64 of A-Z, a-z, 0-9, . _ and -",
            ));
        }
    };
    name(&test.name, "name");
    if let Some(group) = &test.group {
        name(group, "group");
    }
    if let Some(points) = test.points
        && !(0.0..=1e6).contains(&points)
    {
        faults.push(range(&format!("{place}/points"), "0 to 1000000"));
    }
    for (field, body) in [("input", &test.input), ("output", &test.output)] {
        let size = body.as_ref().map_or(0, |body| body.len() as u64);
        faults.extend(check_sample_size(
            &format!("{place}/{field}"),
            test.sample,
            size,
        ));
    }
    faults
}

/// Samples are shown whole, so they are small.
pub(crate) fn check_sample_size(pointer: &str, sample: bool, size: u64) -> Option<Fault> {
    (sample && size > MAX_SAMPLE_BYTES)
        .then(|| Fault::new(pointer, "too-long", "a sample's bodies have at most 64 KiB"))
}
