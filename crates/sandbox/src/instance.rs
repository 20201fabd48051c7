//! Names that tell their owner, and cleaning up after owners that were killed.
//!
//! Everything the sandbox leaves outside a process (cgroups, work directories) lies in a directory named after the
//! owner's process id and start time. A later start removes those whose owner is gone, below its own name only.

use std::fs;
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
            .filter(|name| is_abandoned(name))
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
}
