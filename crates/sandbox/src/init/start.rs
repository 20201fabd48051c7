//! The start of a child that borrows the memory of its parent until it executes, as `vfork` does: copying the page tables of the
//! init would cost more than all that a short program does.
//!
//! The parent stands still meanwhile, deaf to the host: an `execve` that never came back would cost the slot. The child runs on a stack of its own and must neither touch the heap nor return.

use std::num::NonZeroUsize;
use std::os::fd::{AsRawFd, BorrowedFd};

use nix::errno::Errno;
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous};
use nix::unistd::Pid;

use super::system::Trouble;

/// From `linux/sched.h`; the constant of the `libc` crate is too narrow for its own value.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;
/// Bytes of a child's stack; pages that are not touched cost nothing.
const STACK: NonZeroUsize = NonZeroUsize::new(1 << 20).expect("it is not zero");

/// Memory for the stack of one child at a time, kept for the next.
#[derive(Debug)]
pub(super) struct Stack(u64);

impl Stack {
    #[expect(unsafe_code, reason = "memory for a stack is mapped")]
    pub(super) fn new() -> Result<Self, Trouble> {
        let flags = MapFlags::MAP_PRIVATE | MapFlags::MAP_ANONYMOUS | MapFlags::MAP_NORESERVE;
        // SAFETY: a new mapping at a place of the kernel's choice overlaps nothing; it is never unmapped.
        let memory = unsafe {
            mmap_anonymous(
                None,
                STACK,
                ProtFlags::PROT_READ | ProtFlags::PROT_WRITE,
                flags,
            )
        };
        let memory = memory.map_err(|e| Trouble::new("map a stack", e))?;
        Ok(Self(memory.as_ptr().expose_provenance() as u64))
    }
}

/// What a child is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Works in our memory, while we stand still, until it executes a program. Its IPC namespace is new so that nothing in it
    /// outlives the run, its cgroup namespace hides the host's paths.
    Program,
    /// The same in a copy of our memory, for a child that goes on with our own code.
    Probe,
    /// The first process of process and mount namespaces of its own, in a copy of our memory.
    Reaper,
}

impl Kind {
    fn flags(self) -> libc::c_int {
        let hidden = libc::CLONE_NEWIPC | libc::CLONE_NEWCGROUP;
        match self {
            Self::Program => hidden | libc::CLONE_VM | libc::CLONE_VFORK,
            Self::Probe => hidden,
            Self::Reaper => libc::CLONE_NEWPID | libc::CLONE_NEWNS,
        }
    }
}

/// Starts a child in the group. It runs `entry`, which must not return.
pub(super) fn start<T>(
    stack: &Stack,
    kind: Kind,
    group: Option<BorrowedFd<'_>>,
    entry: extern "C" fn(&T) -> !,
    argument: &T,
) -> Result<Pid, Errno> {
    let mut arguments = libc::clone_args {
        flags: u64::from(kind.flags().unsigned_abs()),
        pidfd: 0,
        child_tid: 0,
        parent_tid: 0,
        exit_signal: u64::from(libc::SIGCHLD.unsigned_abs()),
        stack: stack.0,
        stack_size: STACK.get() as u64,
        tls: 0,
        set_tid: 0,
        set_tid_size: 0,
        cgroup: 0,
    };
    if let Some(group) = group {
        // Born in its group: moving there afterwards takes a lock that every fork on the machine waits for.
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = u64::from(group.as_raw_fd().unsigned_abs());
    }
    let pid = clone(&arguments, entry, argument);
    match i32::try_from(pid) {
        Ok(pid) if pid > 0 => Ok(Pid::from_raw(pid)),
        // The kernel's own word, without the C library's variable.
        Ok(errno) => Err(Errno::from_raw(-errno)),
        Err(_) => Err(Errno::EOVERFLOW),
    }
}

/// The call itself. The child cannot return through the frame of its parent, so it calls `entry` from here.
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "a child on another stack")]
fn clone<T>(
    arguments: &libc::clone_args,
    entry: extern "C" fn(&T) -> !,
    argument: &T,
) -> libc::c_long {
    let result;
    // SAFETY: the structure lives across the call, with its true size given. In the parent this is a system call, which changes
    // rax, rcx and r11 and nothing else of ours: a child in borrowed memory has a stack of its own, does not return, and has
    // ended or executed another program before the parent goes on. In the child the stack is fresh and aligned, and what
    // `entry` is given outlives it, since the parent waits or the memory is a copy.
    unsafe {
        std::arch::asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "xor ebp, ebp",
            "mov rdi, r12",
            "call r13",
            "ud2",
            "2:",
            in("r12") argument,
            in("r13") entry,
            inlateout("rax") libc::SYS_clone3 => result,
            in("rdi") arguments,
            in("rsi") size_of::<libc::clone_args>(),
            out("rcx") _,
            out("r11") _,
        );
    }
    result
}

/// The same for 64-bit Arm.
#[cfg(target_arch = "aarch64")]
#[expect(unsafe_code, reason = "a child on another stack")]
fn clone<T>(
    arguments: &libc::clone_args,
    entry: extern "C" fn(&T) -> !,
    argument: &T,
) -> libc::c_long {
    let result;
    // SAFETY: as above; here the call changes x0 alone.
    unsafe {
        std::arch::asm!(
            "svc 0",
            "cbnz x0, 2f",
            "mov x29, xzr",
            "mov x0, x20",
            "blr x21",
            "brk 1",
            "2:",
            in("x20") argument,
            in("x21") entry,
            in("x8") libc::SYS_clone3,
            inlateout("x0") arguments => result,
            in("x1") size_of::<libc::clone_args>(),
        );
    }
    result
}
