//! What a caller asks for and gets back: one program, its limits, its outcome.
//!
//! Plain data. Everything a limit means is said here once, so that the runner and the sandbox cannot disagree about it.
//! Nothing here starts a process or touches a file.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::artefact::Artefact;
use crate::error::SandboxError;

/// One program to run in a slot.
#[derive(Debug, Clone, Copy)]
pub struct Program<'a> {
    /// Program and arguments; `argv[0]` is an absolute path inside the sandbox.
    pub argv: &'a [String],
    /// The whole environment. Nothing is inherited from the service.
    pub env: &'a [(String, String)],
    /// Files written into `/box`, the program's working directory, before it starts.
    pub files: &'a [InputFile<'a>],
    /// A prepared tree, read-only at `/app`: what many runs share without being copied for each of them.
    pub artefact: Option<&'a Artefact>,
    /// Standard input.
    pub stdin: Stdin<'a>,
    /// Where standard output goes.
    pub stdout: Stdout<'a>,
    /// What the run may use at most.
    pub limits: Limits,
    /// Which files of `/box` come back.
    pub collect: Collect<'a>,
    /// How wide the cage is.
    pub profile: Profile,
    /// Whether it gets namespaces for processes and mounts of its own instead of the slot's, for a third of a millisecond more.
    /// Compilers always do.
    pub strict: bool,
    /// Whether the program gets a pipe on descriptor 3, captured apart from standard output.
    pub results_fd: bool,
    /// Memory that the program takes for later and hardly ever touches, such as stacks of threads. The kernel's groups count only
    /// what was touched; the limits of single processes, where there are no groups, count this, and are so much wider.
    pub reserved_bytes: u64,
}

impl<'a> Program<'a> {
    /// A learner's program with no input, no files and nothing to collect; change what differs.
    pub fn new(argv: &'a [String], limits: Limits) -> Self {
        Self {
            argv,
            env: &[],
            files: &[],
            artefact: None,
            stdin: Stdin::Empty,
            stdout: Stdout::Capture,
            limits,
            collect: Collect::Nothing,
            profile: Profile::Run,
            strict: false,
            results_fd: false,
            reserved_bytes: 0,
        }
    }
}

/// One file given to a program, or to an [`Artefact`].
#[derive(Debug, Clone, Copy)]
pub struct InputFile<'a> {
    /// Relative path, `/` between parts; no empty, `.` or `..` part.
    pub name: &'a str,
    /// Permission bits; only the execute bits matter, everything is readable.
    pub mode: u32,
    /// What the file holds.
    pub content: Content<'a>,
}

/// Where a file's bytes come from.
#[derive(Debug, Clone, Copy)]
pub enum Content<'a> {
    /// Bytes in memory.
    Bytes(&'a [u8]),
    /// An open regular file of the host, read from its beginning.
    File(&'a File),
}

/// Standard input of a program. `/dev/stdin` can be opened again.
#[derive(Debug, Clone, Copy)]
pub enum Stdin<'a> {
    /// Bytes in memory.
    Bytes(&'a [u8]),
    /// An open file. One made by [`crate::sealed_file`] is handed over as it is, any other is copied first.
    File(&'a File),
    /// The reading end of a [`pipe()`], usually to a program in another slot. The only kind that is not seekable.
    Pipe(&'a PipeEnd),
    /// End of file at once.
    Empty,
}

/// Standard output of a program.
#[derive(Debug, Clone, Copy)]
pub enum Stdout<'a> {
    /// Into [`Outcome::stdout`], up to `output_bytes`.
    Capture,
    /// Into the writing end of a [`pipe()`]; not limited, and not seen by us.
    Pipe(&'a PipeEnd),
}

/// One end of a pipe between two programs. The first run that names it takes it, so that the other side sees the end of
/// file when that program ends.
#[derive(Debug)]
pub struct PipeEnd(Mutex<Option<OwnedFd>>);

/// A pipe between two programs: the reading and the writing end.
pub fn pipe() -> io::Result<(PipeEnd, PipeEnd)> {
    let (read, write) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)?;
    Ok((
        PipeEnd(Mutex::new(Some(read))),
        PipeEnd(Mutex::new(Some(write))),
    ))
}

impl PipeEnd {
    /// The same end once more: whoever holds it, too, keeps it open.
    pub(crate) fn again(&self) -> io::Result<OwnedFd> {
        let end = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = || io::Error::other("this end of the pipe was given to a run before");
        end.as_ref().ok_or_else(taken)?.try_clone()
    }

    pub(crate) fn take(&self) -> Result<OwnedFd, SandboxError> {
        let mut end = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        end.take().ok_or(SandboxError::Invalid(
            "this end of the pipe was given to another run",
        ))
    }
}

/// Which files of `/box` come back in [`Outcome::files`]. Links, devices and pipes never do.
#[derive(Debug, Clone, Copy)]
pub enum Collect<'a> {
    /// None.
    Nothing,
    /// These relative names; one that is missing or no regular file is left out.
    Named(&'a [&'a str]),
    /// Every regular file, the inputs included.
    All,
}

/// How wide the cage is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Profile {
    /// A compiler: `/box` and `/tmp` are writable and as large as the memory limit allows.
    Compile,
    /// A learner's program: `/box` is read-only, `/tmp` is private and small.
    Run,
}

