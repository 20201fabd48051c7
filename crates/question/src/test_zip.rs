//! A set of tests in one zip: `NAME.in` with `NAME.out` or `NAME.ans`, samples in a folder `sample` or named `sample…`.
//!
//! Hostile until proved otherwise: names never become paths, sizes are counted while unpacking and not believed, and whatever
//! is not a test is refused by name, so that nothing is dropped silently. Nothing is kept here: the bodies come out staged.

use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    io::{self, BufReader, Read},
    path::Path,
};

use zip::{
    CompressionMethod, ZipReadOptions, read::Config, result::ZipError, unstable::read::ZipIterable,
};

use crate::{
    blobs::{BlobError, Blobs, Staged},
    rules::{Fault, MAX_SAMPLES, MAX_TEST_BYTES, MAX_TESTS, check_sample_size, is_name},
};

/// Largest zip, in bytes.
pub(crate) const MAX_ZIP_BYTES: u64 = 256 << 20;
/// Most that one may unpack to, in bytes.
const MAX_UNPACKED_BYTES: u64 = 1 << 30;
/// Two files a test, and some folders.
const MAX_ENTRIES: usize = MAX_TESTS * 2 + 1_000;
const MAX_FAULTS: usize = 20;
const BUFFER_BYTES: usize = 64 << 10;

/// One test of a zip.
#[derive(Debug)]
pub(crate) struct ZippedTest {
    /// Made of its path: `sample/1.in` is `sample-1`.
    pub(crate) name: String,
    /// Whether its path says that learners may see it.
    pub(crate) sample: bool,
    /// What stood in `.in`.
    pub(crate) input: Staged,
    /// What stood in `.out` or `.ans`.
    pub(crate) output: Staged,
}

/// Why a zip was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TestZipError {
    /// It is wrong in these places.
    #[error("the zip is wrong")]
    Faults(Vec<Fault>),
    /// The disk failed.
    #[error(transparent)]
    Blob(BlobError),
}

/// Which of a test's two files an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Input,
    Output,
}

/// What is to become of the entries: for each, in the directory's order, its test's name and side; `None` for folders.
struct Plan {
    entries: Vec<Option<(String, Side)>>,
    /// Tests by name, and whether each is a sample.
    samples: HashMap<String, bool>,
}

/// The tests of a zip, samples first, then in natural order (`2` before `10`). Blocks.
pub(crate) fn read_tests(zip: &Path, blobs: &Blobs) -> Result<Vec<ZippedTest>, TestZipError> {
    let open = || {
        File::open(zip)
            .map(BufReader::new)
            .map_err(|error| TestZipError::Blob(error.into()))
    };
    let mut archive = ZipIterable::try_new(open()?, Config::default())
        .map_err(|error| unreadable("", &error))?
        .enforce_header_consistency(true);
    if archive.len() > MAX_ENTRIES {
        return Err(fault("", "too-many", "a zip holds at most 5,000 tests"));
    }
    let plan = plan(&mut archive)?;
    let mut sides: BTreeMap<String, (Option<Staged>, Option<Staged>)> = BTreeMap::new();
    let mut left = MAX_UNPACKED_BYTES;
    let mut files = archive
        .files_with_reader(open()?, ZipReadOptions::new())
        .map_err(|error| unreadable("", &error))?;
    for entry in plan.entries {
        let place = entry.as_ref().map_or("", |(name, _)| name);
        let Some(file) = files.next() else { break };
        let mut file = file.map_err(|error| unreadable(place, &error))?;
        let Some((name, side)) = entry else { continue };
        let staged = unpack(&mut file, &name, blobs, &mut left)?;
        let sample = plan.samples.get(&name).copied().unwrap_or_default();
        if let Some(fault) = check_sample_size(&pointer(&name), sample, staged.blob.size) {
            return Err(TestZipError::Faults(vec![fault]));
        }
        let slots = sides.entry(name).or_default();
        match side {
            Side::Input => slots.0 = Some(staged),
            Side::Output => slots.1 = Some(staged),
        }
    }
    let mut tests: Vec<_> = sides
        .into_iter()
        .filter_map(|(name, (input, output))| {
            Some(ZippedTest {
                sample: plan.samples.get(&name).copied().unwrap_or_default(),
                name,
                input: input?,
                output: output?,
            })
        })
        .collect();
    tests.sort_by_cached_key(|test| (!test.sample, natural_key(&test.name)));
    Ok(tests)
}

