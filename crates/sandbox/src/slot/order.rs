//! Handing a run to the init: descriptors gathered, the order written, our copies closed.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::LazyLock;

use super::Run;
use super::capture::Capture;
use crate::cgroup::Group;
use crate::error::{SandboxError, Step};
use crate::program::{Collect, Content, Profile, Program, Stdin, Stdout};
use crate::report::Backend;
use crate::sealed::{is_sealed, sealed_copy, sealed_file};
use crate::wire::{CollectOrder, FileOrder, MAX_FDS, Order, Rlimits, RunOrder, Source, Task, send};

/// How many threads can run at once. Asked once: the answer costs a walk through all mounts.
static PROCESSORS: LazyLock<u32> = LazyLock::new(|| {
    std::thread::available_parallelism()
        .map_or(1, |count| u32::try_from(count.get()).unwrap_or(u32::MAX))
});

/// Sends the order and every descriptor; our copies of the writing ends close here.
pub(super) fn hand_over(
    task: Task,
    program: &Program<'_>,
    socket: &OwnedFd,
    group: &Group,
    backend: Backend,
) -> Result<Run, SandboxError> {
    let limits = &program.limits;
    let stdin = match program.stdin {
        Stdin::Empty => None,
        Stdin::Pipe(end) => Some(File::from(end.take()?)),
        Stdin::Bytes(bytes) => Some(sealed_file(bytes).step("prepare standard input")?),
        Stdin::File(file) if is_sealed(file) => Some(reopen(file).step("prepare standard input")?),
        Stdin::File(file) => Some(sealed_copy(file).step("prepare standard input")?),
    };
    let (stdout, out_end) = match program.stdout {
        Stdout::Capture => Capture::new(limits.output_bytes).step("make a pipe")?,
        Stdout::Pipe(end) => (Capture::closed(), end.take()?),
    };
    let (stderr, err_end) = Capture::new(limits.stderr_bytes).step("make a pipe")?;
    let (results, results_end) = if program.results_fd {
        let (capture, end) = Capture::new(limits.output_bytes).step("make a pipe")?;
        (capture, Some(end))
    } else {
        (Capture::closed(), None)
    };
    let mut fds: Vec<RawFd> = stdin.iter().map(AsRawFd::as_raw_fd).collect();
    fds.extend([out_end.as_raw_fd(), err_end.as_raw_fd()]);
    fds.extend(results_end.iter().map(AsRawFd::as_raw_fd));
    fds.extend(group.entrances.iter().map(AsRawFd::as_raw_fd));
    let mut tail = Vec::new();
    let mut files = Vec::new();
    let mut input_bytes = 0;
    for file in program.files {
        let source = match file.content {
            Content::Bytes(bytes) => {
                tail.push(bytes);
                input_bytes += bytes.len() as u64;
                Source::Inline(bytes.len())
            }
            Content::File(open) => {
                fds.push(open.as_raw_fd());
                input_bytes += open.metadata().step("look at a file")?.len();
                Source::Descriptor
            }
        };
        files.push(FileOrder {
            name: file.name.to_owned(),
            mode: file.mode,
            source,
        });
    }
    if fds.len() > MAX_FDS {
        return Err(SandboxError::Invalid("too many open files in one request"));
    }
    let degraded = backend == Backend::None;
    let order = RunOrder {
        task,
        files,
        artefact: program.artefact.map(|artefact| artefact.name().to_owned()),
        profile: program.profile,
        strict: program.strict || program.profile == Profile::Compile,
        stdin: stdin.is_some(),
        results: program.results_fd,
        groups: group.entrances.len(),
        rlimits: Rlimits {
            // Whole seconds, and behind the exact limit: only a backstop.
            cpu_seconds: limits.cpu.as_secs() + if degraded { 1 } else { 2 },
            file_bytes: limits.file_bytes,
            stack_bytes: limits.stack_bytes,
            data_bytes: degraded
                .then_some(limits.memory_bytes.saturating_add(program.reserved_bytes)),
            processes: degraded.then_some(limits.processes),
        },
        collect: match program.collect {
            Collect::Nothing => CollectOrder::Nothing,
            Collect::Named(names) => {
                CollectOrder::Named(names.iter().map(|name| (*name).to_owned()).collect())
            }
            Collect::All => CollectOrder::All,
        },
        collect_bytes: limits.collect_bytes,
        scratch_bytes: limits.memory_bytes.saturating_add(input_bytes),
    };
    send(
        socket.as_raw_fd(),
        &Order::Run(Box::new(order)),
        &tail,
        &fds,
    )
    .map_err(|_| SandboxError::Lost)?;
    Ok(Run {
        stdout,
        stderr,
        results,
        parallel: PROCESSORS.min(limits.processes).max(1),
    })
}

/// A description of its own, so that parallel runs do not share an offset.
fn reopen(file: &File) -> io::Result<File> {
    File::open(format!("/proc/self/fd/{}", file.as_raw_fd()))
}