/// What a run may use at most. Every value must be positive: zero never means "no limit".
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Processor time of all processes together.
    pub cpu: Duration,
    /// Time on the clock.
    pub wall: Duration,
    /// Memory of all processes, their temporary files included. There is no swap.
    pub memory_bytes: u64,
    /// Processes and threads at the same time.
    pub processes: u32,
    /// Standard output, and the results pipe; more ends the run.
    pub output_bytes: u64,
    /// Standard error kept; more is read and thrown away.
    pub stderr_bytes: u64,
    /// Size of any one file written.
    pub file_bytes: u64,
    /// Stack of the first thread; `None` for as much as the host allows.
    pub stack_bytes: Option<u64>,
    /// All collected files together; more is [`LimitKind::FileSize`].
    pub collect_bytes: u64,
}

impl Limits {
    /// Refuses limits that would mean "none" or that no machine can hold.
    pub(crate) fn check(&self) -> Result<(), SandboxError> {
        let day = Duration::from_hours(24);
        if self.cpu.is_zero() || self.wall.is_zero() || self.cpu > day || self.wall > day {
            return Err(SandboxError::Invalid(
                "time limits must lie between zero and a day",
            ));
        }
        if self.memory_bytes < 1 << 20 || self.memory_bytes > 1 << 46 {
            return Err(SandboxError::Invalid(
                "memory limit must be at least a mebibyte",
            ));
        }
        if self.processes == 0 || self.file_bytes == 0 || self.stack_bytes == Some(0) {
            return Err(SandboxError::Invalid("limits must be positive"));
        }
        Ok(())
    }
}

/// What became of a run.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// How it ended.
    pub status: Status,
    /// Processor time of all its processes.
    pub cpu: Duration,
    /// Time on the clock from start to end of the first process.
    pub wall: Duration,
    /// Peak memory of all its processes and temporary files.
    pub memory_bytes: u64,
    /// Standard output, at most `output_bytes`.
    pub stdout: Vec<u8>,
    /// Standard error, at most `stderr_bytes`.
    pub stderr: Vec<u8>,
    /// Whether standard error was longer than what was kept.
    pub stderr_truncated: bool,
    /// What came through descriptor 3, at most `output_bytes`.
    pub results: Vec<u8>,
    /// Collected files, by name.
    pub files: Vec<CollectedFile>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// By itself, with this code.
    Exited(i32),
    /// By this signal, sent by nobody of ours.
    Signaled(i32),
    /// A limit ended it, or was found exceeded afterwards.
    LimitHit(LimitKind),
}

/// Which limit was hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LimitKind {
    /// Processor time.
    Cpu,
    /// Time on the clock.
    Wall,
    /// Memory: the kernel killed at least one of the processes for it.
    Memory,
    /// Standard output or the results pipe.
    Output,
    /// It failed after a process or thread was refused.
    Processes,
    /// A file grew too large, or the collected files did.
    FileSize,
}

/// A regular file that the program left in `/box`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectedFile {
    /// Relative to `/box`.
    pub name: String,
    /// Whether its owner may execute it.
    pub executable: bool,
    /// Its bytes.
    pub content: Vec<u8>,
}

/// Checks a relative file name: no empty, `.` or `..` part, no NUL, at most 16 parts and 1024 bytes.
pub(crate) fn check_name(name: &str) -> Result<(), SandboxError> {
    let parts_are_plain = name
        .split('/')
        .all(|part| !part.is_empty() && part != "." && part != ".." && part.len() <= 255);
    if parts_are_plain
        && name.len() <= 1024
        && name.split('/').count() <= 16
        && !name.contains('\0')
    {
        Ok(())
    } else {
        Err(SandboxError::Invalid(
            "a file name must be relative and plain",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_names_that_leave_the_box() {
        for bad in [
            "",
            "/etc/passwd",
            "../x",
            "a/../b",
            "a//b",
            "./a",
            "a/",
            "a\0b",
            &"x/".repeat(20),
            &"y".repeat(300),
        ] {
            assert!(check_name(bad).is_err(), "{bad:?} was accepted");
        }
        for good in [
            "Main.java",
            "a/b/c.txt",
            ".hidden",
            "..x",
            "공백 있는 이름.py",
        ] {
            assert!(check_name(good).is_ok(), "{good:?} was refused");
        }
    }

    #[test]
    fn refuses_limits_that_would_mean_none() {
        let good = Limits {
            cpu: Duration::from_secs(1),
            wall: Duration::from_secs(2),
            memory_bytes: 64 << 20,
            processes: 4,
            output_bytes: 1,
            stderr_bytes: 0,
            file_bytes: 1,
            stack_bytes: None,
            collect_bytes: 0,
        };
        assert!(good.check().is_ok());
        assert!(
            Limits {
                cpu: Duration::ZERO,
                ..good
            }
            .check()
            .is_err()
        );
        assert!(
            Limits {
                wall: Duration::ZERO,
                ..good
            }
            .check()
            .is_err()
        );
        assert!(
            Limits {
                memory_bytes: 0,
                ..good
            }
            .check()
            .is_err()
        );
        assert!(
            Limits {
                processes: 0,
                ..good
            }
            .check()
            .is_err()
        );
        assert!(
            Limits {
                stack_bytes: Some(0),
                ..good
            }
            .check()
            .is_err()
        );
    }
}
