//! Control groups: what limits a run's memory and processes and measures its time.
//!
//! ```text
//! v2 delegated   <own group>/<name>/<instance>/<run>                    memory, pids, cpu.stat
//! hybrid         <v1 memory>/<name>/<instance>/<run>                    memory
//!                <v1 pids>/…                                            pids
//!                <v2 unified>/…                                         cpu.stat
//! ```
//! A group serves one run and is removed: counters cannot be reset reliably. Groups are made and removed ahead of and
//! behind the runs. Nothing outside `<name>` is ever removed, and `<instance>` says whose it is, who holds it while it lives.

mod probe;

use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::error::{SandboxError, Step};
use crate::report::Backend;

/// The directories below which this sandbox makes its groups.
#[derive(Debug, Clone)]
pub(crate) struct Groups {
    pub(crate) backend: Backend,
    /// One for v2, three for hybrid (memory, pids, unified), none without.
    parents: Vec<PathBuf>,
    #[expect(dead_code, reason = "held, not read")]
    held: Arc<[File]>,
    pub(crate) memory_peak: bool,
    pub(crate) swap_accounting: bool,
}

/// A group made for one run.
#[derive(Debug)]
pub(crate) struct Group {
    backend: Backend,
    directories: Vec<PathBuf>,
    /// `tasks` of version 1 groups open for writing, then the directory of the version 2 group.
    pub(crate) entrances: Vec<OwnedFd>,
    statistics: Option<File>,
}

impl Groups {
    /// Chooses a backend, cleans up after dead owners and makes this instance's directories.
    pub(crate) fn prepare(
        name: &str,
        instance: &str,
        allow_degraded: bool,
    ) -> Result<Self, SandboxError> {
        let found = match probe::find(name) {
            Ok(found) => found,
            Err(reason) if allow_degraded => {
                tracing::warn!(%reason, "running without cgroups: limits are those of single processes");
                return Ok(Self {
                    backend: Backend::None,
                    parents: Vec::new(),
                    held: Arc::default(),
                    memory_peak: false,
                    swap_accounting: false,
                });
            }
            Err(reason) => return Err(SandboxError::NoCgroups(reason)),
        };
        let (mut parents, mut held) = (Vec::new(), Vec::new());
        for parent in found.parents {
            let _alone = crate::instance::hold(&parent).step("hold the parent of all cgroups")?;
            for dead in crate::instance::abandoned(&parent).step("look for abandoned cgroups")? {
                match remove_tree(&parent.join(&dead)) {
                    // Another user's, who will clean up at the next start; our own stand beside them.
                    Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                        tracing::warn!(group = %parent.join(dead).display(), "an abandoned cgroup of another user stays");
                    }
                    other => other.step("remove an abandoned cgroup")?,
                }
            }
            let own = parent.join(instance);
            make(&own).map_err(|error| SandboxError::NoCgroups(probe::refused(&parent, &error)))?;
            held.push(crate::instance::hold(&own).step("hold a cgroup")?);
            if found.backend == Backend::CgroupV2 {
                fs::write(own.join("cgroup.subtree_control"), "+memory +pids")
                    .step("enable controllers")?;
            }
            parents.push(own);
        }
        let mut groups = Self {
            backend: found.backend,
            parents,
            held: held.into(),
            memory_peak: true,
            swap_accounting: false,
        };
        let trial = groups.make("trial")?;
        groups.memory_peak = trial.memory_peak().is_ok();
        groups.swap_accounting = trial.swap_file().is_some();
        trial.remove().step("remove the trial cgroup")?;
        Ok(groups)
    }

    /// Makes a group; nothing of it stays when that fails. Without cgroups it is an empty thing that limits nothing.
    pub(crate) fn make(&self, name: &str) -> Result<Group, SandboxError> {
        let mut group = Group {
            backend: self.backend,
            directories: Vec::new(),
            entrances: Vec::new(),
            statistics: None,
        };
        let made = self.parents.iter().try_for_each(|parent| {
            let last = Some(parent) == self.parents.last();
            group.add(&parent.join(name), last)
        });
        match made {
            Ok(()) => Ok(group),
            Err(error) => {
                group.remove().step("remove half a cgroup")?;
                Err(error)
            }
        }
    }

    /// Removes what is left of this instance, and the common parents when no other instance uses them.
    pub(crate) fn remove(&self) -> io::Result<()> {
        for parent in &self.parents {
            remove_tree(parent)?;
            if let Some(common) = parent.parent() {
                // Another instance may live there.
                let _ = fs::remove_dir(common);
            }
        }
        Ok(())
    }
}

impl Group {
    /// Makes and opens one of its directories; the last one accounts for time.
    fn add(&mut self, directory: &Path, last: bool) -> Result<(), SandboxError> {
        make(directory).step("make a cgroup")?;
        self.directories.push(directory.to_owned());
        let entrance = if last {
            let statistics = File::open(directory.join("cpu.stat")).step("open cpu.stat")?;
            self.statistics = Some(statistics);
            File::open(directory).step("open a cgroup")?
        } else {
            // A single thread that moves itself needs no lock over the whole machine; `cgroup.procs` takes it.
            let tasks = directory.join("tasks");
            File::options().write(true).open(tasks).step("open tasks")?
        };
        self.entrances.push(entrance.into());
        Ok(())
    }

