//! One run, seen from the host: hand over, listen, watch the clock, judge what happened.
//!
//! ```text
//!  order ─▶ Started ─▶ ┌ pipes: keep up to the limit, else kill ┐ ─▶ Ended ─▶ drain ─▶ read counters ─▶ Outcome
//!                      ├ processor time: sleep until it can be  │
//!                      │ used up at the earliest, read, repeat  │
//!                      └ clock: kill at the limit               ┘
//! ```
//! A slot whose run did not come to its end (a dropped future, a lost init, a failed step) is never used again.

mod capture;

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::{Instant, sleep_until};

use crate::cgroup::Group;
use crate::error::{SandboxError, Step};
use crate::keeper::{Core, Job};
use crate::program::{
    Collect, CollectedFile, Content, LimitKind, Limits, Outcome, Program, Status, Stdin, Stdout,
    check_name,
};
use crate::report::Backend;
use crate::sandbox::{Inner, check_files};
use crate::wire::{
    Answer, CollectOrder, End, FileOrder, MAX_FDS, Order, Packet, Reply, Rlimits, RunOrder, Source,
    Task, is_sealed, receive, sealed_copy, sealed_file, send,
};
use capture::Capture;

/// An init that has not started the child by then, or not ended it so long after being told to, is lost.
const PATIENCE: Duration = Duration::from_secs(20);
/// Shortest pause between two looks at the processor time.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);

/// A place where one program at a time runs. Dropping it gives it back.
#[derive(Debug)]
pub struct Slot {
    inner: Arc<Inner>,
    core: Option<Core>,
    /// Set while a run is under way: a slot dropped like that is replaced.
    spoiled: bool,
}

impl Slot {
    pub(crate) fn new(inner: Arc<Inner>, core: Option<Core>) -> Self {
        Self {
            inner,
            core,
            spoiled: false,
        }
    }

    /// Runs a program to its end. An error is ours or the request's; everything a program does is an [`Outcome`].
    pub async fn run(&mut self, program: Program<'_>) -> Result<Outcome, SandboxError> {
        if program
            .argv
            .first()
            .is_none_or(|path| !path.starts_with('/'))
        {
            return Err(SandboxError::Invalid(
                "the program must be an absolute path",
            ));
        }
        let has_nul = |text: &String| text.contains('\0');
        if program.argv.iter().any(has_nul)
            || program
                .env
                .iter()
                .any(|(name, value)| has_nul(name) || has_nul(value) || name.contains('='))
        {
            return Err(SandboxError::Invalid(
                "arguments and variables must not hold NUL",
            ));
        }
        let task = Task::Execute {
            argv: program.argv.to_vec(),
            env: program.env.to_vec(),
        };
        self.run_task(task, &program).await
    }

    /// Runs a program or a probe.
    pub(crate) async fn run_task(
        &mut self,
        task: Task,
        program: &Program<'_>,
    ) -> Result<Outcome, SandboxError> {
        program.limits.check()?;
        check_files(program.files)?;
        if let Collect::Named(names) = program.collect {
            names.iter().try_for_each(|name| check_name(name))?;
        }
        let Some(core) = self.core.as_ref().filter(|_| !self.spoiled) else {
            return Err(SandboxError::Closed);
        };
        let group = Lease {
            group: Some(self.inner.group()?),
            inner: &self.inner,
        };
        let limits = program.limits;
        group
            .get()?
            .limit(limits.memory_bytes, limits.processes)
            .step("limit the cgroup")?;
        let socket = watch(&core.socket)?;
        let handed = hand_over(
            task,
            program,
            &core.socket,
            group.get()?,
            self.inner.groups.backend,
        );
        // From here on the init may be at work, unless the request itself was refused.
        self.spoiled = matches!(handed, Ok(_) | Err(SandboxError::Lost));
        let run = handed?;
        let outcome = run.listen(&socket, group.get()?, program).await;
        drop(socket);
        // After these the slot is as good as before: the init has cleaned up behind an answer of this kind.
        self.spoiled = !matches!(outcome, Ok(_) | Err(SandboxError::CannotExecute(_)));
        outcome
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let Some(core) = self.core.take() else { return };
        if self.spoiled {
            // The socket's end makes the init end; a keeper that is gone has ended it already.
            let _ = self.inner.jobs.send(Job::Replace(core.index));
        } else {
            self.inner.shelf.give(core);
        }
    }
}

/// A group that goes to the keeper for removal however the run ends.
struct Lease<'a> {
    group: Option<Group>,
    inner: &'a Inner,
}

impl Lease<'_> {
    fn get(&self) -> Result<&Group, SandboxError> {
        self.group.as_ref().ok_or(SandboxError::Closed)
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if let Some(group) = self.group.take() {
            // A keeper that is gone has removed all groups.
            let _ = self.inner.jobs.send(Job::Remove(group));
        }
    }
}

