//! The files of a package, from a folder or a zip. Hostile until proved otherwise.
//!
//! A zip's names never become paths: what it holds is unpacked into files that we number, in a folder that goes with this
//! value. Sizes are counted while unpacking and not believed. In a folder, links are followed only where they stay inside.

use std::{
    collections::{BTreeMap, HashMap},
    fs::{self, File},
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
};

use tempfile::TempDir;
use zip::{
    CompressionMethod, ZipReadOptions, read::Config, result::ZipError, unstable::read::ZipIterable,
};

use crate::PackageError;

/// How large a package may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Files and folders.
    pub entries: usize,
    /// Bytes of one file.
    pub file_bytes: u64,
    /// Bytes of all files.
    pub total_bytes: u64,
    /// Folders within each other.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 20_000,
            file_bytes: 256 << 20,
            total_bytes: 2 << 30,
            depth: 16,
        }
    }
}

/// Largest file that is read as text: metadata, statements, sources.
const MAX_TEXT_BYTES: u64 = 4 << 20;
const BUFFER_BYTES: usize = 64 << 10;

/// The files of a package by their path in it, with `/` between steps.
#[derive(Debug)]
pub struct Files {
    entries: BTreeMap<String, Entry>,
    /// Where a zip was unpacked.
    _unpacked: Option<TempDir>,
    /// The package's own name: that of its folder or zip.
    name: String,
}

#[derive(Debug)]
struct Entry {
    path: PathBuf,
    size: u64,
}

impl Files {
    /// Opens a folder or a zip. Blocks.
    pub fn open(path: &Path, limits: Limits) -> Result<Self, PackageError> {
        let name = path
            .canonicalize()?
            .file_stem()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        if fs::metadata(path)?.is_dir() {
            Self::of_folder(path, name, limits)
        } else {
            Self::of_zip(File::open(path)?, name, limits)
        }
    }

    /// Unpacks a zip. Blocks.
    pub fn of_zip(zip: File, name: String, limits: Limits) -> Result<Self, PackageError> {
        let again = zip.try_clone()?;
        let mut archive = ZipIterable::try_new(BufReader::new(zip), Config::default())
            .map_err(|error| unreadable("", &error))?
            .enforce_header_consistency(true);
        if archive.len() > limits.entries {
            return Err(PackageError::wrong(
                "",
                "too-many",
                format!("a package has at most {} files", limits.entries),
            ));
        }
        let names = plan(&mut archive, limits)?;
        let unpacked = tempfile::tempdir()?;
        let mut entries = BTreeMap::new();
        let mut left = limits.total_bytes;
        let mut files = archive
            .files_with_reader(BufReader::new(again), ZipReadOptions::new())
            .map_err(|error| unreadable("", &error))?;
        for (number, name) in names.into_iter().enumerate() {
            let Some(file) = files.next() else { break };
            let mut file =
                file.map_err(|error| unreadable(name.as_deref().unwrap_or_default(), &error))?;
            let Some(name) = name else { continue };
            let path = unpacked.path().join(number.to_string());
            let size = unpack(&mut file, &name, &path, limits.file_bytes.min(left))?;
            left -= size;
            entries.insert(name, Entry { path, size });
        }
        strip_common_folder(&mut entries);
        Ok(Self {
            entries,
            _unpacked: Some(unpacked),
            name,
        })
    }

    fn of_folder(folder: &Path, name: String, limits: Limits) -> Result<Self, PackageError> {
        let root = folder.canonicalize()?;
        let mut found = Walk {
            root: &root,
            limits,
            left: limits.total_bytes,
            entries: BTreeMap::new(),
        };
        found.folder(&root, "", 0)?;
        Ok(Self {
            entries: found.entries,
            _unpacked: None,
            name,
        })
    }

    /// The package's own name: that of its folder or zip.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All paths, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// The paths below a folder, which ends with `/`, sorted.
    pub fn under<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a str> {
        self.entries
            .range(folder.to_owned()..)
            .map(|(name, _)| name.as_str())
            .take_while(move |name| name.starts_with(folder))
    }

