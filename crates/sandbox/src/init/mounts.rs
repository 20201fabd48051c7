//! The slot's file system: a small read-only root made once, and the few mounts that are new for every run.
//!
//! ```text
//! /            tmpfs, read-only after building
//! /usr /lib …  the host's tool chains, bound read-only
//! /etc         passwd and group of one user, the loader's cache, what was configured
//! /dev         null zero full random urandom, fd links; /dev/shm leads to /tmp
//! /proc        of this slot only, read-only, other users' processes hidden
//! /.store      prepared trees (hidden: directory of mode 0700, and outside Landlock's rules)
//! /app         one prepared tree, read-only           ┐
//! /box         the run's files; read-only in `Run`    ├ new for every run, gone after it
//! /tmp         private scratch                        ┘
//! ```
//! Nothing here is ever mounted on the host: the namespace's end takes everything with it.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, symlink};
use std::path::{Component, Path};

use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};

use super::system::{Trouble, check};
use crate::wire::Setup;

pub(super) const NOTHING: Option<&str> = None;
/// Files in `/proc` that tell about the host or its other tenants.
const MASKED: [&str; 12] = [
    "kcore",
    "keys",
    "key-users",
    "timer_list",
    "sched_debug",
    "sysrq-trigger",
    "kmsg",
    "kallsyms",
    "mounts.all",
    "slabinfo",
    "vmallocinfo",
    "pagetypeinfo",
];

/// Builds the root and enters it. Tells whether `/proc` is there.
pub(crate) fn build(setup: &Setup) -> Result<bool, Trouble> {
    let root = &setup.mountpoint;
    bind_flags(
        Path::new("/"),
        NOTHING,
        MsFlags::MS_REC | MsFlags::MS_PRIVATE,
        "make mounts private",
    )?;
    mount(
        Some("root"),
        root,
        Some("tmpfs"),
        MsFlags::MS_NOSUID | MsFlags::MS_NODEV,
        Some("size=1m,nr_inodes=4k,mode=755"),
    )
    .map_err(|e| Trouble::new("mount root", e))?;
    for path in &setup.read_only {
        bind_host_path(root, path)?;
    }
    make_directories(root)?;
    make_etc(root, setup.uid)?;
    make_dev(root)?;
    bind_recursive(&setup.store, &root.join(".store/trees"))?;
    protect(&root.join(".store/trees"))?;
    let private_proc = mount_proc(&root.join("proc"))?;
    enter(root)?;
    bind_flags(
        Path::new("/"),
        NOTHING,
        MsFlags::MS_REMOUNT
            | MsFlags::MS_BIND
            | MsFlags::MS_RDONLY
            | MsFlags::MS_NOSUID
            | MsFlags::MS_NODEV,
        "make root read-only",
    )?;
    nix::unistd::sethostname("sandbox").map_err(|e| Trouble::new("set host name", e))?;
    Ok(private_proc)
}

fn make_directories(root: &Path) -> Result<(), Trouble> {
    for (name, mode) in [
        ("proc", 0o755),
        ("dev", 0o755),
        ("etc", 0o755),
        ("tmp", 0o755),
        ("box", 0o755),
        ("app", 0o755),
    ] {
        make_directory(&root.join(name), mode)?;
    }
    make_directory(&root.join(".store"), 0o700)?;
    make_directory(&root.join(".store/trees"), 0o755)?;
    // Old habits of tools; nothing there outlives a run.
    make_directory(&root.join("var"), 0o755)?;
    for name in ["var/tmp", "var/lock"] {
        symlink("/tmp", root.join(name)).map_err(|e| Trouble::io(format!("link {name}"), e))?;
    }
    Ok(())
}

/// Makes a directory with exactly this mode, whatever the mask.
pub(super) fn make_directory(path: &Path, mode: u32) -> Result<(), Trouble> {
    match fs::DirBuilder::new().mode(mode).create(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(Trouble::io(format!("make {}", path.display()), error)),
    }
    fs::set_permissions(path, Permissions::from_mode(mode)).map_err(|e| Trouble::io("set mode", e))
}

/// Makes one host path visible: a link as the same link, a directory or file as a read-only bind.
fn bind_host_path(root: &Path, path: &Path) -> Result<(), Trouble> {
    let told = |what: &str| format!("{what} {}", path.display());
    let mut inside = root.to_path_buf();
    let parts: Vec<Component<'_>> = path.components().skip(1).collect();
    for (index, part) in parts.iter().enumerate() {
        inside.push(part);
        if index + 1 < parts.len() && inside.symlink_metadata().is_err() {
            make_directory(&inside, 0o755)?;
        }
    }
    let meta = match path.symlink_metadata() {
        Ok(meta) => meta,
        // A configured path that this machine does not have hides nothing and gives nothing.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Trouble::io(told("look at"), error)),
    };
    if inside.symlink_metadata().is_ok() {
        // Already visible below another bound path.
        return Ok(());
    }
    if meta.is_symlink() {
        let target = fs::read_link(path).map_err(|e| Trouble::io(told("read link"), e))?;
        return symlink(target, &inside).map_err(|e| Trouble::io(told("link"), e));
    }
    if meta.is_dir() {
        make_directory(&inside, 0o755)?;
    } else {
        File::create(&inside).map_err(|e| Trouble::io(told("make"), e))?;
    }
    bind_recursive(path, &inside)?;
    protect(&inside)
}

