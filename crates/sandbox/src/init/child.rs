//! From a child of the init to the learner's program: every right goes before the first foreign instruction runs.
//!
//! Up to `execve` the child works in the init's own memory (see [`start`]), so all that needs the heap is prepared before and
//! what is called here takes none. Any step that fails ends the child with a note; the program is never started half confined.

use std::convert::Infallible;
use std::ffi::{CString, c_char};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigHandler, SigSet, SigmaskHow, Signal, signal, sigprocmask};
use nix::sys::stat::{Mode, umask};
use nix::unistd::{Gid, Pid, Uid, chdir, setgroups, setresgid, setresuid, setsid};

use super::seccomp::Filter;
use super::shared::Note;
use super::start::{Kind, Stack, start};
use super::system::{Trouble, Usage, end_all_children, end_of, wait_for};
use super::{landlock, mounts, probe};
use crate::program::Profile;
use crate::wire::{End, Fault, Probe, Rlimits, RunOrder, Task};

/// Limits that are the same for all, and the most that an order adds.
const LIMITS: usize = 10;

/// The descriptors of one run.
pub(super) struct Ends {
    pub(super) stdin: OwnedFd,
    pub(super) stdout: OwnedFd,
    pub(super) stderr: OwnedFd,
    pub(super) results: Option<OwnedFd>,
    /// Directory of the version 2 group to be born in.
    pub(super) unified: Option<OwnedFd>,
    /// `tasks` of version 1 groups to join.
    pub(super) tasks: Vec<OwnedFd>,
}

/// What confines a program besides the mounts.
#[derive(Clone, Copy)]
pub(super) struct Cage<'a> {
    pub(super) uid: u32,
    pub(super) user_namespace: bool,
    pub(super) filter: &'a Filter,
}

/// Where a program runs, with Landlock's rules for what is mounted there; none where the kernel has no Landlock.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    /// In the slot's namespaces.
    Shared(Option<BorrowedFd<'a>>),
    /// In namespaces of its own, whose mounts are still to be made; this is what the rules are made from.
    Own(Profile, &'a [PathBuf]),
}

/// What a child does, in order; what it names when it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Step {
    JoinGroup,
    NewSession,
    PlaceDescriptors,
    CloseDescriptors,
    EnterBox,
    ResetSignals,
    SetLimits,
    DropGroups,
    DropUser,
    DropCapabilities,
    Landlock,
    Seccomp,
    /// The step whose failure is the program's, not ours.
    Execute,
    Probe,
    /// Steps of a reaper.
    PrivateProc,
    Fork,
    Wait,
}

/// The steps by number, with the names that a fault is told by.
const STEPS: [(Step, &str); 17] = [
    (Step::JoinGroup, "join group"),
    (Step::NewSession, "setsid"),
    (Step::PlaceDescriptors, "place descriptors"),
    (Step::CloseDescriptors, "close descriptors"),
    (Step::EnterBox, "enter box"),
    (Step::ResetSignals, "reset signals"),
    (Step::SetLimits, "set limit"),
    (Step::DropGroups, "drop group"),
    (Step::DropUser, "drop user"),
    (Step::DropCapabilities, "drop capabilities"),
    (Step::Landlock, "landlock"),
    (Step::Seccomp, "install seccomp"),
    (Step::Execute, "execute"),
    (Step::Probe, "probe"),
    (Step::PrivateProc, "mount proc"),
    (Step::Fork, "fork"),
    (Step::Wait, "wait"),
];

/// A step and why it failed.
type Failure = (Step, Errno);

/// What the child goes on with.
enum Body {
    Execute { argv: Arguments, env: Arguments },
    Probe(Probe),
}

/// Strings as `execve` takes them.
struct Arguments {
    #[expect(dead_code, reason = "held, read through the pointers")]
    strings: Vec<CString>,
    /// Ends with a null.
    pointers: Vec<*const c_char>,
}

/// All that the child needs, made before it exists.
struct Child<'a> {
    ends: &'a Ends,
    body: Body,
    limits: [Option<(Resource, u64)>; LIMITS],
    cage: Cage<'a>,
    note: Note,
}

/// Memory that children need, kept from run to run.
#[derive(Debug)]
pub(super) struct Room {
    stack: Stack,
    /// For the child of a child.
    inner: Stack,
    note: Note,
}

impl Room {
    pub(super) fn new() -> Result<Self, Trouble> {
        Ok(Self {
            stack: Stack::new()?,
            inner: Stack::new()?,
            note: Note::new()?,
        })
    }

    /// How the program ended, when that is not how the child did: it was not started, or had a reaper.
    pub(super) fn said(&self) -> Option<(End, Option<Usage>)> {
        let reaped = self.note.take_end();
        let Some((step, errno)) = self.note.take_failure() else {
            return reaped.map(|(status, usage)| (end_of(status), Some(usage)));
        };
        let known = STEPS.iter().find(|(known, _)| *known as u8 == step);
        let end = match known {
            Some((Step::Execute, _)) => End::NotExecuted(errno),
            known => End::Fault(Fault {
                step: known.map_or("start", |(_, name)| name).to_owned(),
                errno,
            }),
        };
        Some((end, None))
    }
}

