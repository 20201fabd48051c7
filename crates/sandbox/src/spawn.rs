//! Making a slot's init: a clone of this process into new namespaces that at once executes the init's binary.
//!
//! The service has many threads, so between clone and execve only plain system calls on memory prepared before are made.
//! Call it from a thread that lives as long as the slots do: the kernel kills an init when the *thread* that made it ends.

use std::ffi::CString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::path::Path;

use nix::fcntl::OFlag;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use nix::unistd::pipe2;

use crate::error::{SandboxError, Step};
use crate::init::{ARGUMENT, SOCKET};
use crate::report::Privilege;

/// A running init and our end of its socket.
#[derive(Debug)]
pub(crate) struct Init {
    pub(crate) process: OwnedFd,
    pub(crate) socket: OwnedFd,
}

/// Whether this process may make slots without a user namespace.
pub(crate) fn privilege() -> Privilege {
    // chown, setuid, setgid, setpcap, sys_admin, kill, dac_override: what the init does as root.
    const NEEDED: u64 = 1 | 1 << 1 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 21;
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
    if nix::unistd::geteuid().is_root() && effective.is_some_and(|held| held & NEEDED == NEEDED) {
        Privilege::Root
    } else {
        Privilege::UserNamespace
    }
}

/// Starts an init; it then waits for its setup on the socket.
pub(crate) fn start(exe: &Path, privilege: Privilege) -> Result<Init, SandboxError> {
    let program = CString::new(exe.as_os_str().as_encoded_bytes())
        .map_err(|_| SandboxError::Invalid("path of the init"))?;
    let name = c"sandbox-init";
    let argument =
        CString::new(ARGUMENT).map_err(|_| SandboxError::Invalid("argument of the init"))?;
    let argv = [name.as_ptr(), argument.as_ptr(), std::ptr::null()];
    let envp = [std::ptr::null()];
    let (ours, theirs) = socketpair(
        AddressFamily::Unix,
        SockType::SeqPacket,
        None,
        SockFlag::SOCK_CLOEXEC,
    )
    .step("make the slot's socket")?;
    let (go_read, go_write) = pipe2(OFlag::O_CLOEXEC).step("make a pipe")?;
    let null = File::options()
        .read(true)
        .write(true)
        .open("/dev/null")
        .step("open /dev/null")?;
    let child = Child {
        program: program.as_ptr(),
        argv: argv.as_ptr(),
        envp: envp.as_ptr(),
        socket: theirs.as_raw_fd(),
        go: go_read.as_raw_fd(),
        null: null.as_raw_fd(),
    };
    let (pid, process) = clone_into_namespaces(privilege, &child).step("clone the slot's init")?;
    let released = release(privilege, pid, File::from(go_write));
    if let Err(error) = released {
        end(process).step("end a failed init")?;
        return Err(error);
    }
    Ok(Init {
        process,
        socket: ours,
    })
}

/// Lets the child go on as an init.
fn release(privilege: Privilege, pid: libc::pid_t, mut go: File) -> Result<(), SandboxError> {
    if privilege == Privilege::UserNamespace {
        map_own_id(pid).step("map the user id into the slot")?;
    }
    go.write_all(b"g").step("release the slot's init")
}

/// One id: ours outside is root's inside, which owns the slot's namespaces and nothing else.
fn map_own_id(pid: libc::pid_t) -> io::Result<()> {
    let (uid, gid) = (nix::unistd::geteuid(), nix::unistd::getegid());
    fs::write(format!("/proc/{pid}/setgroups"), "deny")?;
    fs::write(format!("/proc/{pid}/uid_map"), format!("0 {uid} 1"))?;
    fs::write(format!("/proc/{pid}/gid_map"), format!("0 {gid} 1"))
}

/// What the child needs, all prepared before the clone.
struct Child {
    program: *const libc::c_char,
    argv: *const *const libc::c_char,
    envp: *const *const libc::c_char,
    socket: RawFd,
    go: RawFd,
    null: RawFd,
}

