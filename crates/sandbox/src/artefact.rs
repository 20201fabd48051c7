//! A prepared tree that many runs share: a compiled program, a script, an archive of classes.
//!
//! Written once below the work directory, bound read-only at `/app` for each run that names it: N runs in several slots
//! copy nothing. Gone when its last holder is.

use std::fs::{self, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Sender;

use crate::error::{SandboxError, Step};
use crate::keeper::Job;
use crate::program::{Content, InputFile};

/// A prepared tree, read-only at `/app` of the runs that name it. Cheap to clone; the last clone removes it.
#[derive(Debug, Clone)]
pub struct Artefact {
    tree: Arc<Tree>,
}

#[derive(Debug)]
struct Tree {
    name: String,
    path: PathBuf,
    bytes: u64,
    jobs: Sender<Job>,
}

impl Artefact {
    /// Writes the files. The names have been checked.
    pub(crate) fn write(
        store: &Path,
        name: String,
        files: &[InputFile<'_>],
        jobs: Sender<Job>,
    ) -> Result<Self, SandboxError> {
        let path = store.join(&name);
        let mut tree = Tree {
            name,
            path,
            bytes: 0,
            jobs,
        };
        make_directory(&tree.path).step("make an artefact's directory")?;
        for file in files {
            tree.bytes += write_file(&tree.path, file).step("write an artefact's file")?;
        }
        Ok(Self {
            tree: Arc::new(tree),
        })
    }

    /// Size of all its files.
    pub fn bytes(&self) -> u64 {
        self.tree.bytes
    }

    pub(crate) fn name(&self) -> &str {
        &self.tree.name
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        // When the keeper is gone it has removed the whole store.
        let _ = self.jobs.send(Job::Forget(std::mem::take(&mut self.path)));
    }
}

fn make_directory(path: &Path) -> io::Result<()> {
    match fs::DirBuilder::new().mode(0o755).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        other => other?,
    }
    fs::set_permissions(path, Permissions::from_mode(0o755))
}

fn write_file(root: &Path, file: &InputFile<'_>) -> io::Result<u64> {
    let mut path = root.to_path_buf();
    if let Some((directories, _)) = file.name.rsplit_once('/') {
        for part in directories.split('/') {
            path.push(part);
            make_directory(&path)?;
        }
    }
    let path = root.join(file.name);
    let mode = 0o444 | (file.mode & 0o111);
    let mut to = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    let bytes = match file.content {
        Content::Bytes(bytes) => io::copy(&mut &*bytes, &mut to)?,
        Content::File(from) => crate::sealed::copy_from_start(from, &mut to)?,
    };
    to.set_permissions(Permissions::from_mode(mode))?;
    Ok(bytes)
}
