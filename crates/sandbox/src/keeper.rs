//! The keeper: a thread that lives as long as the sandbox and owns what outlives a run.
//!
//! It starts the inits (an init dies with the thread that made it, so that must not be one of the runtime's), replaces
//! those that misbehaved, keeps a few cgroups ready and removes used ones, off the path of the runs. When the sandbox
//! is dropped it takes everything away: processes first, then groups, then directories.

use std::collections::HashMap;
use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::socket::{setsockopt, sockopt};
use nix::sys::time::TimeVal;
use tokio::sync::Semaphore;

use crate::cgroup::{Group, Groups};
use crate::error::{SandboxError, Step};
use crate::report::{Backend, Features, Privilege, Report};
use crate::sandbox::Config;
use crate::spawn::{self, Init};
use crate::wire::{Packet, Ready, Setup, receive, send};

/// First user id of slots: in the range that systemd's table of ids lists as unused (60578 to 61183).
const FIRST_UID: u32 = 60_600;
/// Slots at most, so that user ids stay inside that range.
pub(crate) const MAX_SLOTS: usize = 256;
/// An init that does not stand by then is taken for broken.
const BOOT_SECONDS: i64 = 20;

/// Groups are made and removed when nothing was asked for so long: both hold a lock that a starting program needs.
const QUIET: Duration = Duration::from_millis(10);
/// What failed is tried again after so long.
const RETRY: Duration = Duration::from_secs(1);
/// Used groups that are not kept waiting for a quiet moment.
const MANY_USED: usize = 32;

/// What the keeper is asked to do.
#[derive(Debug)]
pub(crate) enum Job {
    /// Make the init of this slot anew.
    Replace(usize),
    /// Remove a used group.
    Remove(Group),
    /// Remove an artefact's tree.
    Forget(PathBuf),
    /// End.
    Stop,
}

/// A slot's socket, waiting to be used.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) index: usize,
    pub(crate) socket: Arc<OwnedFd>,
}

/// What the keeper and the runs share.
#[derive(Debug)]
pub(crate) struct Shelf {
    free: Mutex<Vec<Core>>,
    groups: Mutex<Vec<Group>>,
    /// What keeps runs from being served as they should, and is being tried again.
    trouble: Mutex<Option<String>>,
    /// One permit for each free slot.
    pub(crate) permits: Semaphore,
}

impl Shelf {
    pub(crate) fn new() -> Self {
        Self {
            free: Mutex::default(),
            groups: Mutex::default(),
            trouble: Mutex::default(),
            permits: Semaphore::new(0),
        }
    }

    /// Puts a slot back.
    pub(crate) fn give(&self, core: Core) {
        lock(&self.free).push(core);
        self.permits.add_permits(1);
    }

    /// Takes a slot; call with a permit in hand.
    pub(crate) fn take(&self) -> Option<Core> {
        lock(&self.free).pop()
    }

    pub(crate) fn take_group(&self) -> Option<Group> {
        lock(&self.groups).pop()
    }

    pub(crate) fn trouble(&self) -> Option<String> {
        lock(&self.trouble).clone()
    }
}

/// Every value behind these locks is whole at any moment, so a panic elsewhere does not spoil it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The keeper's own state.
pub(crate) struct Keeper {
    config: Config,
    exe: PathBuf,
    privilege: Privilege,
    pub(crate) groups: Groups,
    pub(crate) directory: PathBuf,
    #[expect(dead_code, reason = "held, not read")]
    held: File,
    shelf: Arc<Shelf>,
    inits: HashMap<usize, OwnedFd>,
    removals: Vec<Group>,
    /// Slots without an init.
    broken: Vec<usize>,
    retry_at: Option<Instant>,
    count: u64,
}

