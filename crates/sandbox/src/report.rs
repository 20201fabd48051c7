//! What the sandbox found out about the machine and about itself, for `/internal/config`, logs and readiness.

use serde::Serialize;

/// Which cgroup hierarchies hold the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Backend {
    /// Everything in one delegated version 2 subtree.
    CgroupV2,
    /// Limits in version 1 (memory, pids), processor time in version 2.
    Hybrid,
    /// No cgroups: resource limits of the single process only. Never used unless asked for.
    None,
}

/// With which rights the slots were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Privilege {
    /// As root: programs run under a user id of their slot.
    Root,
    /// As a plain user inside user namespaces.
    UserNamespace,
}

/// What holds the slots, as found at the start.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Which cgroups hold the limits.
    pub backend: Backend,
    /// With which rights the slots were made.
    pub privilege: Privilege,
    /// Whether swap is counted into the memory limit.
    pub swap_accounting: bool,
    /// Number of slots.
    pub slots: usize,
    /// What the kernel offers and every slot uses.
    pub features: Features,
}

/// Kernel features in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Features {
    /// Version of Landlock's interface; zero when the kernel has none.
    pub landlock_abi: i32,
    /// Whether the system call filter is installed.
    pub seccomp: bool,
    /// Whether programs see a `/proc` of their own slot.
    pub private_proc: bool,
    /// Whether the peak of memory comes from the cgroup (else from the largest process).
    pub memory_peak: bool,
}
