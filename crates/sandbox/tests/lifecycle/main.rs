//! Starting, ending, dying: what is left of a sandbox when it is gone, however it went.
//!
//! These tests count this process's descriptors, children and mounts, so they run one at a time and in a process of
//! their own.
#![cfg(test)]

#[path = "../it/support.rs"]
#[expect(
    dead_code,
    reason = "shared with the other test binary, which uses the rest"
)]
mod support;

mod ends;
mod soak;
mod unprivileged;

use std::collections::HashSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sandbox::{Config, Sandbox};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// One test at a time, with a place and a cgroup name of its own.
struct Stage {
    _turn: MutexGuard<'static, ()>,
    runtime: Runtime,
    place: TempDir,
    name: String,
}

impl Stage {
    fn new(name: &str) -> Self {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let runtime = Runtime::new().expect("a runtime starts");
        let place = tempfile::tempdir().expect("a temporary directory");
        Self {
            _turn: turn,
            runtime,
            place,
            name: format!("codementor-test-{name}"),
        }
    }

    fn work_dir(&self) -> PathBuf {
        self.place.path().join("work")
    }

    fn config(&self, slots: usize) -> Config {
        Config {
            cgroup_name: self.name.clone(),
            ..support::config(self.work_dir(), slots)
        }
    }

    fn start(&self, slots: usize) -> Sandbox {
        self.runtime
            .block_on(Sandbox::start(self.config(slots)))
            .expect("the sandbox starts")
    }

    /// Our directories in the cgroup hierarchies.
    fn groups(&self) -> Vec<PathBuf> {
        hierarchies()
            .into_iter()
            .map(|hierarchy| hierarchy.join(&self.name))
            .filter(|path| path.exists())
            .collect()
    }

    /// Processes in any of our groups.
    fn processes(&self) -> Vec<String> {
        self.groups()
            .iter()
            .flat_map(|group| processes_below(group))
            .collect()
    }

    fn left_in_work_dir(&self) -> usize {
        std::fs::read_dir(self.work_dir()).map_or(0, Iterator::count)
    }

    fn nothing_is_left(&self) {
        assert_eq!(self.groups(), Vec::<PathBuf>::new(), "cgroups");
        assert_eq!(self.left_in_work_dir(), 0, "files in the work directory");
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").expect("own mounts");
        assert!(
            !mounts.contains(&*self.place.path().to_string_lossy()),
            "mounts"
        );
    }
}

/// Every cgroup hierarchy of this machine, once each wherever else it is mounted, too.
fn hierarchies() -> Vec<PathBuf> {
    let mounts = std::fs::read_to_string("/proc/self/mounts").expect("own mounts");
    let is_group = |line: &&str| {
        line.split(' ')
            .nth(2)
            .is_some_and(|kind| kind.starts_with("cgroup"))
    };
    let mut seen = HashSet::new();
    mounts
        .lines()
        .filter(is_group)
        .filter_map(|line| line.split(' ').nth(1).map(PathBuf::from))
        .filter(|path| {
            let meta = path.metadata().expect("a mounted directory");
            seen.insert((meta.dev(), meta.ino()))
        })
        .collect()
}

fn processes_below(group: &Path) -> Vec<String> {
    let own = std::fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    let mut found: Vec<String> = own.lines().map(str::to_owned).collect();
    for entry in std::fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            found.extend(processes_below(&entry.path()));
        }
    }
    found
}

/// Waits until it holds; fails after ten seconds.
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < deadline, "{what} did not come true");
        std::thread::yield_now();
    }
}

/// Direct children of this process.
fn children() -> Vec<String> {
    std::fs::read_dir("/proc/self/task")
        .expect("own threads")
        .flatten()
        .flat_map(|task| {
            let text = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
            text.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect()
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd")
        .expect("own descriptors")
        .count()
}