fn make_etc(root: &Path, uid: u32) -> Result<(), Trouble> {
    let files = [
        ("etc/passwd", format!("coder:x:{uid}:{uid}::/box:/bin/sh\n")),
        ("etc/group", format!("coder:x:{uid}:\n")),
        ("etc/hosts", "127.0.0.1 localhost sandbox\n".to_owned()),
    ];
    for (name, text) in files {
        fs::write(root.join(name), text).map_err(|e| Trouble::io(format!("write {name}"), e))?;
    }
    bind_host_path(root, Path::new("/etc/ld.so.cache"))
}

fn make_dev(root: &Path) -> Result<(), Trouble> {
    for name in ["null", "zero", "full", "random", "urandom"] {
        let inside = root.join("dev").join(name);
        File::create(&inside).map_err(|e| Trouble::io(format!("make /dev/{name}"), e))?;
        let host = Path::new("/dev").join(name);
        mount(Some(&host), &inside, NOTHING, MsFlags::MS_BIND, NOTHING)
            .map_err(|e| Trouble::new(format!("bind /dev/{name}"), e))?;
    }
    let links = [
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
        ("shm", "/tmp"),
    ];
    for (name, target) in links {
        symlink(target, root.join("dev").join(name))
            .map_err(|e| Trouble::io(format!("link /dev/{name}"), e))?;
    }
    Ok(())
}

/// Mounts the slot's own `/proc`. A container whose own `/proc` is masked may not: then there is none.
pub(super) fn mount_proc(path: &Path) -> Result<bool, Trouble> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    match mount(Some("proc"), path, Some("proc"), flags, Some("hidepid=2")) {
        Ok(()) => {}
        Err(Errno::EPERM) => return Ok(false),
        Err(errno) => return Err(Trouble::new("mount proc", errno)),
    }
    for name in MASKED {
        let masked = path.join(name);
        if masked.exists() {
            mount(
                Some("/dev/null"),
                &masked,
                NOTHING,
                MsFlags::MS_BIND,
                NOTHING,
            )
            .map_err(|e| Trouble::new(format!("mask {name}"), e))?;
        }
    }
    for name in ["acpi", "scsi", "fs", "bus", "irq", "driver", "tty"] {
        let masked = path.join(name);
        if masked.is_dir() {
            let empty = MsFlags::MS_RDONLY | flags;
            mount(
                Some("empty"),
                &masked,
                Some("tmpfs"),
                empty,
                Some("size=4k,nr_inodes=1"),
            )
            .map_err(|e| Trouble::new(format!("mask {name}"), e))?;
        }
    }
    bind_flags(
        path,
        NOTHING,
        MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY | flags,
        "make proc read-only",
    )?;
    Ok(true)
}

/// Makes `root` the only root: pivot, then let go of the old one.
fn enter(root: &Path) -> Result<(), Trouble> {
    nix::unistd::chdir(root).map_err(|e| Trouble::new("enter root", e))?;
    nix::unistd::pivot_root(".", ".").map_err(|e| Trouble::new("pivot root", e))?;
    umount2(".", MntFlags::MNT_DETACH).map_err(|e| Trouble::new("leave host", e))?;
    nix::unistd::chdir("/").map_err(|e| Trouble::new("enter root", e))
}

fn bind_recursive(from: &Path, to: &Path) -> Result<(), Trouble> {
    mount(
        Some(from),
        to,
        NOTHING,
        MsFlags::MS_BIND | MsFlags::MS_REC,
        NOTHING,
    )
    .map_err(|e| Trouble::new(format!("bind {}", from.display()), e))
}

pub(super) fn bind_flags(
    path: &Path,
    source: Option<&str>,
    flags: MsFlags,
    step: &str,
) -> Result<(), Trouble> {
    mount(source, path, NOTHING, flags, NOTHING).map_err(|e| Trouble::new(step, e))
}

/// Read-only, no set-user-id, no devices; for the mount and all below it.
#[expect(unsafe_code, reason = "mount_setattr has no wrapper in nix")]
fn protect(path: &Path) -> Result<(), Trouble> {
    let name = std::ffi::CString::new(path.as_os_str().as_encoded_bytes())
        .map_err(|_| Trouble::new("protect", Errno::EINVAL))?;
    let attributes = libc::mount_attr {
        attr_set: libc::MOUNT_ATTR_RDONLY | libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NODEV,
        attr_clr: 0,
        propagation: 0,
        userns_fd: 0,
    };
    // SAFETY: the path is NUL-terminated and the structure lives across the call, with its true size given.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            name.as_ptr(),
            libc::AT_RECURSIVE,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    };
    check(result, &format!("protect {}", path.display())).map(drop)
}
