//! The system call filters: a deny-list, because an allow-list breaks a runtime with every release of it.
//!
//! The base filter is installed once in the init and inherited by every program, which costs a run nothing. What the
//! init itself needs for a run (mounts, new IPC namespaces) is denied by a second filter installed in the program's process
//! alone: short, as the kernel compiles it each time. Programs have no capabilities, so most of what is listed would fail
//! anyway: this is the second lock.

use std::collections::BTreeMap;

use nix::errno::Errno;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, sock_filter,
};

use super::system::Trouble;

/// Calls refused to everything below the init, with `EPERM`.
const REFUSED: &[libc::c_long] = &[
    // Channels between runs: key rings belong to a user id, not to a namespace.
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    // Kernel interfaces with a long list of bugs and no use in a judged program.
    libc::SYS_bpf,
    libc::SYS_userfaultfd,
    libc::SYS_perf_event_open,
    libc::SYS_fanotify_init,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_lookup_dcookie,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_move_pages,
    libc::SYS_migrate_pages,
    // Looking into other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_process_mrelease,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    // Namespaces, and through them capabilities over a private kernel surface.
    libc::SYS_setns,
    libc::SYS_unshare,
    // The machine itself.
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_syslog,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_vhangup,
    // Flushing the host's disks from inside a run.
    libc::SYS_sync,
    libc::SYS_syncfs,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_modify_ldt,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_uselib,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ustat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_sysfs,
];

/// Calls that pretend not to exist: event loops fall back to `epoll`, and what the init needed to build the slot is behind it.
const ABSENT: &[libc::c_long] = &[
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_fsmount,
    libc::SYS_mount_setattr,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
];

/// Calls that the init needs for every run and a program does not; they pretend not to exist, so that the C library falls back from
/// `clone3`, whose flags a filter cannot see, to `clone`.
const ABSENT_TO_PROGRAMS: &[libc::c_long] = &[libc::SYS_clone3, libc::SYS_mount, libc::SYS_umount2];

/// Bit that marks a call of the x32 interface, which reaches the same code under other numbers.
#[cfg(target_arch = "x86_64")]
const X32: u32 = 0x4000_0000;

/// Compiled filters, installed together.
pub(crate) struct Filter(Vec<BpfProgram>);

/// The filter of the whole slot.
pub(crate) fn base() -> Result<Filter, Trouble> {
    let mut refused = plain(REFUSED);
    refused.insert(libc::SYS_clone, vec![namespace_flag(libc::CLONE_NEWUSER)?]);
    refused.insert(libc::SYS_socket, vec![foreign_family()?]);
    refused.insert(libc::SYS_fcntl, leases()?);
    Ok(Filter(vec![
        compile(refused, Errno::EPERM)?,
        compile(plain(ABSENT), Errno::ENOSYS)?,
    ]))
}

/// The filter of a program, above that of the slot.
pub(crate) fn program() -> Result<Filter, Trouble> {
    let mut absent = plain(ABSENT_TO_PROGRAMS);
    let flags = [
        libc::CLONE_NEWIPC,
        libc::CLONE_NEWNS,
        libc::CLONE_NEWPID,
        libc::CLONE_NEWNET,
        libc::CLONE_NEWUTS,
        libc::CLONE_NEWCGROUP,
    ];
    absent.insert(
        libc::SYS_clone,
        flags
            .into_iter()
            .map(namespace_flag)
            .collect::<Result<_, _>>()?,
    );
    Ok(Filter(vec![compile(absent, Errno::ENOSYS)?]))
}

fn plain(calls: &[libc::c_long]) -> BTreeMap<i64, Vec<SeccompRule>> {
    calls.iter().map(|call| (*call, Vec::new())).collect()
}

/// `clone` with this flag set.
fn namespace_flag(flag: libc::c_int) -> Result<SeccompRule, Trouble> {
    let mask = u64::from(flag.unsigned_abs());
    rule(vec![condition(0, SeccompCmpOp::MaskedEq(mask), mask)?])
}

