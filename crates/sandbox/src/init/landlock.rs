//! Landlock: the third lock on files, and the second on signals and sockets.
//!
//! Even if a mount were wrong, a program may read and execute only below the trees named here and write only below its
//! scratch. On kernels without it the mounts and user ids stand alone; the report says so.

use std::io::ErrorKind;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, PathBeneath, PathFd, PathFdError, Ruleset,
    RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, Scope,
};
use nix::errno::Errno;

use super::system::Trouble;
use crate::program::Profile;

/// Newest interface whose rights are handled; older kernels take what they know.
const NEWEST: ABI = ABI::V6;

/// Version of the kernel's interface, zero when there is none.
#[expect(unsafe_code, reason = "the crate does not tell the version")]
pub(crate) fn abi() -> i32 {
    const VERSION_FLAG: libc::c_ulong = 1;
    // SAFETY: with the version flag the kernel takes no attribute and touches no memory.
    let version = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::null::<u8>(),
            0,
            VERSION_FLAG,
        )
    };
    i32::try_from(version).unwrap_or(0).max(0)
}

/// Directories of the slot's root that hold tool chains: everything but what has a rule of its own.
pub(crate) fn tool_directories() -> Result<Vec<PathBuf>, Trouble> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/").map_err(|e| Trouble::io("list root", e))? {
        let entry = entry.map_err(|e| Trouble::io("list root", e))?;
        let own = ["dev", "proc", "tmp", "box", "app", ".store"]
            .iter()
            .any(|name| entry.file_name() == *name);
        if !own && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// The rules for programs of this profile, on the mounts that stand now; `None` where the kernel has no Landlock.
pub(crate) fn rules(profile: Profile, tools: &[PathBuf]) -> Result<Option<OwnedFd>, Trouble> {
    let everything = AccessFs::from_all(NEWEST);
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let read_and_execute = read | AccessFs::Execute;
    let device = read | AccessFs::WriteFile | AccessFs::IoctlDev | AccessFs::Truncate;
    let (the_box, scratch) = match profile {
        Profile::Compile => (everything, everything),
        Profile::Run => (
            read_and_execute,
            everything & !BitFlags::from(AccessFs::Execute),
        ),
    };
    let mut rules = handle_everything().map_err(refused)?;
    for tool in tools {
        rules = allow(rules, tool, read_and_execute)?;
    }
    rules = allow(rules, "/dev", device)?;
    rules = allow(rules, "/app", read_and_execute)?;
    rules = allow(rules, "/box", the_box)?;
    rules = allow(rules, "/tmp", scratch)?;
    // Absent when the container we run in does not permit a proc of our own.
    allow(rules, "/proc", read).map(Into::into)
}

fn handle_everything() -> Result<RulesetCreated, RulesetError> {
    Ruleset::default()
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()
}

fn allow(
    rules: RulesetCreated,
    path: impl AsRef<Path>,
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, Trouble> {
    match PathFd::new(path) {
        Ok(place) => rules
            .add_rule(PathBeneath::new(place, access))
            .map_err(refused),
        // Not there: nothing to allow.
        Err(PathFdError::OpenCall { source, .. }) if source.kind() == ErrorKind::NotFound => {
            Ok(rules)
        }
        Err(error) => Err(refused(error)),
    }
}

fn refused(_: impl std::error::Error) -> Trouble {
    Trouble::new("landlock", Errno::last())
}

/// Confines this process and its children; takes no memory. `no_new_privs` must be set.
#[expect(unsafe_code, reason = "the crate restricts a ruleset once")]
pub(crate) fn restrict(rules: BorrowedFd<'_>) -> nix::Result<()> {
    // SAFETY: a descriptor and no flags; no memory of ours is touched.
    let result = unsafe { libc::syscall(libc::SYS_landlock_restrict_self, rules.as_raw_fd(), 0) };
    Errno::result(result).map(drop)
}