    /// Whether there is such a file.
    pub fn contains(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// Its bytes' number.
    pub fn size(&self, name: &str) -> Option<u64> {
        self.entries.get(name).map(|entry| entry.size)
    }

    /// Where its bytes lie on this machine.
    pub fn path(&self, name: &str) -> Option<&Path> {
        self.entries.get(name).map(|entry| entry.path.as_path())
    }

    /// A file to read from. Blocks.
    pub fn file(&self, name: &str) -> Result<File, PackageError> {
        let entry = self
            .entries
            .get(name)
            .ok_or_else(|| PackageError::wrong(name, "missing", "this file is missing"))?;
        Ok(File::open(&entry.path)?)
    }

    /// A small file's bytes. Blocks.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, PackageError> {
        let mut bytes = Vec::new();
        let read = self
            .file(name)?
            .take(MAX_TEXT_BYTES + 1)
            .read_to_end(&mut bytes)?;
        if read as u64 > MAX_TEXT_BYTES {
            return Err(PackageError::wrong(
                name,
                "too-long",
                "it has more than 4 MiB",
            ));
        }
        Ok(bytes)
    }

    /// A small file's text. Blocks.
    pub fn text(&self, name: &str) -> Result<String, PackageError> {
        String::from_utf8(self.read(name)?)
            .map_err(|_| PackageError::wrong(name, "encoding", "it is not UTF-8"))
    }
}

/// A walk through a folder.
struct Walk<'a> {
    root: &'a Path,
    limits: Limits,
    left: u64,
    entries: BTreeMap<String, Entry>,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path, prefix: &str, depth: usize) -> Result<(), PackageError> {
        if depth > self.limits.depth {
            return Err(PackageError::wrong(
                prefix,
                "too-deep",
                "folders lie too deep within each other",
            ));
        }
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let Ok(step) = entry.file_name().into_string() else {
                return Err(PackageError::wrong(
                    prefix,
                    "encoding",
                    "a file's name is not UTF-8",
                ));
            };
            let name = format!("{prefix}{step}");
            if step == ".git" || is_litter(&name) {
                continue;
            }
            // Links may name other files of the package, as DOMjudge's own do.
            let path = entry.path().canonicalize()?;
            if !path.starts_with(self.root) {
                return Err(PackageError::wrong(
                    name,
                    "link",
                    "it is a link out of the package",
                ));
            }
            let meta = fs::metadata(&path)?;
            if meta.is_dir() {
                self.folder(&path, &format!("{name}/"), depth + 1)?;
            } else if meta.is_file() {
                self.file(name, path, meta.len())?;
            } else {
                return Err(PackageError::wrong(
                    name,
                    "file-type",
                    "it is neither a file nor a folder",
                ));
            }
        }
        Ok(())
    }

    fn file(&mut self, name: String, path: PathBuf, size: u64) -> Result<(), PackageError> {
        if self.entries.len() >= self.limits.entries {
            return Err(PackageError::wrong(
                "",
                "too-many",
                "the package has too many files",
            ));
        }
        if size > self.limits.file_bytes || size > self.left {
            return Err(PackageError::wrong(
                name,
                "too-long",
                "the package is too large",
            ));
        }
        self.left -= size;
        self.entries.insert(name, Entry { path, size });
        Ok(())
    }
}