/// A run that has been handed to the init.
struct Run {
    stdout: Capture,
    stderr: Capture,
    results: Capture,
    parallel: u32,
}

/// Sends the order and every descriptor; our copies of the writing ends close here.
fn hand_over(
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
        stdin: stdin.is_some(),
        results: program.results_fd,
        groups: group.entrances.len(),
        rlimits: Rlimits {
            // Whole seconds, and behind the exact limit: only a backstop.
            cpu_seconds: limits.cpu.as_secs() + if degraded { 1 } else { 2 },
            file_bytes: limits.file_bytes,
            stack_bytes: limits.stack_bytes,
            data_bytes: degraded.then_some(limits.memory_bytes),
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
    let cpus = std::thread::available_parallelism()
        .map_or(1, |count| u32::try_from(count.get()).unwrap_or(u32::MAX));
    Ok(Run {
        stdout,
        stderr,
        results,
        parallel: cpus.min(limits.processes).max(1),
    })
}

/// Registers the slot's socket with the runtime of this run.
#[expect(
    unsafe_code,
    reason = "the runtime wants a promise about the descriptor"
)]
fn watch(socket: &Arc<OwnedFd>) -> Result<AsyncFd<Arc<OwnedFd>>, SandboxError> {
    // SAFETY: the shared owner keeps the descriptor open and the same for as long as the registration lives.
    let watched =
        unsafe { AsyncFd::register_with_interest(Arc::clone(socket), Interest::READABLE) };
    watched.step("watch the slot's socket")
}

