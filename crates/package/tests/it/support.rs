//! Folders and zips to read.

use std::{collections::BTreeMap, fs, io::Cursor, path::Path};

use package::{Files, Limits, Package, PackageError, write::Content};
use tempfile::TempDir;

/// A folder with these files.
pub(crate) fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("has one")).expect("makes folders");
        fs::write(path, text).expect("writes");
    }
    folder
}

/// The package in a folder with these files.
pub(crate) fn package(files: &[(&str, &str)]) -> Result<Package, PackageError> {
    let folder = folder(files);
    Package::read(Files::open(folder.path(), Limits::default())?)
}

/// The files of a zip of these bytes.
pub(crate) fn unzip(bytes: &[u8], limits: Limits) -> Result<Files, PackageError> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("problem.zip");
    fs::write(&path, bytes).expect("writes");
    Files::open(Path::new(&path), limits)
}

/// A zip with these files, as we write them.
pub(crate) fn zip(files: &[(&str, &str)]) -> Vec<u8> {
    let files: BTreeMap<String, Content> = files
        .iter()
        .map(|(name, text)| ((*name).to_owned(), Content::from((*text).to_owned())))
        .collect();
    let mut bytes = Cursor::new(Vec::new());
    package::write_zip(files, &mut bytes).expect("writes");
    bytes.into_inner()
}

/// Where a package is wrong, and the word for it.
pub(crate) fn refusal<T: std::fmt::Debug>(
    result: Result<T, PackageError>,
) -> (String, &'static str) {
    match result.expect_err("is refused") {
        PackageError::Wrong { place, code, .. } => (place, code),
        PackageError::Disk(error) => panic!("the disk failed: {error}"),
    }
}