#[expect(unsafe_code, reason = "clone with namespaces has no safe wrapper")]
fn clone_into_namespaces(
    privilege: Privilege,
    child: &Child,
) -> io::Result<(libc::pid_t, OwnedFd)> {
    let mut flags = libc::CLONE_NEWPID
        | libc::CLONE_NEWNS
        | libc::CLONE_NEWIPC
        | libc::CLONE_NEWUTS
        | libc::CLONE_NEWNET;
    flags |= libc::CLONE_PIDFD | libc::SIGCHLD;
    if privilege == Privilege::UserNamespace {
        flags |= libc::CLONE_NEWUSER;
    }
    let mut process: libc::c_int = -1;
    // SAFETY: without CLONE_VM and with no new stack this is a fork; the child calls only `execute_init`, which makes
    // plain system calls on memory prepared before. The kernel writes the pidfd into `process`.
    unsafe {
        let pid = libc::syscall(
            libc::SYS_clone,
            libc::c_ulong::from(flags.unsigned_abs()),
            0,
            &raw mut process,
            0,
            0,
        );
        match pid {
            -1 => Err(io::Error::last_os_error()),
            0 => execute_init(child),
            pid => Ok((
                i32::try_from(pid).map_err(io::Error::other)?,
                OwnedFd::from_raw_fd(process),
            )),
        }
    }
}

/// Runs in the cloned child: no allocation, no lock, no panic.
///
/// # Safety
/// The pointers of `child` must lead to NUL-terminated strings and NULL-terminated lists.
#[expect(unsafe_code, reason = "raw system calls between clone and execve")]
unsafe fn execute_init(child: &Child) -> ! {
    // SAFETY: system calls on integers and on the prepared memory; a failure ends the child, which the parent sees as
    // the end of the socket.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0);
        // With a user namespace, capabilities survive execve only once the id is mapped.
        let mut byte = 0u8;
        if libc::read(child.go, (&raw mut byte).cast(), 1) != 1 {
            libc::_exit(126);
        }
        let mut all: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut all);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const all, std::ptr::null_mut());
        // The socket may sit at 0, 1 or 2 of a service started without standard streams: move it up first.
        let socket = libc::fcntl(child.socket, libc::F_DUPFD, 10);
        let null = libc::fcntl(child.null, libc::F_DUPFD, 10);
        if socket < 0
            || null < 0
            || libc::dup2(socket, SOCKET) < 0
            || libc::dup2(null, 0) < 0
            || libc::dup2(null, 1) < 0
        {
            libc::_exit(126);
        }
        libc::syscall(libc::SYS_close_range, SOCKET + 1, libc::c_uint::MAX, 0);
        libc::execve(child.program, child.argv, child.envp);
        libc::_exit(126)
    }
}

/// Ends an init, and with it every process of its slot, and waits until it is gone.
#[expect(unsafe_code, reason = "pidfd_send_signal has no wrapper")]
#[expect(
    clippy::needless_pass_by_value,
    reason = "an ended process must not be used again"
)]
pub(crate) fn end(process: OwnedFd) -> io::Result<()> {
    // SAFETY: a descriptor we own and plain integers; no siginfo is given.
    let sent = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            process.as_raw_fd(),
            libc::SIGKILL,
            std::ptr::null::<u8>(),
            0,
        )
    };
    if sent < 0 {
        let error = io::Error::last_os_error();
        if error.raw_os_error() != Some(libc::ESRCH) {
            return Err(error);
        }
    }
    reap(&process)
}

#[expect(unsafe_code, reason = "waitid on a pidfd")]
fn reap(process: &OwnedFd) -> io::Result<()> {
    loop {
        let mut info = std::mem::MaybeUninit::<libc::siginfo_t>::zeroed();
        let id = libc::id_t::try_from(process.as_raw_fd()).map_err(io::Error::other)?;
        // SAFETY: `info` is valid for the call.
        let waited = unsafe { libc::waitid(libc::P_PIDFD, id, info.as_mut_ptr(), libc::WEXITED) };
        if waited == 0 {
            return Ok(());
        }
        match io::Error::last_os_error() {
            error if error.raw_os_error() == Some(libc::ECHILD) => return Ok(()),
            error if error.kind() == io::ErrorKind::Interrupted => {}
            error => return Err(error),
        }
    }
}
