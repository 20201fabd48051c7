//! What is mounted for one run and gone after it: `/tmp`, `/box`, `/app`, and the files in the box.
//!
//! Fresh mounts instead of wiping: nothing can stay behind in a tree that no longer exists, however deep or locked.

use std::fs::{File, OpenOptions, Permissions};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};

use super::mounts::{NOTHING, bind_flags, make_directory};
use super::system::Trouble;
use crate::program::Profile;
use crate::wire::{RunOrder, Setup, Source};

/// Scratch of a learner's program.
const RUN_SCRATCH: u64 = 64 << 20;

/// The mounts of one run, remembered so that they come down again.
#[derive(Debug, Default)]
pub(crate) struct RunTree {
    mounted: Vec<&'static str>,
}

impl RunTree {
    /// Fresh `/tmp`, `/box` when it will hold something, `/app` when there is a prepared tree.
    pub(crate) fn put_up(&mut self, order: &RunOrder, setup: &Setup) -> Result<(), Trouble> {
        let compile = order.profile == Profile::Compile;
        let scratch = if compile {
            order.scratch_bytes
        } else {
            order.scratch_bytes.min(RUN_SCRATCH)
        };
        let inodes = if compile { 65_536 } else { 4_096 };
        // Nothing that a learner's program writes needs to be executed.
        let exec = if compile {
            MsFlags::empty()
        } else {
            MsFlags::MS_NOEXEC
        };
        self.scratch(
            "/tmp",
            exec,
            &format!("size={scratch},nr_inodes={inodes},mode=1777"),
        )?;
        if compile || !order.files.is_empty() {
            self.scratch(
                "/box",
                MsFlags::empty(),
                &format!("size={},nr_inodes=65536,mode=755", order.scratch_bytes),
            )?;
        }
        if compile {
            chown("/box", Some(setup.uid), Some(setup.uid))
                .map_err(|e| Trouble::io("own box", e))?;
        }
        if let Some(name) = &order.artefact {
            let tree = PathBuf::from("/.store/trees").join(name);
            mount(Some(&tree), "/app", NOTHING, MsFlags::MS_BIND, NOTHING)
                .map_err(|e| Trouble::new("bind app", e))?;
            self.mounted.push("/app");
            read_only("/app")?;
        }
        Ok(())
    }

    fn scratch(
        &mut self,
        path: &'static str,
        extra: MsFlags,
        options: &str,
    ) -> Result<(), Trouble> {
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | extra;
        mount(Some("scratch"), path, Some("tmpfs"), flags, Some(options))
            .map_err(|e| Trouble::new(format!("mount {path}"), e))?;
        self.mounted.push(path);
        Ok(())
    }

    /// After the files are written: a learner's program cannot change its own box.
    pub(crate) fn seal(&self, order: &RunOrder) -> Result<(), Trouble> {
        if order.profile == Profile::Run && self.mounted.contains(&"/box") {
            read_only("/box")
        } else {
            Ok(())
        }
    }

    /// Takes everything down; an error means that something of the run is left.
    pub(crate) fn take_down(mut self) -> Result<(), Trouble> {
        while let Some(path) = self.mounted.pop() {
            umount2(path, MntFlags::MNT_DETACH)
                .map_err(|e| Trouble::new(format!("unmount {path}"), e))?;
        }
        Ok(())
    }
}

fn read_only(path: &str) -> Result<(), Trouble> {
    let flags = MsFlags::MS_REMOUNT
        | MsFlags::MS_BIND
        | MsFlags::MS_RDONLY
        | MsFlags::MS_NOSUID
        | MsFlags::MS_NODEV;
    bind_flags(Path::new(path), NOTHING, flags, "make read-only")
}

/// Writes the run's files into the fresh box. No program runs yet, so no name can be a trap.
pub(crate) fn write_files(
    order: &RunOrder,
    tail: &[u8],
    next: &mut impl FnMut() -> Result<OwnedFd, Trouble>,
    setup: &Setup,
) -> Result<(), Trouble> {
    let owner = if order.profile == Profile::Compile {
        setup.uid
    } else {
        0
    };
    let mut rest = tail;
    for file in &order.files {
        let path = Path::new("/box").join(&file.name);
        make_parents(&path, owner)?;
        let mode = if owner == 0 { 0o444 } else { 0o644 } | (file.mode & 0o111);
        let mut to = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&path)
            .map_err(|e| Trouble::io("write file", e))?;
        match file.source {
            Source::Inline(length) => {
                let (bytes, behind) = rest
                    .split_at_checked(length)
                    .ok_or(Trouble::new("write file", Errno::EPROTO))?;
                to.write_all(bytes)
                    .map_err(|e| Trouble::io("write file", e))?;
                rest = behind;
            }
            Source::Descriptor => crate::sealed::copy_from_start(&File::from(next()?), &mut to)
                .map(drop)
                .map_err(|e| Trouble::io("copy file", e))?,
        }
        to.set_permissions(Permissions::from_mode(mode))
            .map_err(|e| Trouble::io("write file", e))?;
        if owner != 0 {
            std::os::unix::fs::fchown(&to, Some(owner), Some(owner))
                .map_err(|e| Trouble::io("own file", e))?;
        }
    }
    Ok(())
}

fn make_parents(path: &Path, owner: u32) -> Result<(), Trouble> {
    let parents: Vec<&Path> = path
        .ancestors()
        .skip(1)
        .take_while(|parent| *parent != Path::new("/box"))
        .collect();
    for parent in parents.into_iter().rev() {
        if parent.symlink_metadata().is_err() {
            make_directory(parent, 0o755)?;
            if owner != 0 {
                chown(parent, Some(owner), Some(owner))
                    .map_err(|e| Trouble::io("own directory", e))?;
            }
        }
    }
    Ok(())
}
