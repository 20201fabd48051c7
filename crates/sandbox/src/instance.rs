//! Names that tell their owner, and cleaning up after owners that were killed.
//!
//! Everything the sandbox leaves outside a process (cgroups, work directories) lies in a directory named after the
//! owner's process id and start time. A later start removes those whose owner is gone, below its own name only.
//! Numbers say nothing to those in other containers, who may share cgroups or a volume: so the owner holds a lock on its
//! directory for as long as it lives, and what is locked is never removed.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// Name of one sandbox of this process.
pub(crate) fn new_name() -> io::Result<String> {
    // Several sandboxes in one process happen in tests; the number only tells them apart.
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let pid = std::process::id();
    let started = start_time(pid)?.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
    Ok(format!(
        "{pid}-{started}-{}",
        COUNT.fetch_add(1, Ordering::Relaxed)
    ))
}

/// Whether this is a name of ours whose owner no longer runs. Foreign names never are.
pub(crate) fn is_abandoned(name: &str) -> bool {
    let mut parts = name.split('-').map(str::parse::<u64>);
    let (Some(Ok(pid)), Some(Ok(started)), Some(Ok(_)), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    match u32::try_from(pid).map(start_time) {
        Ok(Ok(Some(now))) => now != started,
        Ok(Ok(None)) => true,
        // Unreadable is not known to be dead.
        _ => false,
    }
}

/// Holds a directory until the file is closed or this process is gone, however it ends; waits while somebody else does.
/// Who looks for abandoned directories and makes one of its own holds the parent meanwhile, for a directory just made is
/// not yet held.
pub(crate) fn hold(directory: &Path) -> io::Result<File> {
    let file = File::open(directory)?;
    file.lock()?;
    Ok(file)
}

/// Whether a living process holds it. One that may not be opened may not be removed either, which is said there.
fn is_held(directory: &Path) -> bool {
    File::open(directory).is_ok_and(|file| file.try_lock().is_err())
}

/// Names of abandoned directories in `parent`.
pub(crate) fn abandoned(parent: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(parent) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        if let Some(name) = entry?
            .file_name()
            .to_str()
            .filter(|name| is_abandoned(name) && !is_held(&parent.join(name)))
        {
            found.push(name.to_owned());
        }
    }
    Ok(found)
}

/// Start of a process in clock ticks since boot; `None` when there is no such process.
fn start_time(pid: u32) -> io::Result<Option<u64>> {
    let stat = match fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => stat,
        Err(error)
            if error.kind() == io::ErrorKind::NotFound
                || error.raw_os_error() == Some(libc::ESRCH) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    // The second field is a name in parentheses that may hold anything; the start time is the 22nd.
    let field = stat
        .rsplit_once(')')
        .and_then(|(_, rest)| rest.split_whitespace().nth(19)?.parse().ok());
    field
        .map(Some)
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_living_from_the_dead_and_the_foreign() {
        let own = new_name().expect("this process runs");
        assert!(!is_abandoned(&own));
        let pid = std::process::id();
        assert!(
            is_abandoned(&format!("{pid}-1-0")),
            "same number, other process"
        );
        assert!(is_abandoned("4194305-5-0"), "a number beyond the largest");
        for foreign in ["", "docker", "1-2", "1-2-3-4", "a-b-c", "system.slice"] {
            assert!(!is_abandoned(foreign), "{foreign:?} is not ours");
        }
    }

    #[test]
    fn leaves_what_is_held_from_another_container() {
        let parent = tempfile::tempdir().expect("makes a directory");
        // A number that no process has here; there it may be anybody's.
        let theirs = parent.path().join("4194305-5-0");
        fs::create_dir(&theirs).expect("makes a directory");
        let held = hold(&theirs).expect("is not held yet");
        let found = abandoned(parent.path()).expect("reads the directory");
        assert!(found.is_empty(), "{found:?} is in use");
        drop(held);
        let found = abandoned(parent.path()).expect("reads the directory");
        assert_eq!(found, ["4194305-5-0"], "its owner is gone");
    }
}