impl Keeper {
    /// Cleans up after the dead, prepares groups and directories and boots every slot.
    pub(crate) fn start(config: Config, shelf: Arc<Shelf>) -> Result<(Self, Report), SandboxError> {
        let instance = crate::instance::new_name().step("name the instance")?;
        let groups = Groups::prepare(&config.cgroup_name, &instance, config.allow_degraded)?;
        let (directory, held) = match prepare_directory(&config.work_dir, &instance) {
            Ok(made) => made,
            Err(error) => {
                groups.remove().step("remove the instance's cgroups")?;
                return Err(error);
            }
        };
        let exe = config
            .init_exe
            .clone()
            .unwrap_or_else(|| PathBuf::from("/proc/self/exe"));
        let privilege = spawn::privilege();
        let mut keeper = Self {
            exe,
            privilege,
            groups,
            directory,
            held,
            shelf,
            inits: HashMap::new(),
            removals: Vec::new(),
            broken: Vec::new(),
            retry_at: None,
            count: 0,
            config,
        };
        let mut features = None;
        for index in 0..keeper.config.slots {
            match keeper.boot(index) {
                Ok(found) => features = Some(found),
                Err(error) => {
                    keeper.end();
                    return Err(error);
                }
            }
        }
        let Some(features) = features else {
            return Err(SandboxError::Invalid("at least one slot is needed"));
        };
        if let Err(error) = keeper.refill() {
            keeper.end();
            return Err(error);
        }
        let report = Report {
            backend: keeper.groups.backend,
            privilege,
            swap_accounting: keeper.groups.swap_accounting,
            slots: keeper.config.slots,
            features,
        };
        Ok((keeper, report))
    }

