//! Starting and ending the sandbox, and lending its slots.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use tokio::runtime::{Handle, RuntimeFlavor};

use crate::artefact::Artefact;
use crate::cgroup::Groups;
use crate::error::{SandboxError, Step};
use crate::keeper::{Core, Job, Keeper, MAX_SLOTS, Shelf};
use crate::program::{Content, InputFile, check_name};
use crate::report::Report;
use crate::slot::Slot;

/// How to start a sandbox.
#[derive(Debug, Clone)]
pub struct Config {
    /// Programs that run at the same time.
    pub slots: usize,
    /// Directory of ours for prepared trees and mount points; made when missing.
    pub work_dir: PathBuf,
    /// Name of our directory in every cgroup hierarchy.
    pub cgroup_name: String,
    /// Whether to start without cgroups, with limits of single processes only.
    pub allow_degraded: bool,
    /// Host paths that programs see, read-only. Missing ones are left out, links stay links.
    pub read_only_paths: Vec<PathBuf>,
    /// Binary that calls [`crate::init_if_requested`] first; `None` for this process's own.
    pub init_exe: Option<PathBuf>,
}

impl Config {
    /// A configuration with the tool chains' usual places.
    pub fn new(work_dir: impl Into<PathBuf>, slots: usize) -> Self {
        let usual = [
            "/usr",
            "/bin",
            "/lib",
            "/lib64",
            "/sbin",
            "/etc/alternatives",
        ];
        Self {
            slots,
            work_dir: work_dir.into(),
            cgroup_name: "codementor".to_owned(),
            allow_degraded: false,
            read_only_paths: usual.into_iter().map(PathBuf::from).collect(),
            init_exe: None,
        }
    }
}

/// A running sandbox. Cheap to clone; when the last clone and the last slot are gone, so are its processes, groups and
/// directories.
#[derive(Debug, Clone)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

/// What all clones and slots share.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) jobs: Sender<Job>,
    pub(crate) groups: Groups,
    pub(crate) report: Report,
    /// Where prepared trees are; `None` once the end has begun. Whoever writes holds it, so that nothing is written while the
    /// keeper takes everything away.
    store: RwLock<Option<PathBuf>>,
    keeper: Mutex<Option<JoinHandle<()>>>,
    count: AtomicU64,
}

impl Sandbox {
    /// Finds out what the machine offers, cleans up after dead owners, boots the slots and attacks them once.
    pub async fn start(config: Config) -> Result<Self, SandboxError> {
        if config.slots == 0 || config.slots > MAX_SLOTS {
            return Err(SandboxError::Invalid(
                "the number of slots must lie between 1 and 256",
            ));
        }
        if config.cgroup_name.is_empty()
            || config.cgroup_name.starts_with('.')
            || config.cgroup_name.contains(['/', '\0'])
        {
            return Err(SandboxError::Invalid(
                "the cgroup name must be a plain file name",
            ));
        }
        let shelf = Arc::new(Shelf::new());
        let (jobs, inbox) = channel();
        let (tell, told) = tokio::sync::oneshot::channel();
        let for_keeper = Arc::clone(&shelf);
        let thread = std::thread::Builder::new()
            .name("sandbox-keeper".to_owned())
            .spawn(move || match Keeper::start(config, for_keeper) {
                Ok((keeper, report)) => {
                    let parts = (
                        keeper.groups.clone(),
                        keeper.directory.join("store"),
                        report,
                    );
                    // A caller that is gone has dropped its sender too: serving ends at once.
                    let _ = tell.send(Ok(parts));
                    keeper.serve(&inbox);
                }
                Err(error) => {
                    let _ = tell.send(Err(error));
                }
            })
            .step("start the keeper thread")?;
        let (groups, store, report) = told.await.map_err(|_| SandboxError::Lost)??;
        let keeper = Mutex::new(Some(thread));
        let sandbox = Self {
            inner: Arc::new(Inner {
                shelf,
                jobs,
                groups,
                report,
                store: RwLock::new(Some(store)),
                keeper,
                count: AtomicU64::new(0),
            }),
        };
        if let Err(error) = crate::self_test::run(&sandbox).await {
            sandbox.shutdown().await;
            return Err(error);
        }
        tracing::info!(backend = ?sandbox.report().backend, privilege = ?sandbox.report().privilege, slots = sandbox.report().slots, "sandbox is ready");
        Ok(sandbox)
    }

    /// What was found and is in force.
    pub fn report(&self) -> &Report {
        &self.inner.report
    }

    /// What keeps runs from being served as they should: a slot or a cgroup that cannot be made. It is tried again each second.
    pub fn health(&self) -> Result<(), String> {
        self.inner.shelf.trouble().map_or(Ok(()), Err)
    }

    /// Waits for a free slot, in order of asking. After [`Sandbox::shutdown`] the slot refuses to run anything.
    pub async fn acquire(&self) -> Slot {
        loop {
            let Ok(permit) = self.inner.shelf.permits.acquire().await else {
                return self.slot(None);
            };
            permit.forget();
            let slot = self.slot(self.inner.shelf.take());
            if !slot.is_broken() {
                return slot;
            }
            slot.discard();
        }
    }

