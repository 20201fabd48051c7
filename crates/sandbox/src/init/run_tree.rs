//! What is mounted for runs: `/tmp`, `/box`, `/app`, and the files in the box.
//!
//! Fresh mounts instead of wiping: nothing can stay behind in a tree that no longer exists, however deep or locked. Only what
//! no program has changed stays for the next run: `/app`, which none can write to, until another tree is wanted, and a `/tmp`
//! without a trace of use.

use std::fs::{File, OpenOptions, Permissions};
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};

use super::child::Place;
use super::landlock;
use super::mounts::{NOTHING, bind_flags, make_directory};
use super::system::Trouble;
use super::traces::Traces;
use crate::program::Profile;
use crate::wire::{RunOrder, Setup, Source};

/// Scratch of a learner's program.
const RUN_SCRATCH: u64 = 64 << 20;

/// The mounts that stand, and Landlock's rules for them.
#[derive(Debug)]
pub(super) struct RunTree {
    /// Directories of the slot's root that every program may read and execute.
    tools: Vec<PathBuf>,
    tmp: Option<Tmp>,
    /// Whether `/box` is mounted.
    the_box: bool,
    /// The tree at `/app`.
    app: Option<String>,
    /// Of these mounts, for one profile; gone when either changes.
    rules: Option<(Profile, Option<OwnedFd>)>,
}

/// A `/tmp` that no program has written to.
#[derive(Debug)]
struct Tmp {
    flags: MsFlags,
    options: String,
    traces: Traces,
}

impl RunTree {
    /// Nothing is mounted yet.
    pub(super) fn new() -> Result<Self, Trouble> {
        Ok(Self {
            tools: landlock::tool_directories()?,
            tmp: None,
            the_box: false,
            app: None,
            rules: None,
        })
    }

    /// A clean `/tmp`, a fresh `/box` when it will hold something, `/app` when there is a prepared tree.
    pub(super) fn put_up(&mut self, order: &RunOrder, setup: &Setup) -> Result<(), Trouble> {
        let compile = order.profile == Profile::Compile;
        self.put_up_tmp(order, setup.user_namespace)?;
        if compile || !order.files.is_empty() {
            self.rules = None;
            let options = format!("size={},nr_inodes=65536,mode=755", order.scratch_bytes);
            scratch("/box", MsFlags::empty(), &options)?;
            self.the_box = true;
        }
        if compile {
            chown("/box", Some(setup.uid), Some(setup.uid))
                .map_err(|e| Trouble::io("own box", e))?;
        }
        if self.app != order.artefact {
            self.put_up_app(order.artefact.as_deref())?;
        }
        Ok(())
    }

    fn put_up_tmp(&mut self, order: &RunOrder, owned: bool) -> Result<(), Trouble> {
        // Nothing that a learner's program writes needs to be executed.
        let (flags, bytes, inodes) = match order.profile {
            Profile::Compile => (MsFlags::empty(), order.scratch_bytes, 65_536),
            Profile::Run => (
                MsFlags::MS_NOEXEC,
                order.scratch_bytes.min(RUN_SCRATCH),
                4_096,
            ),
        };
        let options = format!("size={bytes},nr_inodes={inodes},mode=1777");
        if let Some(tmp) = &mut self.tmp {
            if tmp.flags == flags && tmp.options == options {
                return tmp.traces.watch();
            }
            self.take_down_tmp()?;
        }
        self.rules = None;
        scratch("/tmp", flags, &options)?;
        let traces = Traces::of("/tmp", owned)?;
        let tmp = self.tmp.insert(Tmp {
            flags,
            options,
            traces,
        });
        tmp.traces.watch()
    }

    fn take_down_tmp(&mut self) -> Result<(), Trouble> {
        self.rules = None;
        self.tmp = None;
        take_down("/tmp")
    }

    fn put_up_app(&mut self, name: Option<&str>) -> Result<(), Trouble> {
        self.rules = None;
        if self.app.take().is_some() {
            take_down("/app")?;
        }
        if let Some(name) = name {
            let tree = PathBuf::from("/.store/trees").join(name);
            mount(Some(&tree), "/app", NOTHING, MsFlags::MS_BIND, NOTHING)
                .map_err(|e| Trouble::new("bind app", e))?;
            read_only("/app")?;
            self.app = Some(name.to_owned());
        }
        Ok(())
    }

    /// After the files are written: a learner's program cannot change its own box.
    pub(super) fn seal(&self, order: &RunOrder) -> Result<(), Trouble> {
        if order.profile == Profile::Run && self.the_box {
            read_only("/box")
        } else {
            Ok(())
        }
    }

    /// Where a program runs, with what stands now.
    pub(super) fn place(&mut self, order: &RunOrder) -> Result<Place<'_>, Trouble> {
        let profile = order.profile;
        if order.strict {
            return Ok(Place::Own(profile, &self.tools));
        }
        if self.rules.as_ref().is_none_or(|(of, _)| *of != profile) {
            self.rules = Some((profile, landlock::rules(profile, &self.tools)?));
        }
        let rules = self.rules.as_ref().and_then(|(_, rules)| rules.as_ref());
        Ok(Place::Shared(rules.map(AsFd::as_fd)))
    }

    /// After a run: takes down what it may have changed. An error means that something of it is left.
    pub(super) fn clean(&mut self) -> Result<(), Trouble> {
        if self.the_box {
            self.rules = None;
            self.the_box = false;
            take_down("/box")?;
        }
        let used = match &mut self.tmp {
            Some(tmp) => tmp.traces.are_left()?,
            None => false,
        };
        if used { self.take_down_tmp() } else { Ok(()) }
    }
}

/// Without times of access: reading leaves no trace, for us and for the next program.
fn scratch(path: &str, extra: MsFlags, options: &str) -> Result<(), Trouble> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOATIME | extra;
    mount(Some("scratch"), path, Some("tmpfs"), flags, Some(options))
        .map_err(|e| Trouble::new(format!("mount {path}"), e))
}

fn take_down(path: &str) -> Result<(), Trouble> {
    umount2(path, MntFlags::MNT_DETACH).map_err(|e| Trouble::new(format!("unmount {path}"), e))
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
pub(super) fn write_files(
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