/// A description of its own, so that parallel runs do not share an offset.
fn reopen(file: &File) -> io::Result<File> {
    File::open(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

impl Run {
    async fn listen(
        mut self,
        socket: &AsyncFd<Arc<OwnedFd>>,
        group: &Group,
        program: &Program<'_>,
    ) -> Result<Outcome, SandboxError> {
        let limits = &program.limits;
        match next_reply(socket, Instant::now() + PATIENCE).await?.0 {
            Reply::Started => {}
            Reply::Ended(answer) => return Err(fault(answer.end)),
        }
        let started = Instant::now();
        let wall_end = started + limits.wall;
        let mut look = started + limits.cpu / self.parallel;
        let mut lost_at = wall_end + PATIENCE;
        let mut killed_for = None;
        let (answer, fds) = loop {
            let reason = tokio::select! {
                reply = next_reply(socket, lost_at) => match reply? {
                    (Reply::Ended(answer), fds) => break (answer, fds),
                    (Reply::Started, _) => return Err(SandboxError::Lost),
                },
                read = self.stdout.fill() => { read.step("read standard output")?; self.stdout.over.then_some(LimitKind::Output) }
                read = self.stderr.fill() => { read.step("read standard error")?; None }
                read = self.results.fill() => { read.step("read results")?; self.results.over.then_some(LimitKind::Output) }
                () = sleep_until(wall_end), if killed_for.is_none() => Some(LimitKind::Wall),
                () = sleep_until(look), if killed_for.is_none() => {
                    let used = group.cpu().step("read processor time")?.unwrap_or_default();
                    let left = limits.cpu.saturating_sub(used);
                    look = Instant::now() + (left / self.parallel).max(SHORTEST_PAUSE);
                    left.is_zero().then_some(LimitKind::Cpu)
                }
            };
            if let Some(reason) = reason.filter(|_| killed_for.is_none()) {
                killed_for = Some(reason);
                lost_at = Instant::now() + PATIENCE;
                send(socket.as_raw_fd(), &Order::Kill, &[], &[]).map_err(|_| SandboxError::Lost)?;
            }
        };
        // Every writer is dead: what is left in the pipes is bounded, and the end of file is certain.
        self.stdout.drain().await.step("read standard output")?;
        self.stderr.drain().await.step("read standard error")?;
        self.results.drain().await.step("read results")?;
        self.conclude(answer, fds, killed_for, socket, group, program)
            .await
    }

    async fn conclude(
        self,
        answer: Answer,
        fds: Vec<OwnedFd>,
        mut killed_for: Option<LimitKind>,
        socket: &AsyncFd<Arc<OwnedFd>>,
        group: &Group,
        program: &Program<'_>,
    ) -> Result<Outcome, SandboxError> {
        let limits = &program.limits;
        if killed_for.is_none() && (self.stdout.over || self.results.over) {
            killed_for = Some(LimitKind::Output);
        }
        let ended = match &answer.end {
            End::Exited(code) => Status::Exited(*code),
            End::Signaled(signal) => Status::Signaled(*signal),
            End::NotExecuted(errno) if group.memory_kills().step("read memory events")? == 0 => {
                return Err(SandboxError::CannotExecute(io::Error::from_raw_os_error(
                    *errno,
                )));
            }
            End::NotExecuted(_) => Status::Exited(127),
            End::Fault(_) => return Err(fault(answer.end)),
        };
        let accounted = Duration::from_micros(answer.cpu_us);
        let wall = Duration::from_micros(answer.wall_us);
        let cpu = group
            .cpu()
            .step("read processor time")?
            .unwrap_or(accounted);
        let memory_bytes = group.memory_peak().unwrap_or(answer.largest_bytes);
        let facts = Facts {
            ended,
            killed_for,
            cpu,
            wall,
            memory_kills: group.memory_kills().step("read memory events")?,
            refused: group.refused_processes().step("read process events")?,
            too_large: answer.too_large,
        };
        let status = facts.judge(limits);
        let files = collect(answer, fds, socket, limits).await?;
        Ok(Outcome {
            status,
            cpu,
            wall,
            memory_bytes,
            stdout: self.stdout.kept,
            stderr_truncated: self.stderr.over,
            stderr: self.stderr.kept,
            results: self.results.kept,
            files,
        })
    }
}

/// What is known when a run has ended.
struct Facts {
    ended: Status,
    killed_for: Option<LimitKind>,
    cpu: Duration,
    wall: Duration,
    memory_kills: u64,
    refused: u64,
    too_large: bool,
}

impl Facts {
    /// The first limit that explains the end; else how the program ended by itself.
    fn judge(&self, limits: &Limits) -> Status {
        let failed = self.ended != Status::Exited(0);
        // A full group makes everything after it slow or strange, so it comes first.
        if self.memory_kills > 0 {
            return Status::LimitHit(LimitKind::Memory);
        }
        if let Some(reason) = self.killed_for {
            return Status::LimitHit(reason);
        }
        if self.cpu > limits.cpu || self.ended == Status::Signaled(libc::SIGXCPU) {
            return Status::LimitHit(LimitKind::Cpu);
        }
        if self.wall > limits.wall {
            return Status::LimitHit(LimitKind::Wall);
        }
        if self.ended == Status::Signaled(libc::SIGXFSZ) || self.too_large {
            return Status::LimitHit(LimitKind::FileSize);
        }
        if failed && self.refused > 0 {
            return Status::LimitHit(LimitKind::Processes);
        }
        self.ended
    }
}

fn fault(end: End) -> SandboxError {
    match end {
        End::Fault(fault) => SandboxError::Slot {
            step: fault.step,
            source: io::Error::from_raw_os_error(fault.errno),
        },
        _ => SandboxError::Lost,
    }
}

/// The init's next word, or [`SandboxError::Lost`] when it is gone or silent.
async fn next_reply(
    socket: &AsyncFd<Arc<OwnedFd>>,
    deadline: Instant,
) -> Result<(Reply, Vec<OwnedFd>), SandboxError> {
    let read = socket.async_io(Interest::READABLE, |fd| receive::<Reply>(fd.as_raw_fd()));
    match tokio::time::timeout_at(deadline, read).await {
        Ok(Ok(Some(Packet { message, fds, .. }))) => Ok((message, fds)),
        Ok(Ok(None) | Err(_)) | Err(_) => Err(SandboxError::Lost),
    }
}

/// Reads the collected files through their descriptors, checking sizes again.
async fn collect(
    mut answer: Answer,
    mut fds: Vec<OwnedFd>,
    socket: &AsyncFd<Arc<OwnedFd>>,
    limits: &Limits,
) -> Result<Vec<CollectedFile>, SandboxError> {
    let mut collected = Vec::new();
    let mut left = limits.collect_bytes;
    loop {
        if answer.files.len() != fds.len() {
            return Err(SandboxError::Lost);
        }
        for (file, fd) in answer.files.into_iter().zip(fds) {
            check_name(&file.name)?;
            left = left.checked_sub(file.size).ok_or(SandboxError::Lost)?;
            let size = usize::try_from(file.size).map_err(|_| SandboxError::Lost)?;
            let mut content = vec![0; size];
            File::from(fd)
                .read_exact_at(&mut content, 0)
                .step("read a collected file")?;
            collected.push(CollectedFile {
                name: file.name,
                executable: file.executable,
                content,
            });
        }
        if !answer.more {
            return Ok(collected);
        }
        match next_reply(socket, Instant::now() + PATIENCE).await? {
            (Reply::Ended(next), next_fds) => (answer, fds) = (next, next_fds),
            (Reply::Started, _) => return Err(SandboxError::Lost),
        }
    }
}