/// Looks at every name before a single byte is unpacked.
fn plan(archive: &mut ZipIterable<BufReader<File>>) -> Result<Plan, TestZipError> {
    let mut faults = Vec::new();
    let mut paths: Vec<Option<Vec<String>>> = Vec::new();
    for entry in archive.files().map_err(|error| unreadable("", &error))? {
        if faults.len() >= MAX_FAULTS {
            break;
        }
        let entry = entry.map_err(|error| unreadable("", &error))?;
        let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
        let shown: String = name.chars().take(200).collect();
        let refusal = if std::str::from_utf8(entry.name_raw()).is_err() {
            Some(("format", "its name is not UTF-8"))
        } else if entry.encrypted() {
            Some(("encrypted", "it is encrypted"))
        } else if !is_plain(entry.unix_mode()) {
            Some(("file-type", "it is neither a file nor a folder"))
        } else if !matches!(
            entry.compression(),
            CompressionMethod::Stored | CompressionMethod::Deflated
        ) {
            Some((
                "compression",
                "it is compressed neither by deflate nor not at all",
            ))
        } else {
            None
        };
        if let Some((code, message)) = refusal {
            faults.push(Fault::new(pointer(&shown), code, message));
            continue;
        }
        match path_segments(&name) {
            Ok(_) if entry.is_dir() || is_litter(&name) => paths.push(None),
            Ok(segments) => paths.push(Some(segments)),
            Err(message) => faults.push(Fault::new(pointer(&shown), "path", message)),
        }
    }
    strip_common_folders(&mut paths);
    let plan = pair(paths, &mut faults);
    faults.truncate(MAX_FAULTS);
    if faults.is_empty() {
        Ok(plan)
    } else {
        Err(TestZipError::Faults(faults))
    }
}

/// Finds the test of each path, and what is missing or there twice.
fn pair(paths: Vec<Option<Vec<String>>>, faults: &mut Vec<Fault>) -> Plan {
    let mut plan = Plan {
        entries: Vec::with_capacity(paths.len()),
        samples: HashMap::new(),
    };
    // By name, case ignored: as it is written, and which sides there are.
    let mut seen: HashMap<String, (String, [bool; 2])> = HashMap::new();
    for path in paths {
        let Some(segments) = path else {
            plan.entries.push(None);
            continue;
        };
        let shown = segments.join("/");
        let sides = [
            (".in", Side::Input),
            (".out", Side::Output),
            (".ans", Side::Output),
        ];
        let whole = segments.join("-");
        let found = sides
            .iter()
            .find_map(|(ending, side)| whole.strip_suffix(ending).map(|name| (name, *side)));
        let Some((name, side)) = found else {
            faults.push(Fault::new(
                pointer(&shown),
                "file-name",
                "a test is NAME.in with NAME.out or NAME.ans; take this file out of the zip",
            ));
            continue;
        };
        if !is_name(name) {
            faults.push(Fault::new(
                pointer(&shown),
                "format",
                "a test's name, its folders included, is 1 to 64 of A-Z, a-z, 0-9, . _ and -",
            ));
            continue;
        }
        let (spelling, there) = seen
            .entry(name.to_ascii_lowercase())
            .or_insert_with(|| (name.to_owned(), [false; 2]));
        if spelling != name || there[side as usize] {
            faults.push(Fault::new(
                pointer(&shown),
                "duplicate",
                "another file of the zip stands for the same",
            ));
            continue;
        }
        there[side as usize] = true;
        let sample = segments
            .iter()
            .any(|segment| segment == "sample" || segment == "samples")
            || segments
                .last()
                .is_some_and(|file| file.starts_with("sample"));
        plan.samples.insert(name.to_owned(), sample);
        plan.entries.push(Some((name.to_owned(), side)));
    }
    for (name, there) in seen.values() {
        match there {
            [true, false] => faults.push(Fault::new(
                pointer(name),
                "incomplete",
                "its .out or .ans is missing",
            )),
            [false, true] => faults.push(Fault::new(
                pointer(name),
                "incomplete",
                "its .in is missing",
            )),
            _ => {}
        }
    }
    if seen.len() > MAX_TESTS {
        faults.push(Fault::new(
            "",
            "too-many",
            "a zip holds at most 5,000 tests",
        ));
    }
    if plan.samples.values().filter(|sample| **sample).count() > MAX_SAMPLES {
        faults.push(Fault::new("", "too-many", "at most 50 samples"));
    }
    if seen.is_empty() && faults.is_empty() {
        faults.push(Fault::new("", "empty", "there is no test in the zip"));
    }
    plan
}

