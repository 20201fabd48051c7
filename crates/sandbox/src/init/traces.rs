//! Whether programs have used a scratch file system, even if they left it empty.
//!
//! Whatever is made, renamed or removed in its root, and whatever is set on the root itself, changes the root's time of change,
//! which nobody can set; what stays takes inodes and blocks. Times are compared in the clock that the kernel stamps them with.

use std::os::unix::fs::MetadataExt;

use nix::sys::statvfs::statvfs;
use nix::time::{ClockId, clock_gettime};

use super::system::Trouble;

/// Seconds and nanoseconds.
type Stamp = (i64, i64);

/// The state of a file system that nobody has written to.
#[derive(Debug)]
pub(super) struct Traces {
    path: &'static str,
    fresh: State,
    /// Whether a change from now on would be stamped later than the fresh state: stamps are as coarse as the kernel's tick.
    tells: bool,
}

#[derive(Debug, PartialEq, Eq)]
struct State {
    modified: Stamp,
    changed: Stamp,
    free_inodes: u64,
    free_blocks: u64,
}

impl Traces {
    /// Of a file system just mounted at `path`.
    pub(super) fn of(path: &'static str) -> Result<Self, Trouble> {
        let mut traces = Self {
            path,
            fresh: State::read(path)?,
            tells: false,
        };
        traces.watch()?;
        Ok(traces)
    }

    /// Begins to watch, before a program starts.
    pub(super) fn watch(&mut self) -> Result<(), Trouble> {
        let now = clock_gettime(ClockId::CLOCK_REALTIME_COARSE)
            .map_err(|e| Trouble::new("read clock", e))?;
        self.tells = (now.tv_sec(), now.tv_nsec()) > self.fresh.changed;
        Ok(())
    }

    /// Whether there are any, or none could have been seen.
    pub(super) fn are_left(&self) -> Result<bool, Trouble> {
        Ok(!self.tells || State::read(self.path)? != self.fresh)
    }
}

impl State {
    fn read(path: &str) -> Result<Self, Trouble> {
        let meta = std::fs::metadata(path).map_err(|e| Trouble::io("look at scratch", e))?;
        let room = statvfs(path).map_err(|e| Trouble::new("look at scratch", e))?;
        Ok(Self {
            modified: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
            free_inodes: room.files_free(),
            free_blocks: room.blocks_free(),
        })
    }
}