/// Starts a child and confines it. When this returns without an error, the program runs, or has ended, or was not started, and
/// [`Room::said`] tells why.
pub(super) fn run(
    room: &Room,
    order: &RunOrder,
    ends: &Ends,
    cage: Cage<'_>,
    place: Place<'_>,
) -> Result<Pid, Trouble> {
    let body = match &order.task {
        Task::Execute { argv, env } => Body::Execute {
            argv: Arguments::new(argv.iter().cloned())?,
            env: Arguments::new(env.iter().map(|(name, value)| format!("{name}={value}")))?,
        },
        Task::Probe(probe) => Body::Probe(*probe),
    };
    let child = Child {
        ends,
        body,
        limits: limits(&order.rlimits),
        cage,
        note: room.note,
    };
    let pid = match place {
        Place::Shared(rules) => child.start(&room.stack, rules),
        Place::Own(profile, tools) => {
            let reaper = Reaper {
                child: &child,
                stack: &room.inner,
                profile,
                tools,
            };
            start(&room.stack, Kind::Reaper, None, watch_over, &reaper)
        }
    };
    pid.map_err(|e| Trouble::new("fork", e))
}

impl Child<'_> {
    fn start(&self, stack: &Stack, rules: Option<BorrowedFd<'_>>) -> Result<Pid, Errno> {
        let kind = match self.body {
            Body::Execute { .. } => Kind::Program,
            Body::Probe(_) => Kind::Probe,
        };
        let group = self.ends.unified.as_ref().map(AsFd::as_fd);
        start(stack, kind, group, enter, &Launch { child: self, rules })
    }
}

/// What the child itself is given.
struct Launch<'a> {
    child: &'a Child<'a>,
    rules: Option<BorrowedFd<'a>>,
}

/// The first process of a strict run's namespaces. Never the program itself: the kernel drops signals to such a one.
struct Reaper<'a> {
    child: &'a Child<'a>,
    stack: &'a Stack,
    profile: Profile,
    tools: &'a [PathBuf],
}

/// Where a reaper begins: starts the program, and goes when all processes of its namespace are gone.
#[expect(unsafe_code, reason = "ends the process at once")]
extern "C" fn watch_over(reaper: &Reaper<'_>) -> ! {
    let note = reaper.child.note;
    let watched = || {
        let failed = |step| move |trouble: Trouble| (step, trouble.errno);
        // Where it cannot be mounted, the slot's own is there or none, and shows nothing of others.
        mounts::mount_proc(Path::new("/proc")).map_err(failed(Step::PrivateProc))?;
        let rules = landlock::rules(reaper.profile, reaper.tools);
        let rules = rules.map_err(failed(Step::Landlock))?;
        let rules = rules.as_ref().map(AsFd::as_fd);
        let program = reaper.child.start(reaper.stack, rules);
        let program = program.map_err(|errno| (Step::Fork, errno))?;
        let (status, usage) = wait_for(program).map_err(failed(Step::Wait))?;
        end_all_children().map_err(failed(Step::Wait))?;
        note.leave_end(status, usage);
        Ok(())
    };
    if let Err((step, errno)) = watched() {
        note.leave_failure(step as u8, errno);
    }
    // SAFETY: ends this process without running the init's exit handlers.
    unsafe { libc::_exit(0) }
}

impl Arguments {
    fn new(texts: impl Iterator<Item = String>) -> Result<Self, Trouble> {
        let strings = texts
            .map(CString::new)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| Trouble::new("execute", Errno::EINVAL))?;
        let pointers = strings.iter().map(|text| text.as_ptr());
        let pointers = pointers.chain([std::ptr::null()]).collect();
        Ok(Self { strings, pointers })
    }
}

/// Where the child begins.
#[expect(unsafe_code, reason = "ends the process at once")]
extern "C" fn enter(launch: &Launch<'_>) -> ! {
    let Err((step, errno)) = become_program(launch);
    launch.child.note.leave_failure(step as u8, errno);
    // SAFETY: ends this process without running the init's exit handlers.
    unsafe { libc::_exit(127) }
}

fn become_program(launch: &Launch<'_>) -> Result<Infallible, Failure> {
    let child = launch.child;
    let ends = child.ends;
    for group in &ends.tasks {
        nix::unistd::write(group, b"0").map_err(|e| (Step::JoinGroup, e))?;
    }
    setsid().map_err(|e| (Step::NewSession, e))?;
    place(&ends.stdin, 0)?;
    place(&ends.stdout, 1)?;
    place(&ends.stderr, 2)?;
    if let Some(results) = &ends.results {
        place(results, 3)?;
    }
    close_on_exec_from(if ends.results.is_some() { 4 } else { 3 })?;
    chdir(c"/box").map_err(|e| (Step::EnterBox, e))?;
    umask(Mode::S_IWGRP | Mode::S_IWOTH);
    reset_signals().map_err(|e| (Step::ResetSignals, e))?;
    for (resource, value) in child.limits.into_iter().flatten() {
        limit(resource, value).map_err(|e| (Step::SetLimits, e))?;
    }
    drop_rights(&child.cage)?;
    if let Some(rules) = launch.rules {
        landlock::restrict(rules).map_err(|e| (Step::Landlock, e))?;
    }
    let filter = child.cage.filter;
    filter.install().map_err(|e| (Step::Seccomp, e))?;
    match &child.body {
        Body::Execute { argv, env } => Err((Step::Execute, execute(argv, env))),
        Body::Probe(probe) => probe::run(*probe).map_err(|trouble| (Step::Probe, trouble.errno)),
    }
}

