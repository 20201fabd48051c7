//! The init's dealings with the kernel: its own rights, and the processes below it.

use std::fmt;
use std::io;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::wire::End;

/// A failed step of the init: which, and why.
#[derive(Debug, Clone)]
pub(crate) struct Trouble {
    pub(crate) step: String,
    pub(crate) errno: Errno,
}

impl Trouble {
    pub(crate) fn new(step: impl Into<String>, errno: Errno) -> Self {
        Self {
            step: step.into(),
            errno,
        }
    }

    #[expect(clippy::needless_pass_by_value, reason = "used as a map_err function")]
    pub(crate) fn io(step: impl Into<String>, error: io::Error) -> Self {
        Self::new(
            step,
            error
                .raw_os_error()
                .map_or(Errno::UnknownErrno, Errno::from_raw),
        )
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.step, self.errno.desc())
    }
}

/// What the kernel accounted for the waited-for processes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    pub(crate) cpu_us: u64,
    pub(crate) largest_bytes: u64,
}

/// Detaches the init from the service: own session, no core, not inspectable, dead when its parent is.
#[expect(unsafe_code, reason = "prctl")]
pub(crate) fn prepare_self() -> Result<(), Trouble> {
    nix::unistd::setsid().map_err(|e| Trouble::new("setsid", e))?;
    // SAFETY: these prctl calls take plain integers and touch no memory of ours.
    let results = unsafe {
        [
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0),
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        ]
    };
    if results.iter().any(|result| *result != 0) {
        return Err(Trouble::new("prctl", Errno::last()));
    }
    hide()?;
    // When the whole machine runs out of memory, a learner's program goes before the service does.
    std::fs::write("/proc/self/oom_score_adj", "500").map_err(|e| Trouble::io("oom_score_adj", e))
}

/// Makes this process uninspectable, whoever may inspect others.
pub(crate) fn hide() -> Result<(), Trouble> {
    nix::sys::prctl::set_dumpable(false).map_err(|e| Trouble::new("prctl", e))
}

/// Makes capabilities unreachable for everything executed below this init, root's id included.
#[expect(unsafe_code, reason = "prctl")]
pub(crate) fn drop_bounding_set() -> Result<(), Trouble> {
    // SECBIT_NOROOT, SECBIT_NO_CAP_AMBIENT_RAISE and their locks: include/uapi/linux/securebits.h.
    const SECUREBITS: libc::c_ulong = 0b11 | 0b11 << 6;
    // SAFETY: plain integers, no memory of ours.
    let set = unsafe { libc::prctl(libc::PR_SET_SECUREBITS, SECUREBITS, 0, 0, 0) };
    if set != 0 {
        return Err(Trouble::new("securebits", Errno::last()));
    }
    for capability in 0..64_u32 {
        // SAFETY: plain integers, no memory of ours.
        let dropped = unsafe {
            libc::prctl(
                libc::PR_CAPBSET_DROP,
                libc::c_ulong::from(capability),
                0,
                0,
                0,
            )
        };
        if dropped != 0 {
            // The first number the kernel does not know is the end of the list.
            return match Errno::last() {
                Errno::EINVAL if capability > 30 => Ok(()),
                errno => Err(Trouble::new("bounding set", errno)),
            };
        }
    }
    Ok(())
}

/// Reaps every ended child; tells how `first` ended if it is among them.
pub(crate) fn reap(first: Pid) -> Result<Option<(End, Usage)>, Trouble> {
    let mut found = None;
    while let Some((pid, status, usage)) = wait_any(libc::WNOHANG)? {
        if pid == first.as_raw() {
            found = Some((end_of(status), usage));
        }
    }
    Ok(found)
}

/// Reaps children until `first` is among them; tells how it ended, as `wait` tells it.
pub(crate) fn wait_for(first: Pid) -> Result<(libc::c_int, Usage), Trouble> {
    loop {
        match wait_any(0)? {
            Some((pid, status, usage)) if pid == first.as_raw() => return Ok((status, usage)),
            Some(_) => {}
            None => return Err(Trouble::new("wait", Errno::ECHILD)),
        }
    }
}

/// The word for a status of `wait`.
pub(crate) fn end_of(status: libc::c_int) -> End {
    if libc::WIFSIGNALED(status) {
        End::Signaled(libc::WTERMSIG(status))
    } else {
        End::Exited(libc::WEXITSTATUS(status))
    }
}

/// One ended child: its id, status and usage; none when there is none (with `WNOHANG`: none that has ended).
#[expect(
    unsafe_code,
    reason = "wait4 with resource usage is not wrapped elsewhere"
)]
fn wait_any(flags: libc::c_int) -> Result<Option<(libc::pid_t, libc::c_int, Usage)>, Trouble> {
    let mut status = 0;
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    loop {
        // SAFETY: both pointers are valid for the call; rusage is plain data, zeroed before.
        let pid = unsafe {
            libc::wait4(
                -1,
                &raw mut status,
                flags | libc::__WALL,
                usage.as_mut_ptr(),
            )
        };
        match pid {
            0 => return Ok(None),
            -1 => match Errno::last() {
                Errno::ECHILD => return Ok(None),
                Errno::EINTR => {}
                errno => return Err(Trouble::new("wait", errno)),
            },
            pid => {
                // SAFETY: zeroed plain data is initialised, and the kernel has filled it.
                let usage = unsafe { usage.assume_init() };
                return Ok(Some((pid, status, Usage::of(&usage))));
            }
        }
    }
}

impl Usage {
    fn of(usage: &libc::rusage) -> Self {
        let micros =
            |t: libc::timeval| u64::try_from(t.tv_sec * 1_000_000 + t.tv_usec).unwrap_or(0);
        Self {
            cpu_us: micros(usage.ru_utime) + micros(usage.ru_stime),
            largest_bytes: u64::try_from(usage.ru_maxrss).unwrap_or(0) * 1024,
        }
    }
}

/// Kills every other process of the slot and waits until none is left.
///
/// `kill(-1)` holds the task list's lock against `fork`, so a fork bomb cannot slip a child past it; a child made by a
/// dying process that was reparented to us is caught by the next round.
#[expect(unsafe_code, reason = "waitpid")]
pub(crate) fn end_all_children() -> Result<(), Trouble> {
    loop {
        match kill(Pid::from_raw(-1), Signal::SIGKILL) {
            Ok(()) | Err(Errno::ESRCH) => {}
            Err(errno) => return Err(Trouble::new("kill", errno)),
        }
        // SAFETY: no status is asked for, so no memory is written.
        let pid = unsafe { libc::waitpid(-1, std::ptr::null_mut(), libc::__WALL) };
        if pid < 0 {
            match Errno::last() {
                Errno::ECHILD => return Ok(()),
                Errno::EINTR => {}
                errno => return Err(Trouble::new("wait", errno)),
            }
        }
    }
}

/// The errno of the last libc call as a result.
pub(crate) fn check(result: libc::c_long, step: &str) -> Result<libc::c_long, Trouble> {
    if result < 0 {
        Err(Trouble::new(step, Errno::last()))
    } else {
        Ok(result)
    }
}