    /// Works until told to stop or until nobody can ask any more, then takes everything away.
    pub(crate) fn serve(mut self, jobs: &Receiver<Job>) {
        let mut tidy = true;
        loop {
            let wait = match self.retry_at {
                _ if !tidy => QUIET,
                Some(at) => at.saturating_duration_since(Instant::now()),
                None => Duration::from_hours(1),
            };
            match jobs.recv_timeout(wait) {
                Ok(Job::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(Job::Replace(index)) => {
                    tracing::info!(slot = index, "replacing a slot");
                    self.end_init(index);
                    if let Err(error) = self.boot(index) {
                        self.broken.push(index);
                        self.tell(Some(&error));
                    }
                }
                Ok(Job::Remove(group)) => self.removals.push(group),
                Ok(Job::Forget(path)) => {
                    if let Err(error) = fs::remove_dir_all(&path) {
                        tracing::warn!(%error, "an artefact's tree could not be removed");
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.mend_in_time();
                    tidy = self.tidy();
                    continue;
                }
            }
            self.mend_in_time();
            tidy = false;
            let few_ready = lock(&self.shelf.groups).len() < self.config.slots;
            if few_ready || self.removals.len() > MANY_USED {
                self.tidy();
            }
        }
        self.end();
    }

    /// Removes used groups and makes new ones; tells whether nothing is left to do.
    fn tidy(&mut self) -> bool {
        self.removals.retain(|group| match group.remove() {
            // Busy: the kernel has not yet taken the dead processes out. Tried again soon.
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => true,
            Err(error) => {
                tracing::warn!(%error, "a used cgroup could not be removed");
                false
            }
            Ok(()) => false,
        });
        // While it is tried again anyway, not with every run.
        if self.retry_at.is_none() {
            self.mend();
        }
        self.removals.is_empty()
    }

    /// Starts the init of a slot and puts the slot on the shelf.
    fn boot(&mut self, index: usize) -> Result<Features, SandboxError> {
        let Init { process, socket } = spawn::start(&self.exe, self.privilege)?;
        let booted = self.set_up(index, &socket);
        match booted {
            Ok(features) => {
                self.inits.insert(index, process);
                self.shelf.give(Core {
                    index,
                    socket: Arc::new(socket),
                });
                Ok(features)
            }
            Err(error) => {
                spawn::end(process).step("end a failed init")?;
                Err(error)
            }
        }
    }

    fn set_up(&self, index: usize, socket: &OwnedFd) -> Result<Features, SandboxError> {
        let user_namespace = self.privilege == Privilege::UserNamespace;
        let offset = u32::try_from(index).map_err(|_| SandboxError::Invalid("too many slots"))?;
        let setup = Setup {
            mountpoint: self.directory.join("root"),
            store: self.directory.join("store"),
            read_only: self.config.read_only_paths.clone(),
            uid: if user_namespace {
                0
            } else {
                FIRST_UID + offset
            },
            user_namespace,
        };
        send(socket.as_raw_fd(), &setup, &[], &[]).step("send the slot's setup")?;
        setsockopt(
            socket,
            sockopt::ReceiveTimeout,
            &TimeVal::new(BOOT_SECONDS, 0),
        )
        .step("set the boot time-out")?;
        match receive::<Ready>(socket.as_raw_fd()).step("wait for the slot")? {
            Some(Packet {
                message:
                    Ready::Up {
                        landlock_abi,
                        private_proc,
                    },
                ..
            }) => {
                let flags = nix::fcntl::OFlag::O_NONBLOCK;
                nix::fcntl::fcntl(socket, nix::fcntl::FcntlArg::F_SETFL(flags))
                    .step("make the slot's socket non-blocking")?;
                Ok(Features {
                    landlock_abi,
                    seccomp: true,
                    private_proc,
                    memory_peak: self.groups.memory_peak,
                })
            }
            Some(Packet {
                message: Ready::Failed(fault),
                ..
            }) => Err(SandboxError::Slot {
                step: fault.step,
                source: io::Error::from_raw_os_error(fault.errno),
            }),
            None => Err(SandboxError::Lost),
        }
    }

    fn mend_in_time(&mut self) {
        if self.retry_at.is_some_and(|at| at <= Instant::now()) {
            self.mend();
        }
    }

    /// Makes what is missing, slots and groups, and says what could not be made; that is tried again.
    fn mend(&mut self) {
        let mut trouble = self.refill().err();
        for index in std::mem::take(&mut self.broken) {
            if let Err(error) = self.boot(index) {
                self.broken.push(index);
                trouble = Some(error);
            }
        }
        self.tell(trouble.as_ref());
    }

    /// Tells what could not be made, and when it is tried again.
    fn tell(&mut self, trouble: Option<&SandboxError>) {
        self.retry_at = trouble.map(|_| Instant::now() + RETRY);
        *lock(&self.shelf.trouble) = trouble.map(|error| {
            let why = causes(error);
            if self.broken.is_empty() {
                tracing::error!(%why, "no cgroup could be made ahead, trying again");
                format!("no cgroup can be made: {why}")
            } else {
                tracing::error!(slots = ?self.broken, %why, "slots could not be made, trying again");
                format!("a slot cannot be made: {why}")
            }
        });
    }

    fn end_init(&mut self, index: usize) {
        if let Some(process) = self.inits.remove(&index)
            && let Err(error) = spawn::end(process)
        {
            tracing::error!(slot = index, %error, "an init could not be ended");
        }
    }

    fn refill(&mut self) -> Result<(), SandboxError> {
        if self.groups.backend == Backend::None {
            return Ok(());
        }
        while lock(&self.shelf.groups).len() < 2 * self.config.slots + 4 {
            self.count += 1;
            let group = self.groups.make(&format!("run{}", self.count))?;
            lock(&self.shelf.groups).push(group);
        }
        Ok(())
    }

    /// Takes everything away. What fails is logged: the next start finds it by its name.
    fn end(&mut self) {
        self.shelf.permits.close();
        lock(&self.shelf.free).clear();
        for index in 0..self.config.slots {
            self.end_init(index);
        }
        self.removals.clear();
        lock(&self.shelf.groups).clear();
        if let Err(error) = self.groups.remove() {
            tracing::error!(%error, "cgroups are left");
        }
        if let Err(error) = fs::remove_dir_all(&self.directory) {
            tracing::error!(%error, "the work directory is left");
        }
    }
}

/// An error with what caused it.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// Makes and holds `<work_dir>/<instance>`, and removes those of dead owners.
fn prepare_directory(work_dir: &Path, instance: &str) -> Result<(PathBuf, File), SandboxError> {
    make_directory(work_dir, 0o711).step("make the work directory")?;
    let work_dir = work_dir.canonicalize().step("resolve the work directory")?;
    let _alone = crate::instance::hold(&work_dir).step("hold the work directory")?;
    for dead in crate::instance::abandoned(&work_dir).step("look for abandoned directories")? {
        match fs::remove_dir_all(work_dir.join(&dead)) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                tracing::warn!(directory = %work_dir.join(dead).display(), "an abandoned directory of another user stays");
            }
            other => other.step("remove an abandoned directory")?,
        }
    }
    let directory = work_dir.join(instance);
    for (path, mode) in [
        (directory.clone(), 0o711),
        (directory.join("root"), 0o755),
        (directory.join("store"), 0o711),
    ] {
        make_directory(&path, mode).step("make the instance's directory")?;
    }
    let held = crate::instance::hold(&directory).step("hold the instance's directory")?;
    Ok((directory, held))
}

fn make_directory(path: &Path, mode: u32) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(path)?;
    fs::set_permissions(path, Permissions::from_mode(mode))
}
