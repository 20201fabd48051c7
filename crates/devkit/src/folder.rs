//! A server's own folder: who owns it, who may use it now, its log.
//!
//! As root the servers run as an unprivileged user that owns its subfolder (0700) and nothing else.

use std::{
    fs::{self, DirBuilder, File, Permissions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
};

use nix::unistd::{Gid, Uid, User};

use crate::DevkitError;

/// What a start needs on the disk: Postgres' first log segments and Kafka's index files, with room to work.
pub(crate) const NEEDED_MIB: u64 = 300;

/// Who a server runs as when we are root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// A subfolder of the data folder that belongs to one server.
#[derive(Debug)]
pub(crate) struct Folder {
    /// Canonical, so that it can be compared with what the kernel says of a process.
    pub(crate) path: PathBuf,
    /// `None` when we are not root: the server runs as who we are.
    pub(crate) owner: Option<Owner>,
}

impl Folder {
    /// Opens or makes `data/name`. A new one is given to the first of `users` that exists; an old one keeps its owner.
    pub(crate) fn open(data: &Path, name: &str, users: &[&str]) -> Result<Self, DevkitError> {
        fs::create_dir_all(data).map_err(DevkitError::io("create", data))?;
        let data = data.canonicalize().map_err(DevkitError::io("open", data))?;
        refuse_full_disk(&data)?;
        let path = data.join(name);
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => {
                if Uid::effective().is_root() {
                    let owner = service_user(users)?;
                    chown(&path, Some(owner.uid), Some(owner.gid))
                        .map_err(DevkitError::io("give away", &path))?;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(DevkitError::io("create", &path)(error)),
        }
        let owner = if Uid::effective().is_root() {
            let metadata = fs::metadata(&path).map_err(DevkitError::io("read", &path))?;
            if metadata.uid() == 0 {
                // Killed between making it and giving it away.
                let owner = service_user(users)?;
                chown(&path, Some(owner.uid), Some(owner.gid))
                    .map_err(DevkitError::io("give away", &path))?;
                Some(owner)
            } else {
                Some(Owner {
                    uid: metadata.uid(),
                    gid: metadata.gid(),
                })
            }
        } else {
            None
        };
        Ok(Self { path, owner })
    }

    /// Makes us the only user until the file is dropped, also by our death.
    pub(crate) fn lock(&self) -> Result<File, DevkitError> {
        let path = self.path.join("lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(DevkitError::io("open", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(DevkitError::InUse {
                path: self.path.clone(),
            }),
            Err(TryLockError::Error(error)) => Err(DevkitError::io("lock", path)(error)),
        }
    }

    /// Writes a file that only the server and we can read.
    pub(crate) fn write(&self, name: &str, content: &str) -> Result<(), DevkitError> {
        let path = self.path.join(name);
        fs::write(&path, content).map_err(DevkitError::io("write", &path))?;
        fs::set_permissions(&path, Permissions::from_mode(0o600))
            .map_err(DevkitError::io("protect", &path))?;
        self.give(&path)
    }

    /// Makes an empty folder for the server, whatever stood there.
    pub(crate) fn make_empty(&self, name: &str) -> Result<PathBuf, DevkitError> {
        let path = self.path.join(name);
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(DevkitError::io("empty", path)(error));
            }
            _ => {}
        }
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(DevkitError::io("create", &path))?;
        self.give(&path)?;
        Ok(path)
    }

    /// A new log; the one before is kept beside it, because it may explain why there is a new start.
    pub(crate) fn new_log(&self) -> Result<File, DevkitError> {
        let path = self.log_path();
        match fs::rename(&path, self.path.join("log.before")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(DevkitError::io("move", path)(error));
            }
            _ => {}
        }
        File::create(&path).map_err(DevkitError::io("create", path))
    }

    /// The last lines of the log, or why they cannot be read.
    pub(crate) fn log_tail(&self) -> String {
        match fs::read(self.log_path()) {
            Ok(bytes) => tail(&bytes),
            Err(error) => format!("(cannot read {}: {error})", self.log_path().display()),
        }
    }

    fn log_path(&self) -> PathBuf {
        self.path.join("log")
    }

    fn give(&self, path: &Path) -> Result<(), DevkitError> {
        match self.owner {
            Some(owner) => chown(path, Some(owner.uid), Some(owner.gid))
                .map_err(DevkitError::io("give away", path)),
            None => Ok(()),
        }
    }
}

/// The last lines of what a program printed: enough to see the cause, little enough to read.
pub(crate) fn tail(output: &[u8]) -> String {
    const LINES: usize = 12;
    let text = String::from_utf8_lossy(output);
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

fn service_user(names: &[&str]) -> Result<Owner, DevkitError> {
    names
        .iter()
        .find_map(|name| User::from_name(name).ok().flatten())
        .filter(|user| user.uid != Uid::from_raw(0) && user.gid != Gid::from_raw(0))
        .map(|user| Owner {
            uid: user.uid.as_raw(),
            gid: user.gid.as_raw(),
        })
        .ok_or(DevkitError::Missing {
            program: "an unprivileged user to run the server as",
            package: "base-passwd",
        })
}

fn refuse_full_disk(path: &Path) -> Result<(), DevkitError> {
    let disk = rustix::fs::statvfs(path)
        .map_err(|error| DevkitError::io("inspect", path)(error.into()))?;
    let free_mib = disk.f_bavail.saturating_mul(disk.f_frsize) / (1024 * 1024);
    if free_mib < NEEDED_MIB {
        return Err(DevkitError::DiskFull {
            path: path.to_owned(),
            needed_mib: NEEDED_MIB,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_used_by_one_at_a_time() {
        let data = tempfile::tempdir().expect("a temporary folder");
        let folder = Folder::open(data.path(), "server", &["daemon"]).expect("a new folder");
        let lock = folder.lock().expect("nobody else is there");
        let again = Folder::open(data.path(), "server", &["daemon"]).expect("the same folder");
        assert!(matches!(again.lock(), Err(DevkitError::InUse { .. })));
        drop(lock);
        again.lock().expect("the first has gone");
    }

    #[test]
    fn tail_keeps_the_end() {
        let printed: Vec<String> = (0..100).map(|line| format!("line {line}")).collect();
        let kept = tail(printed.join("\n\n").as_bytes());
        assert!(kept.starts_with("line 88\n"), "{kept}");
        assert!(kept.ends_with("line 99"), "{kept}");
    }
}