fn unpack(
    file: &mut impl Read,
    name: &str,
    blobs: &Blobs,
    left: &mut u64,
) -> Result<Staged, TestZipError> {
    let mut staging = blobs
        .stage(MAX_TEST_BYTES.min(*left))
        .map_err(|error| TestZipError::Blob(error.into()))?;
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let count = match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(unreadable(name, &ZipError::Io(error))),
        };
        match staging.write(&buffer[..count]) {
            Err(BlobError::TooLarge { .. }) => {
                return Err(fault(
                    &pointer(name),
                    "too-long",
                    "a file unpacks to at most 64 MiB, and all together to at most 1 GiB",
                ));
            }
            other => other.map_err(TestZipError::Blob)?,
        }
    }
    let staged = staging.finish();
    *left -= staged.blob.size;
    Ok(staged)
}

/// The steps of a path that stays where it is.
fn path_segments(name: &str) -> Result<Vec<String>, &'static str> {
    if name.len() > 400 {
        return Err("its path is longer than 400 bytes");
    }
    if name.starts_with('/') || name.contains(['\\', '\0', ':']) {
        return Err("its path is absolute, or holds \\, : or U+0000");
    }
    let segments: Vec<_> = name.trim_end_matches('/').split('/').collect();
    if segments
        .iter()
        .any(|segment| matches!(*segment, "" | "." | ".."))
    {
        return Err("its path holds an empty step, . or ..");
    }
    Ok(segments.into_iter().map(str::to_owned).collect())
}

/// What macOS and Windows put beside files.
fn is_litter(name: &str) -> bool {
    name.starts_with("__MACOSX/")
        || matches!(
            name.rsplit('/').next(),
            Some(".DS_Store" | "Thumbs.db" | "desktop.ini")
        )
}

/// A zip of a folder: the folder's name is no part of the tests' names. `sample` is.
fn strip_common_folders(paths: &mut [Option<Vec<String>>]) {
    while let Some(first) = paths.iter().flatten().next()
        && first.len() > 1
        && !first[0].starts_with("sample")
    {
        let folder = first[0].clone();
        let common = |path: &Vec<String>| path.len() > 1 && path[0] == folder;
        if !paths.iter().flatten().all(common) {
            return;
        }
        for path in paths.iter_mut().flatten() {
            path.remove(0);
        }
    }
}

/// Regular files and folders; zips of other systems have no mode.
fn is_plain(unix_mode: Option<u32>) -> bool {
    const KIND: u32 = 0o170_000;
    matches!(
        unix_mode.map(|mode| mode & KIND),
        None | Some(0 | 0o100_000 | 0o040_000)
    )
}

/// Digits compare as numbers.
pub(crate) fn natural_key(name: &str) -> Vec<(String, Option<u128>, usize)> {
    let mut parts = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let text = rest
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len());
        let digits = rest[text..]
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len() - text);
        let number = &rest[text..text + digits];
        parts.push((
            rest[..text].to_owned(),
            (digits > 0).then(|| number.parse().unwrap_or(u128::MAX)),
            number.len(),
        ));
        rest = &rest[text + digits..];
    }
    parts
}

fn unreadable(name: &str, error: &ZipError) -> TestZipError {
    let message = match error {
        ZipError::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            "it ends in the middle".to_owned()
        }
        ZipError::Io(error) => format!("it is damaged: {error}"),
        other => format!("it is not a zip that can be read: {other}"),
    };
    fault(&pointer(name), "damaged", message)
}

fn fault(pointer: &str, code: &'static str, message: impl Into<String>) -> TestZipError {
    TestZipError::Faults(vec![Fault::new(pointer, code, message)])
}

fn pointer(name: &str) -> String {
    if name.is_empty() {
        String::new()
    } else {
        format!("/{}", name.replace('~', "~0").replace('/', "~1"))
    }
}

#[cfg(test)]
mod tests;
