//! Handing back what a run left in `/box`.
//!
//! Called when every process of the run is dead, so nothing changes under our feet; and still every open goes through
//! `openat2`, which the kernel holds beneath the box, off links and off other mounts. Only descriptors of regular files
//! leave the slot: the host never sees a path it could follow.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, open, openat2};
use nix::sys::stat::Mode;

use super::system::Trouble;
use crate::program::check_name;
use crate::wire::{CollectOrder, FileAnswer};

/// Directory entries looked at before a tree counts as too large.
const MAX_ENTRIES: usize = 20_000;
/// Files handed back before a tree counts as too large.
const MAX_FILES: usize = 4_000;

/// What was found.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) files: Vec<(FileAnswer, OwnedFd)>,
    pub(crate) too_large: bool,
}

/// Opens the wanted regular files below `root`, at most `bytes` of them together.
pub(crate) fn collect(root: &Path, order: &CollectOrder, bytes: u64) -> Result<Found, Trouble> {
    let directory = open(
        root,
        OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC,
        Mode::empty(),
    )
    .map_err(|e| Trouble::new("open box", e))?;
    let mut found = Found::default();
    let names = match order {
        CollectOrder::Nothing => Vec::new(),
        CollectOrder::Named(names) => names.clone(),
        CollectOrder::All => list(root, &mut found.too_large),
    };
    let mut left = bytes;
    for name in names {
        let Some((file, size, executable)) = open_regular(&directory, &name)? else {
            continue;
        };
        if size > left || found.files.len() == MAX_FILES {
            found.too_large = true;
        }
        if found.too_large {
            found.files.clear();
            break;
        }
        left -= size;
        found.files.push((
            FileAnswer {
                name,
                size,
                executable,
            },
            file.into(),
        ));
    }
    Ok(found)
}

fn open_regular(directory: &OwnedFd, name: &str) -> Result<Option<(File, u64, bool)>, Trouble> {
    let how = OpenHow::new()
        .flags(
            OFlag::O_RDONLY
                | OFlag::O_NOFOLLOW
                | OFlag::O_NONBLOCK
                | OFlag::O_NOCTTY
                | OFlag::O_CLOEXEC,
        )
        .resolve(
            ResolveFlag::RESOLVE_BENEATH
                | ResolveFlag::RESOLVE_NO_SYMLINKS
                | ResolveFlag::RESOLVE_NO_MAGICLINKS
                | ResolveFlag::RESOLVE_NO_XDEV,
        );
    let file = match openat2(directory, name, how) {
        Ok(fd) => File::from(fd),
        // Running out of descriptors or memory is ours; everything else is what the program made of that name.
        Err(errno @ (Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM | Errno::ENOSYS)) => {
            return Err(Trouble::new("collect", errno));
        }
        Err(_) => return Ok(None),
    };
    let meta = file.metadata().map_err(|e| Trouble::io("collect", e))?;
    let executable = meta.permissions().mode() & 0o100 != 0;
    Ok(meta.is_file().then(|| (file, meta.size(), executable)))
}

/// Names of all regular files below `root`, sorted. Names that are not UTF-8, and trees deeper than a name may be, are
/// left out.
fn list(root: &Path, too_large: &mut bool) -> Vec<String> {
    let mut names = Vec::new();
    let mut directories = vec![PathBuf::new()];
    let mut seen = 0;
    while let Some(directory) = directories.pop() {
        let Ok(entries) = std::fs::read_dir(root.join(&directory)) else {
            continue;
        };
        for entry in entries.flatten() {
            seen += 1;
            if seen > MAX_ENTRIES {
                *too_large = true;
                return Vec::new();
            }
            let path = directory.join(entry.file_name());
            let Some(name) = path.to_str().filter(|name| check_name(name).is_ok()) else {
                continue;
            };
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => directories.push(path),
                Ok(kind) if kind.is_file() => names.push(name.to_owned()),
                _ => {}
            }
        }
    }
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::unix::fs::symlink;

    fn named(names: &[&str]) -> CollectOrder {
        CollectOrder::Named(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn returns_regular_files_and_no_traps() {
        let directory = tempfile::tempdir().expect("makes a directory");
        let (inside, outside) = (
            directory.path().join("box"),
            directory.path().join("secret"),
        );
        std::fs::create_dir_all(inside.join("sub")).expect("makes a directory");
        std::fs::write(&outside, "secret").expect("writes");
        std::fs::write(inside.join("sub/plain"), "plain").expect("writes");
        symlink(&outside, inside.join("link")).expect("links");
        symlink("..", inside.join("up")).expect("links");
        nix::unistd::mkfifo(&inside.join("pipe"), Mode::S_IRUSR).expect("makes a pipe");
        let order = named(&[
            "link",
            "up/secret",
            "../secret",
            "pipe",
            "sub",
            "missing",
            "sub/plain",
        ]);
        for order in [order, CollectOrder::All] {
            let found = collect(&inside, &order, 100).expect("collects");
            let mut contents = Vec::new();
            for (file, fd) in found.files {
                let mut text = String::new();
                File::from(fd).read_to_string(&mut text).expect("reads");
                contents.push((file.name, text));
            }
            assert_eq!(contents, [("sub/plain".to_owned(), "plain".to_owned())]);
        }
    }

    #[test]
    fn refuses_more_bytes_than_asked_for() {
        let directory = tempfile::tempdir().expect("makes a directory");
        File::create(directory.path().join("sparse"))
            .expect("creates")
            .set_len(1 << 40)
            .expect("extends");
        let found = collect(directory.path(), &CollectOrder::All, 1 << 20).expect("collects");
        assert!(found.too_large && found.files.is_empty());
    }
}
