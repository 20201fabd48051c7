//! Whether programs have used a scratch file system, even if they left it empty.
//!
//! - What is made, renamed or removed in its root sets the root's time of modification, which the init has set to long ago; so
//!   does whoever sets the times of a root that is not his own.
//! - Where programs own the root (in a user namespace both are the one id there is), they could set that back. The time of change
//!   nobody can set, but it is as coarse as the kernel's tick, so it tells only from the tick after the mount on.
//! - What stays takes inodes and blocks, and a file that never had a name counts the inode numbers on.

use std::fs::{File, FileTimes, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::time::UNIX_EPOCH;

use nix::sys::statvfs::statvfs;
use nix::time::{ClockId, clock_gettime};

use super::system::Trouble;

/// Seconds and nanoseconds.
type Stamp = (i64, i64);

/// The state of a file system that nobody has used.
#[derive(Debug)]
pub(super) struct Traces {
    path: &'static str,
    fresh: State,
    /// The number of the last inode made.
    inode: u64,
    /// Whether programs own the root.
    owned: bool,
    /// Whether any use from now on would show.
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
    pub(super) fn of(path: &'static str, owned: bool) -> Result<Self, Trouble> {
        let long_ago = FileTimes::new().set_modified(UNIX_EPOCH);
        let set = File::open(path).and_then(|root| root.set_times(long_ago));
        set.map_err(|e| Trouble::io("set time of scratch", e))?;
        Ok(Self {
            path,
            fresh: State::read(path)?,
            inode: next_inode(path)?,
            owned,
            tells: false,
        })
    }

    /// Begins to watch, before a program starts.
    pub(super) fn watch(&mut self) -> Result<(), Trouble> {
        let now = clock_gettime(ClockId::CLOCK_REALTIME_COARSE)
            .map_err(|e| Trouble::new("read clock", e))?;
        self.tells = !self.owned || (now.tv_sec(), now.tv_nsec()) > self.fresh.changed;
        Ok(())
    }

    /// Whether there are any, or none would have shown.
    pub(super) fn are_left(&mut self) -> Result<bool, Trouble> {
        if !self.tells || State::read(self.path)? != self.fresh {
            return Ok(true);
        }
        let before = std::mem::replace(&mut self.inode, next_inode(self.path)?);
        Ok(self.inode != before + 1)
    }
}

/// The number of a new inode; such a file never has a name, so it leaves no other trace.
fn next_inode(path: &str) -> Result<u64, Trouble> {
    let nameless = OpenOptions::new()
        .write(true)
        .custom_flags(libc::O_TMPFILE)
        .open(path);
    let number = |file: File| -> io::Result<u64> { Ok(file.metadata()?.ino()) };
    nameless
        .and_then(number)
        .map_err(|e| Trouble::io("number an inode", e))
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
