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
mod facts;
mod order;

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use crate::cgroup::Group;
use crate::error::{SandboxError, Step};
use crate::keeper::{Core, Job};
use crate::program::{
    Collect, CollectedFile, LimitKind, Limits, Outcome, Program, Status, check_name,
};
use crate::sandbox::{Inner, check_files};
use crate::wire::{Answer, End, Order, Packet, Reply, Task, receive, send};
use capture::Capture;
use facts::Facts;
use order::hand_over;

/// An init that has not started the child by then, or not ended it so long after being told to, is lost.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long the last bytes of the dead may take before the kernel is reminded of them.
const NUDGE: Duration = Duration::from_millis(10);
/// The kernel counts memory in these.
const PAGE: u64 = 4 << 10;
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

    /// Whether the init is gone, or says something it was not asked: such a slot must not be lent.
    pub(crate) fn is_broken(&self) -> bool {
        self.core.as_ref().is_some_and(|core| {
            let mut watched = [PollFd::new(core.socket.as_fd(), PollFlags::POLLIN)];
            poll(&mut watched, PollTimeout::ZERO) != Ok(0)
        })
    }

    /// Marks the slot for replacement.
    pub(crate) fn discard(mut self) {
        self.spoiled = true;
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
        self.drain().await?;
        self.conclude(answer, fds, killed_for, socket, group, program)
            .await
    }

    /// Reads the rest. Every writer is dead, so the end of file comes; at the latest when the kernel has collected descriptors
    /// that were under way in sockets of the dead.
    async fn drain(&mut self) -> Result<(), SandboxError> {
        let give_up = Instant::now() + PATIENCE;
        let mut rest = pin!(async {
            self.stdout.drain().await.step("read standard output")?;
            self.stderr.drain().await.step("read standard error")?;
            self.results.drain().await.step("read results")
        });
        loop {
            match timeout(NUDGE, &mut rest).await {
                Ok(read) => return read,
                Err(_) if Instant::now() > give_up => return Err(SandboxError::Lost),
                // Before Linux 6.10 it collects only when somebody closes a socket.
                Err(_) => drop(UnixStream::pair().step("nudge the kernel")?),
            }
        }
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
        let mut memory_kills = group.memory_kills().step("read memory events")?;
        let ended = match &answer.end {
            End::Exited(code) => Status::Exited(*code),
            End::Signaled(signal) => Status::Signaled(*signal),
            End::NotExecuted(errno) => {
                // Memory that runs out inside `execve` looks like this; no process is killed for it then.
                let was_full = group
                    .memory_peak()
                    .is_ok_and(|peak| peak + PAGE > limits.memory_bytes);
                if was_full && matches!(*errno, libc::E2BIG | libc::ENOMEM) {
                    memory_kills = memory_kills.max(1);
                }
                if memory_kills == 0 {
                    let error = io::Error::from_raw_os_error(*errno);
                    return Err(SandboxError::CannotExecute(error));
                }
                Status::Exited(127)
            }
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
            memory_kills,
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
    match timeout_at(deadline, read).await {
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