/// The result of a plain system call.
fn check(result: libc::c_long, step: Step) -> Result<(), Failure> {
    if result < 0 {
        Err((step, Errno::last()))
    } else {
        Ok(())
    }
}

/// Sockets and pipes of ours are numbered above the program's, so no placement overwrites one that is still needed.
#[expect(unsafe_code, reason = "dup2 onto a number that the program expects")]
fn place(fd: &impl AsFd, number: RawFd) -> Result<(), Failure> {
    // SAFETY: both are plain numbers; the table is the child's own, and what was open at `number` is not used here again.
    let placed = unsafe { libc::dup2(fd.as_fd().as_raw_fd(), number) };
    check(placed.into(), Step::PlaceDescriptors)
}

#[expect(unsafe_code, reason = "close_range has no wrapper")]
fn close_on_exec_from(first: libc::c_uint) -> Result<(), Failure> {
    // SAFETY: plain integers; marks descriptors, closes none before execve.
    let result = unsafe {
        libc::syscall(
            libc::SYS_close_range,
            first,
            libc::c_uint::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        )
    };
    check(result, Step::CloseDescriptors)
}

#[expect(unsafe_code, reason = "signal dispositions")]
fn reset_signals() -> nix::Result<()> {
    // SAFETY: the default action is no handler of ours, so nothing can run in a bad moment; the table is the child's own.
    unsafe { signal(Signal::SIGPIPE, SigHandler::SigDfl) }?;
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)
}

fn limits(wanted: &Rlimits) -> [Option<(Resource, u64)>; LIMITS] {
    let stack = wanted.stack_bytes.unwrap_or(u64::MAX);
    [
        Some((Resource::RLIMIT_CORE, 0)),
        Some((Resource::RLIMIT_NOFILE, 1024)),
        Some((Resource::RLIMIT_MEMLOCK, 8 << 20)),
        Some((Resource::RLIMIT_MSGQUEUE, 800 << 10)),
        Some((Resource::RLIMIT_SIGPENDING, 1024)),
        Some((Resource::RLIMIT_FSIZE, wanted.file_bytes)),
        Some((Resource::RLIMIT_CPU, wanted.cpu_seconds)),
        Some((Resource::RLIMIT_STACK, stack)),
        wanted
            .data_bytes
            .map(|bytes| (Resource::RLIMIT_DATA, bytes)),
        wanted
            .processes
            .map(|count| (Resource::RLIMIT_NPROC, count.into())),
    ]
}

/// Lowers a resource limit; never raises one, which would need a capability we may not have.
fn limit(resource: Resource, value: u64) -> nix::Result<()> {
    let (_, hard) = getrlimit(resource)?;
    let value = value.min(hard);
    setrlimit(resource, value, value)
}

/// Gives up root and every capability. The bounding set is empty already and `no_new_privs` is set: neither comes back.
#[expect(unsafe_code, reason = "capset has no wrapper")]
fn drop_rights(cage: &Cage<'_>) -> Result<(), Failure> {
    const VERSION_3: u32 = 0x2008_0522;
    if !cage.user_namespace {
        setgroups(&[]).map_err(|e| (Step::DropGroups, e))?;
    }
    let (user, group) = (Uid::from_raw(cage.uid), Gid::from_raw(cage.uid));
    setresgid(group, group, group).map_err(|e| (Step::DropGroups, e))?;
    setresuid(user, user, user).map_err(|e| (Step::DropUser, e))?;
    let header = [VERSION_3, 0];
    let nothing = [0u32; 6];
    // SAFETY: header and data have the layout of version 3: two words, and two sets of three words; both outlive the call.
    let result = unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), nothing.as_ptr()) };
    check(result, Step::DropCapabilities)
}

/// Returns only when the kernel refuses.
#[expect(unsafe_code, reason = "execve without a copy of its arguments")]
fn execute(argv: &Arguments, env: &Arguments) -> Errno {
    let Some(program) = argv.pointers.first().filter(|program| !program.is_null()) else {
        return Errno::EINVAL;
    };
    // SAFETY: both lists end with a null, and each of their strings with a zero byte; all outlive the call.
    unsafe { libc::execve(*program, argv.pointers.as_ptr(), env.pointers.as_ptr()) };
    Errno::last()
}
