//! From a fork of the init to the learner's program: every right goes before the first foreign instruction runs.
//!
//! The init has one thread, so the forked child may allocate and use the standard library; it is a copy with its own
//! memory. Any step that fails ends the child with a line on the report pipe; the program is never started half confined.

use std::convert::Infallible;
use std::ffi::CString;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigHandler, SigSet, SigmaskHow, Signal, signal, sigprocmask};
use nix::sys::stat::{Mode, umask};
use nix::unistd::{Gid, Pid, Uid, chdir, execve, setgroups, setresgid, setresuid, setsid};

use super::system::{Trouble, check};
use super::{Confinement, landlock, probe};
use crate::wire::{End, Fault, RunOrder, Task};

/// From `linux/sched.h`; the constant of the `libc` crate is too narrow for its own value.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// The step whose failure is the program's, not ours.
const EXECUTE: &str = "execute";

/// The descriptors of one run.
pub(crate) struct Ends {
    pub(crate) stdin: OwnedFd,
    pub(crate) stdout: OwnedFd,
    pub(crate) stderr: OwnedFd,
    pub(crate) results: Option<OwnedFd>,
    /// Directory of the version 2 group to be born in.
    pub(crate) unified: Option<OwnedFd>,
    /// `tasks` of version 1 groups to join.
    pub(crate) tasks: Vec<OwnedFd>,
    pub(crate) report: OwnedFd,
}

/// Forks and confines; returns the child's id. The ends are closed on this side.
#[expect(unsafe_code, reason = "fork into a new IPC namespace")]
pub(crate) fn start(order: &RunOrder, ends: Ends, cage: &Confinement) -> Result<Pid, Trouble> {
    // SAFETY: plain data, for which zero means "not asked for".
    let mut arguments: libc::clone_args = unsafe { std::mem::zeroed() };
    // The IPC namespace is new so that nothing in it outlives the run; the cgroup namespace hides the host's paths.
    arguments.flags = u64::from((libc::CLONE_NEWIPC | libc::CLONE_NEWCGROUP).unsigned_abs());
    arguments.exit_signal = u64::from(libc::SIGCHLD.unsigned_abs());
    if let Some(group) = &ends.unified {
        // Born in its group: moving there afterwards takes a lock that every fork on the machine waits for.
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = u64::from(group.as_raw_fd().unsigned_abs());
    }
    // SAFETY: without CLONE_VM and with no new stack this is a fork; the process has a single thread, so the child's
    // copy of the heap and of all locks is consistent. The structure lives across the call, with its true size given.
    let pid = check(
        unsafe {
            libc::syscall(
                libc::SYS_clone3,
                &raw const arguments,
                size_of::<libc::clone_args>(),
            )
        },
        "fork",
    )?;
    if pid == 0 {
        let mut report = File::from(
            ends.report
                .try_clone()
                .unwrap_or_else(|_| std::process::abort()),
        );
        let Err(trouble) = become_program(order, ends, cage);
        // Nobody is left to tell when even this write fails; the init then reads an empty report and status 127.
        let _ = write!(report, "{} {}", trouble.errno as i32, trouble.step);
        // SAFETY: ends this process without running the init's exit handlers.
        unsafe { libc::_exit(127) };
    }
    Ok(Pid::from_raw(
        i32::try_from(pid).map_err(|_| Trouble::new("fork", Errno::EOVERFLOW))?,
    ))
}

/// Reads a report back.
pub(crate) fn failure(said: &str) -> End {
    let (errno, step) = said.split_once(' ').unwrap_or(("0", said));
    let errno = errno.parse().unwrap_or(0);
    if step == EXECUTE {
        End::NotExecuted(errno)
    } else {
        End::Fault(Fault {
            step: step.to_owned(),
            errno,
        })
    }
}

fn become_program(order: &RunOrder, ends: Ends, cage: &Confinement) -> Result<Infallible, Trouble> {
    for group in ends.tasks {
        File::from(group)
            .write_all(b"0")
            .map_err(|e| Trouble::io("join group", e))?;
    }
    setsid().map_err(|e| Trouble::new("setsid", e))?;
    place(&ends.stdin, 0)?;
    place(&ends.stdout, 1)?;
    place(&ends.stderr, 2)?;
    if let Some(results) = &ends.results {
        place(results, 3)?;
    }
    close_on_exec_from(if ends.results.is_some() { 4 } else { 3 })?;
    chdir("/box").map_err(|e| Trouble::new("enter box", e))?;
    umask(Mode::S_IWGRP | Mode::S_IWOTH);
    reset_signals()?;
    limit(order)?;
    drop_rights(cage.uid, cage.user_namespace)?;
    landlock::confine(order.profile, &cage.tools)?;
    cage.filter.install()?;
    match &order.task {
        Task::Execute { argv, env } => execute(argv, env),
        Task::Probe(probe) => probe::run(*probe),
    }
}