/// `socket` of anything but local, IPv4 and IPv6: the latter two find no network, but runtimes probe for them.
fn foreign_family() -> Result<SeccompRule, Trouble> {
    let known = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6];
    rule(
        known
            .into_iter()
            .map(|family| condition(0, SeccompCmpOp::Ne, u64::from(family.unsigned_abs())))
            .collect::<Result<_, _>>()?,
    )
}

/// `fcntl` that takes a lease or delegation of a file: whoever executes it elsewhere would wait for its holder.
fn leases() -> Result<Vec<SeccompRule>, Trouble> {
    // From include/uapi/linux/fcntl.h; the `libc` crate lacks the newer one.
    const F_SETDELEG: libc::c_int = 1024 + 16;
    [libc::F_SETLEASE, F_SETDELEG]
        .into_iter()
        .map(|command| {
            let number = u64::from(command.unsigned_abs());
            rule(vec![condition(1, SeccompCmpOp::Eq, number)?])
        })
        .collect()
}

fn condition(
    argument: u8,
    operator: SeccompCmpOp,
    value: u64,
) -> Result<SeccompCondition, Trouble> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)
        .map_err(|_| Trouble::new("seccomp condition", Errno::EINVAL))
}

fn rule(conditions: Vec<SeccompCondition>) -> Result<SeccompRule, Trouble> {
    SeccompRule::new(conditions).map_err(|_| Trouble::new("seccomp rule", Errno::EINVAL))
}

/// Compiles one deny-list. A foreign architecture, and x32, kill the process: they would go round the numbers.
fn compile(rules: BTreeMap<i64, Vec<SeccompRule>>, errno: Errno) -> Result<BpfProgram, Trouble> {
    let architecture = std::env::consts::ARCH
        .try_into()
        .map_err(|_| Trouble::new("seccomp architecture", Errno::ENOTSUP))?;
    let filter = SeccompFilter::new(
        rules,
        SeccompAction::Allow,
        SeccompAction::Errno(errno as u32),
        architecture,
    )
    .map_err(|_| Trouble::new("seccomp filter", Errno::EINVAL))?;
    let compiled: BpfProgram = filter
        .try_into()
        .map_err(|_| Trouble::new("seccomp filter", Errno::EINVAL))?;
    Ok(with_x32_refused(compiled))
}

#[cfg(target_arch = "x86_64")]
fn with_x32_refused(compiled: BpfProgram) -> BpfProgram {
    let instruction = |code: u32, jt, jf, k| sock_filter {
        code: u16::try_from(code).unwrap_or(0),
        jt,
        jf,
        k,
    };
    let mut program = vec![
        instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        instruction(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, 0, 1, X32),
        instruction(
            libc::BPF_RET | libc::BPF_K,
            0,
            0,
            libc::SECCOMP_RET_KILL_PROCESS,
        ),
    ];
    program.extend(compiled);
    program
}

#[cfg(not(target_arch = "x86_64"))]
fn with_x32_refused(compiled: BpfProgram) -> BpfProgram {
    compiled
}

impl Filter {
    /// Installs it on this process for good; takes no memory. `no_new_privs` must be set.
    #[expect(unsafe_code, reason = "seccomp(2) has no wrapper that takes flags")]
    pub(crate) fn install(&self) -> nix::Result<()> {
        for program in &self.0 {
            let length = u16::try_from(program.len()).map_err(|_| Errno::E2BIG)?;
            let header = libc::sock_fprog {
                len: length,
                filter: program.as_ptr().cast_mut().cast(),
            };
            // SAFETY: the header points at `length` instructions of the kernel's layout, which outlive the call; the
            // kernel copies them and writes nothing.
            let result = unsafe {
                libc::syscall(
                    libc::SYS_seccomp,
                    libc::SECCOMP_SET_MODE_FILTER,
                    // Without this flag older kernels would slow the program down against speculation attacks on
                    // itself.
                    libc::SECCOMP_FILTER_FLAG_SPEC_ALLOW,
                    &raw const header,
                )
            };
            Errno::result(result)?;
        }
        Ok(())
    }
}