    /// Sets the limits of the run to come.
    pub(crate) fn limit(&self, memory_bytes: u64, processes: u32) -> io::Result<()> {
        match (self.backend, self.directories.as_slice()) {
            (Backend::CgroupV2, [group]) => {
                fs::write(group.join("memory.max"), memory_bytes.to_string())?;
                if let Some(swap) = self.swap_file() {
                    fs::write(swap, "0")?;
                }
                fs::write(group.join("memory.oom.group"), "1")?;
                fs::write(group.join("pids.max"), processes.to_string())
            }
            (Backend::Hybrid, [memory, pids, _]) => {
                fs::write(
                    memory.join("memory.limit_in_bytes"),
                    memory_bytes.to_string(),
                )?;
                if let Some(swap) = self.swap_file() {
                    // Memory and swap together: equal to the memory limit means no swap.
                    fs::write(swap, memory_bytes.to_string())?;
                }
                fs::write(pids.join("pids.max"), processes.to_string())
            }
            _ => Ok(()),
        }
    }

    fn swap_file(&self) -> Option<PathBuf> {
        let name = if self.backend == Backend::CgroupV2 {
            "memory.swap.max"
        } else {
            "memory.memsw.limit_in_bytes"
        };
        self.directories
            .first()
            .map(|group| group.join(name))
            .filter(|path| path.exists())
    }

    /// Processor time of everything that ran in the group; `None` without cgroups.
    pub(crate) fn cpu(&self) -> io::Result<Option<Duration>> {
        let Some(file) = &self.statistics else {
            return Ok(None);
        };
        let mut buffer = [0; 1024];
        let read = file.read_at(&mut buffer, 0)?;
        let text = std::str::from_utf8(&buffer[..read]).map_err(io::Error::other)?;
        let micros =
            field(text, "usage_usec").ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
        Ok(Some(Duration::from_micros(micros)))
    }

    /// Most memory the group ever held.
    pub(crate) fn memory_peak(&self) -> io::Result<u64> {
        let name = if self.backend == Backend::CgroupV2 {
            "memory.peak"
        } else {
            "memory.max_usage_in_bytes"
        };
        let group = self
            .directories
            .first()
            .ok_or_else(|| io::Error::from(io::ErrorKind::Unsupported))?;
        fs::read_to_string(group.join(name))?
            .trim()
            .parse()
            .map_err(io::Error::other)
    }

    /// Processes the kernel killed because the group was full.
    pub(crate) fn memory_kills(&self) -> io::Result<u64> {
        let name = if self.backend == Backend::CgroupV2 {
            "memory.events"
        } else {
            "memory.oom_control"
        };
        let Some(group) = self.directories.first() else {
            return Ok(0);
        };
        Ok(field(&fs::read_to_string(group.join(name))?, "oom_kill").unwrap_or(0))
    }

    /// Processes and threads that were refused.
    pub(crate) fn refused_processes(&self) -> io::Result<u64> {
        let index = usize::from(self.backend == Backend::Hybrid);
        let Some(group) = self.directories.get(index) else {
            return Ok(0);
        };
        Ok(field(&fs::read_to_string(group.join("pids.events"))?, "max").unwrap_or(0))
    }

    /// Removes the group; `ResourceBusy` while the kernel is still taking a dead process out of it.
    pub(crate) fn remove(&self) -> io::Result<()> {
        for directory in &self.directories {
            match fs::remove_dir(directory) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// A number of a `key value` file.
fn field(text: &str, key: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        line.strip_prefix(key)?
            .strip_prefix(' ')?
            .trim()
            .parse()
            .ok()
    })
}

fn make(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

/// Removes a group and those below it, killing what still runs there.
fn remove_tree(path: &Path) -> io::Result<()> {
    let deadline = std::time::Instant::now() + Duration::from_secs(5);
    loop {
        kill_all(path)?;
        match remove_once(path) {
            Err(error)
                if error.kind() == io::ErrorKind::ResourceBusy
                    && std::time::Instant::now() < deadline =>
            {
                // The kernel needs a moment to take dead processes out of a group.
                std::thread::sleep(Duration::from_millis(2));
            }
            other => return other,
        }
    }
}

fn remove_once(path: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_once(&entry.path())?;
        }
    }
    match fs::remove_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Kills every process of a group and of those below it.
fn kill_all(path: &Path) -> io::Result<()> {
    let Ok(entries) = fs::read_dir(path) else {
        return Ok(());
    };
    for entry in entries.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            kill_all(&entry.path())?;
        }
    }
    for line in fs::read_to_string(path.join("cgroup.procs"))
        .unwrap_or_default()
        .lines()
    {
        if let Ok(pid) = line.parse() {
            match nix::sys::signal::kill(
                nix::unistd::Pid::from_raw(pid),
                nix::sys::signal::Signal::SIGKILL,
            ) {
                Ok(()) | Err(nix::errno::Errno::ESRCH) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }
    Ok(())
}