/// Sockets and pipes of ours are numbered above the program's, so no placement overwrites one that is still needed.
#[expect(unsafe_code, reason = "dup2 onto a number that the program expects")]
fn place(fd: &impl AsFd, number: RawFd) -> Result<(), Trouble> {
    // SAFETY: both are plain numbers; what was open at `number` belongs to the init's copy and is not used again here.
    check(
        unsafe { libc::dup2(fd.as_fd().as_raw_fd(), number) }.into(),
        "place descriptors",
    )
    .map(drop)
}

#[expect(unsafe_code, reason = "close_range has no wrapper")]
fn close_on_exec_from(first: libc::c_uint) -> Result<(), Trouble> {
    // SAFETY: plain integers; marks descriptors, closes none before execve.
    let result = unsafe {
        libc::syscall(
            libc::SYS_close_range,
            first,
            libc::c_uint::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        )
    };
    check(result, "close descriptors").map(drop)
}

#[expect(unsafe_code, reason = "signal dispositions")]
fn reset_signals() -> Result<(), Trouble> {
    // SAFETY: the default action is no handler of ours, so nothing can run in a bad moment.
    unsafe { signal(Signal::SIGPIPE, SigHandler::SigDfl) }
        .map_err(|e| Trouble::new("reset signals", e))?;
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)
        .map_err(|e| Trouble::new("reset signals", e))
}

/// Lowers resource limits; never raises one, which would need a capability we may not have.
fn limit(order: &RunOrder) -> Result<(), Trouble> {
    let wanted = &order.rlimits;
    let mut limits = vec![
        (Resource::RLIMIT_CORE, 0),
        (Resource::RLIMIT_NOFILE, 1024),
        (Resource::RLIMIT_MEMLOCK, 8 << 20),
        (Resource::RLIMIT_MSGQUEUE, 800 << 10),
        (Resource::RLIMIT_SIGPENDING, 1024),
        (Resource::RLIMIT_FSIZE, wanted.file_bytes),
        (Resource::RLIMIT_CPU, wanted.cpu_seconds),
        (
            Resource::RLIMIT_STACK,
            wanted.stack_bytes.unwrap_or(u64::MAX),
        ),
    ];
    limits.extend(
        wanted
            .data_bytes
            .map(|bytes| (Resource::RLIMIT_DATA, bytes)),
    );
    limits.extend(
        wanted
            .processes
            .map(|count| (Resource::RLIMIT_NPROC, count.into())),
    );
    for (resource, value) in limits {
        let (_, hard) = getrlimit(resource).map_err(|e| Trouble::new("read limit", e))?;
        let value = value.min(hard);
        setrlimit(resource, value, value).map_err(|e| Trouble::new("set limit", e))?;
    }
    Ok(())
}

/// Gives up root and every capability. The bounding set is empty already and `no_new_privs` is set: neither comes back.
#[expect(unsafe_code, reason = "capset has no wrapper")]
fn drop_rights(uid: u32, user_namespace: bool) -> Result<(), Trouble> {
    const VERSION_3: u32 = 0x2008_0522;
    if !user_namespace {
        setgroups(&[]).map_err(|e| Trouble::new("drop groups", e))?;
    }
    let (user, group) = (Uid::from_raw(uid), Gid::from_raw(uid));
    setresgid(group, group, group).map_err(|e| Trouble::new("drop group", e))?;
    setresuid(user, user, user).map_err(|e| Trouble::new("drop user", e))?;
    let header = [VERSION_3, 0];
    let nothing = [0u32; 6];
    // SAFETY: header and data have the layout of version 3: two words, and two sets of three words; both outlive the call.
    check(
        unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), nothing.as_ptr()) },
        "drop capabilities",
    )
    .map(drop)
}

fn execute(argv: &[String], env: &[(String, String)]) -> Result<Infallible, Trouble> {
    let text =
        |bytes: String| CString::new(bytes).map_err(|_| Trouble::new(EXECUTE, Errno::EINVAL));
    let arguments = argv
        .iter()
        .cloned()
        .map(text)
        .collect::<Result<Vec<_>, _>>()?;
    let environment = env
        .iter()
        .map(|(name, value)| text(format!("{name}={value}")))
        .collect::<Result<Vec<_>, _>>()?;
    let program = arguments
        .first()
        .ok_or(Trouble::new(EXECUTE, Errno::EINVAL))?;
    execve(program, &arguments, &environment).map_err(|e| Trouble::new(EXECUTE, e))
}
