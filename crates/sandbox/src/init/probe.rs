//! The cage attacked from inside, before any learner's program is in it.
//!
//! These run fully confined in place of a program, so the self-test depends on no binary of the host. They print what
//! gave way; the host treats any print as a reason not to start.

use std::convert::Infallible;
use std::fs::{self, File};
use std::io::Write;
use std::net::{SocketAddr, TcpStream};

use super::system::Trouble;
use crate::wire::Probe;

/// Runs one probe to its end.
pub(crate) fn run(probe: Probe) -> Result<Infallible, Trouble> {
    let text = match probe {
        Probe::Escape => escape().join("\n"),
        Probe::Memory => {
            let mut all = Vec::new();
            loop {
                all.push(vec![1u8; 1 << 20]);
                std::hint::black_box(&all);
            }
        }
        Probe::Spin => loop {
            std::hint::spin_loop();
        },
        Probe::Fork => forks().to_string(),
    };
    File::from(nix::unistd::dup(std::io::stdout()).map_err(|e| Trouble::new("probe", e))?)
        .write_all(text.as_bytes())
        .map_err(|e| Trouble::io("probe", e))?;
    std::process::exit(0)
}

/// Everything that must be refused; names of what was not.
#[expect(unsafe_code, reason = "raw system calls are what is being tested")]
fn escape() -> Vec<&'static str> {
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 1));
    // SAFETY: every call takes integers or null pointers that the kernel checks; a refusal changes nothing, and when one
    // is not refused this process only prints and ends.
    let call =
        |number, first: libc::c_long| unsafe { libc::syscall(number, first, 0, 0, 0, 0, 0) } >= 0;
    let connected = TcpStream::connect_timeout(&nowhere, std::time::Duration::from_millis(100));
    // Whether this had an effect shows on the host: a slot without its init gives no answer.
    let _ = nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(1),
        nix::sys::signal::Signal::SIGKILL,
    );
    let attempts = [
        ("write /", File::create("/x").is_ok()),
        ("write /usr", File::create("/usr/x").is_ok()),
        (
            "write /etc/passwd",
            File::options().append(true).open("/etc/passwd").is_ok(),
        ),
        (
            "read the store",
            fs::read_dir("/.store").is_ok() || fs::read_dir("/.store/trees").is_ok(),
        ),
        (
            "read init's memory",
            File::open("/proc/1/mem").is_ok()
                || fs::read_dir("/proc/1/fd").is_ok()
                || fs::read_dir("/proc/1/root").is_ok(),
        ),
        (
            "write /proc/sys",
            File::options()
                .write(true)
                .open("/proc/sys/kernel/core_pattern")
                .is_ok(),
        ),
        (
            "see the host's cgroups",
            fs::read_dir("/sys/fs/cgroup").is_ok_and(|mut entries| entries.next().is_some()),
        ),
        (
            "reach the network",
            connected.is_ok_and(|stream| stream.peer_addr().is_ok()),
        ),
        ("key rings", call(libc::SYS_keyctl, 0)),
        (
            "unshare a user namespace",
            call(libc::SYS_unshare, libc::c_long::from(libc::CLONE_NEWUSER)),
        ),
        ("ptrace", call(libc::SYS_ptrace, 0)),
        ("bpf", call(libc::SYS_bpf, 0)),
        ("io_uring", call(libc::SYS_io_uring_setup, 1)),
        (
            "become root",
            call(libc::SYS_chroot, c"/".as_ptr() as libc::c_long),
        ),
        (
            "packet sockets",
            call(libc::SYS_socket, libc::c_long::from(libc::AF_PACKET)),
        ),
        ("keep capabilities", !capabilities_are_gone()),
        (
            "descriptors of the init",
            (4..64).any(open_without_close_on_exec),
        ),
    ];
    attempts
        .into_iter()
        .filter(|(_, worked)| *worked)
        .map(|(name, _)| name)
        .collect()
}

#[expect(unsafe_code, reason = "capget and prctl have no wrapper")]
fn capabilities_are_gone() -> bool {
    let header = [0x2008_0522_u32, 0];
    let mut data = [1u32; 6];
    // SAFETY: header and data have the layout of version 3 and outlive the call.
    let read = unsafe { libc::syscall(libc::SYS_capget, header.as_ptr(), data.as_mut_ptr()) };
    // SAFETY: plain integers.
    let (bounding, privileges) = unsafe {
        (
            libc::prctl(libc::PR_CAPBSET_READ, 21, 0, 0, 0),
            libc::prctl(libc::PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0),
        )
    };
    read == 0 && data == [0; 6] && bounding == 0 && privileges == 1
}

#[expect(unsafe_code, reason = "fcntl on a number that may not be open")]
fn open_without_close_on_exec(fd: libc::c_int) -> bool {
    // SAFETY: plain integers; a number that is not open gives an error.
    let flags = unsafe { libc::fcntl(fd, libc::F_GETFD) };
    flags >= 0 && flags & libc::FD_CLOEXEC == 0
}

/// Forks until refused, at most a thousand times; the init takes the children away.
#[expect(unsafe_code, reason = "fork")]
fn forks() -> usize {
    let mut made = 0;
    while made < 1000 {
        // SAFETY: a single-threaded process; the child only waits for its end.
        match unsafe { libc::fork() } {
            0 => loop {
                // SAFETY: waits for a signal, touches no memory.
                unsafe { libc::pause() };
            },
            pid if pid > 0 => made += 1,
            _ => break,
        }
    }
    made
}