    /// Waits for several slots at once, for programs that talk to each other: taking one after the other, two such
    /// groups could each wait for the other's.
    pub async fn acquire_many(&self, count: usize) -> Result<Vec<Slot>, SandboxError> {
        let permits = u32::try_from(count).unwrap_or(u32::MAX);
        if count == 0 || count > self.inner.report.slots {
            return Err(SandboxError::Invalid("there are not so many slots"));
        }
        loop {
            let lent = self.inner.shelf.permits.acquire_many(permits).await;
            lent.map_err(|_| SandboxError::Closed)?.forget();
            let slots = (0..count).map(|_| self.slot(self.inner.shelf.take()));
            let (broken, slots): (Vec<Slot>, Vec<Slot>) = slots.partition(Slot::is_broken);
            if broken.is_empty() {
                return Ok(slots);
            }
            broken.into_iter().for_each(Slot::discard);
        }
    }

    /// A free slot, if there is one now.
    pub fn try_acquire(&self) -> Option<Slot> {
        self.inner.shelf.permits.try_acquire().ok()?.forget();
        let slot = self.slot(self.inner.shelf.take());
        if slot.is_broken() {
            slot.discard();
            return None;
        }
        Some(slot)
    }

    fn slot(&self, core: Option<Core>) -> Slot {
        Slot::new(Arc::clone(&self.inner), core)
    }

    /// Writes a tree once for many runs (see [`crate::Program::artefact`]). After [`Sandbox::shutdown`] it is refused.
    #[expect(
        clippy::unused_async,
        reason = "writing may move to another thread without changing callers"
    )]
    pub async fn artefact(&self, files: &[InputFile<'_>]) -> Result<Artefact, SandboxError> {
        check_files(files)?;
        let name = format!("tree{}", self.inner.count.fetch_add(1, Ordering::Relaxed));
        let write = || {
            let store = self.inner.store.read();
            let store = store.unwrap_or_else(PoisonError::into_inner);
            let store = store.as_deref().ok_or(SandboxError::Closed)?;
            Artefact::write(store, name, files, self.inner.jobs.clone())
        };
        // The files are borrowed, so they cannot move to a blocking thread; let the runtime move the others away.
        if Handle::try_current()
            .is_ok_and(|handle| handle.runtime_flavor() == RuntimeFlavor::MultiThread)
        {
            tokio::task::block_in_place(write)
        } else {
            write()
        }
    }

    /// Ends every slot, whatever runs there, and removes groups and directories. Returns when nothing is left.
    pub async fn shutdown(self) {
        let thread = self.inner.stop();
        if let Some(thread) = thread {
            let joined = tokio::task::spawn_blocking(move || thread.join()).await;
            if !matches!(joined, Ok(Ok(()))) {
                tracing::error!("the keeper thread did not end well");
            }
        }
    }
}

impl Inner {
    fn stop(&self) -> Option<JoinHandle<()>> {
        // Waits for trees that are being written.
        let store = self.store.write();
        store.unwrap_or_else(PoisonError::into_inner).take();
        // A keeper that has ended needs no telling.
        let _ = self.jobs.send(Job::Stop);
        self.keeper
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// A group for one run.
    pub(crate) fn group(&self) -> Result<crate::cgroup::Group, SandboxError> {
        match self.shelf.take_group() {
            Some(group) => Ok(group),
            None => self.groups.make(&format!(
                "extra{}",
                self.count.fetch_add(1, Ordering::Relaxed)
            )),
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Waiting here keeps the promise that nothing is left even when the process ends right after.
        if let Some(thread) = self.stop()
            && thread.join().is_err()
        {
            tracing::error!("the keeper thread did not end well");
        }
    }
}

/// Checks names: each plain, none twice, none both a file and a directory.
pub(crate) fn check_files(files: &[InputFile<'_>]) -> Result<(), SandboxError> {
    let mut names = std::collections::HashSet::new();
    for file in files {
        check_name(file.name)?;
        if !names.insert(file.name) {
            return Err(SandboxError::Invalid("two files have the same name"));
        }
        if let Content::File(open) = file.content
            && !open.metadata().is_ok_and(|meta| meta.is_file())
        {
            return Err(SandboxError::Invalid(
                "a file's content must be a regular file",
            ));
        }
    }
    let is_directory = |name: &str| {
        name.match_indices('/')
            .any(|(end, _)| names.contains(&name[..end]))
    };
    if files.iter().any(|file| is_directory(file.name)) {
        return Err(SandboxError::Invalid(
            "a name is both a file and a directory",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn file(name: &str) -> InputFile<'_> {
        InputFile {
            name,
            mode: 0o644,
            content: Content::Bytes(b""),
        }
    }

    #[test]
    fn refuses_names_that_collide() {
        assert!(check_files(&[file("a"), file("b/c"), file("b/d")]).is_ok());
        assert!(check_files(&[file("a"), file("a")]).is_err());
        assert!(check_files(&[file("a/b"), file("a")]).is_err());
        assert!(check_files(&[file("../a")]).is_err());
        let directory = fs::File::open("/").expect("opens the root");
        assert!(
            check_files(&[InputFile {
                content: Content::File(&directory),
                ..file("a")
            }])
            .is_err()
        );
    }
}