/// Looks at every name before a single byte is unpacked: for each entry in the directory's order its path, `None` for folders.
fn plan(
    archive: &mut ZipIterable<BufReader<File>>,
    limits: Limits,
) -> Result<Vec<Option<String>>, PackageError> {
    let mut names = Vec::new();
    let mut seen: HashMap<String, bool> = HashMap::new();
    for entry in archive.files().map_err(|error| unreadable("", &error))? {
        let entry = entry.map_err(|error| unreadable("", &error))?;
        let shown: String = String::from_utf8_lossy(entry.name_raw())
            .chars()
            .take(200)
            .collect();
        let refuse = |code, message| Err(PackageError::wrong(shown.clone(), code, message));
        let Ok(name) = std::str::from_utf8(entry.name_raw()) else {
            return refuse("encoding", "its name is not UTF-8");
        };
        if entry.encrypted() {
            return refuse("encrypted", "it is encrypted");
        }
        if !is_plain(entry.unix_mode()) {
            return refuse("file-type", "it is neither a file nor a folder");
        }
        if !matches!(
            entry.compression(),
            CompressionMethod::Stored | CompressionMethod::Deflated
        ) {
            return refuse(
                "compression",
                "it is compressed neither by deflate nor not at all",
            );
        }
        check_path(name, limits)?;
        if entry.is_dir() || is_litter(name) {
            names.push(None);
            continue;
        }
        // A file system that ignores case could keep only one of them.
        if seen.insert(name.to_lowercase(), true).is_some() {
            return refuse(
                "duplicate",
                "another file has this name, or one that differs in case only",
            );
        }
        names.push(Some(name.to_owned()));
    }
    for name in names.iter().flatten() {
        let parents = name.match_indices('/').map(|(at, _)| &name[..at]);
        if parents
            .clone()
            .any(|parent| seen.contains_key(&parent.to_lowercase()))
        {
            return Err(PackageError::wrong(
                name.clone(),
                "duplicate",
                "a file has the name of its folder",
            ));
        }
    }
    Ok(names)
}

fn check_path(name: &str, limits: Limits) -> Result<(), PackageError> {
    let shown: String = name.chars().take(200).collect();
    let refuse = |message| Err(PackageError::wrong(shown.clone(), "path", message));
    if name.len() > 400 {
        return refuse("its path is longer than 400 bytes");
    }
    if name.starts_with('/') || name.contains(['\\', '\0']) || name.chars().any(char::is_control) {
        return refuse("its path is absolute, or holds \\ or a control character");
    }
    let steps = name.trim_end_matches('/').split('/');
    if steps.clone().count() > limits.depth {
        return refuse("its folders lie too deep within each other");
    }
    for step in steps {
        if matches!(step, "" | "." | "..") {
            return refuse("its path holds an empty step, . or ..");
        }
    }
    Ok(())
}

fn unpack(file: &mut impl Read, name: &str, path: &Path, limit: u64) -> Result<u64, PackageError> {
    let mut into = File::create_new(path)?;
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut size = 0;
    loop {
        let count = match file.read(&mut buffer) {
            Ok(0) => return Ok(size),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(unreadable(name, &ZipError::Io(error))),
        };
        size += count as u64;
        if size > limit {
            return Err(PackageError::wrong(
                name,
                "too-long",
                "it unpacks to more than a package may hold",
            ));
        }
        io::Write::write_all(&mut into, &buffer[..count])?;
    }
}

/// A zip of a folder: the folder's name is no part of the paths.
fn strip_common_folder(entries: &mut BTreeMap<String, Entry>) {
    if entries.contains_key("problem.yaml") || entries.contains_key(crate::OURS) {
        return;
    }
    let Some((folder, _)) = entries.keys().next().and_then(|name| name.split_once('/')) else {
        return;
    };
    let folder = format!("{folder}/");
    if entries.keys().all(|name| name.starts_with(&folder)) {
        let stripped = std::mem::take(entries)
            .into_iter()
            .map(|(name, entry)| (name[folder.len()..].to_owned(), entry));
        *entries = stripped.collect();
    }
}

/// What macOS and Windows put beside files.
fn is_litter(name: &str) -> bool {
    name.starts_with("__MACOSX/")
        || matches!(
            name.rsplit('/').next(),
            Some(".DS_Store" | "Thumbs.db" | "desktop.ini")
        )
}

/// Regular files and folders; zips of other systems have no mode.
fn is_plain(unix_mode: Option<u32>) -> bool {
    const KIND: u32 = 0o170_000;
    matches!(
        unix_mode.map(|mode| mode & KIND),
        None | Some(0 | 0o100_000 | 0o040_000)
    )
}

fn unreadable(name: &str, error: &ZipError) -> PackageError {
    let message = match error {
        ZipError::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            "it ends in the middle".to_owned()
        }
        ZipError::Io(error) => format!("it is damaged: {error}"),
        other => format!("it is not a zip that can be read: {other}"),
    };
    PackageError::wrong(name, "damaged", message)
}
