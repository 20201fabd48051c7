//! What this program takes from its environment beside the flags of its subcommands, and what it hands to its companions.

use std::{env, os::unix::process::CommandExt, process::Command};

use anyhow::{Context, Result};

/// The C library's allocator reads these when a process starts. Without them it keeps for good what a burst needed, such as
/// the hashing of passwords: with all services in one process about 40 MB.
const ALLOCATOR: [(&str, &str); 3] = [
    ("MALLOC_ARENA_MAX", "2"),
    ("MALLOC_MMAP_THRESHOLD_", "131072"),
    ("MALLOC_TRIM_THRESHOLD_", "131072"),
];

/// Begins this process anew with the allocator told to give memory back, unless it was told before.
pub(crate) fn give_memory_back() -> Result<()> {
    if ALLOCATOR
        .iter()
        .all(|(name, _)| env::var_os(name).is_some())
    {
        return Ok(());
    }
    let program = env::current_exe().context("cannot find this program")?;
    let error = Command::new(program)
        .args(env::args_os().skip(1))
        .envs(ALLOCATOR)
        .exec();
    Err(error).context("cannot begin anew")
}

/// The variables of services that are started as processes of their own: ours, OpenTelemetry's, and those of the allocator.
pub(crate) fn for_companions() -> impl Iterator<Item = (String, String)> {
    let is_ours = |name: &str| name.starts_with("CODEMENTOR_") || name.starts_with("OTEL_");
    let ours = env::vars().filter(move |(name, _)| is_ours(name));
    let allocator = ALLOCATOR.map(|(name, value)| (name.to_owned(), value.to_owned()));
    ours.chain(allocator)
}
