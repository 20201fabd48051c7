//! The small process at the bottom of a slot: pid 1 of its namespaces, single-threaded, the parent of every program.
//!
//! The service executes its own binary again as this init (see [`init_if_requested`]). It builds the slot's tree once,
//! then takes one order after the other: clean mounts, files, one confined child, wait, kill what is left, collect,
//! answer, take away what was used. Anything unexpected ends it, and with it every process of the slot; the host makes a
//! new one. It never opens a path that a program could have changed without `openat2` holding it beneath `/box`.

mod child;
mod collect;
mod landlock;
mod mounts;
mod probe;
mod run_tree;
mod seccomp;
mod shared;
mod start;
mod system;
mod traces;

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::path::Path;
use std::time::Instant;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::Pid;

use crate::wire::{
    Answer, CollectOrder, End, Fault, Order, Packet, Ready, Reply, RunOrder, Setup, receive, send,
};

pub(crate) use system::Trouble;

/// The hidden first argument that turns the binary into an init.
pub(crate) const ARGUMENT: &str = "__sandbox-init";
/// Where the init finds its socket.
pub(crate) const SOCKET: RawFd = 3;

/// Becomes the slot's init when this process was started as one; returns at once otherwise.
///
/// Call it first in `main`, before threads exist.
pub fn init_if_requested() {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == ARGUMENT) {
        let code = match serve() {
            Ok(()) => 0,
            Err(trouble) => {
                eprintln!("sandbox init ends: {trouble}");
                1
            }
        };
        std::process::exit(code);
    }
}

/// Builds the slot and serves it until the host closes the socket.
fn serve() -> Result<(), Trouble> {
    if std::process::id() != 1 {
        return Err(Trouble::new("start", Errno::EINVAL));
    }
    system::prepare_self()?;
    let socket = take_socket();
    let Some(Packet { message: setup, .. }) =
        receive::<Setup>(SOCKET).map_err(|e| Trouble::io("receive setup", e))?
    else {
        return Ok(());
    };
    let mut slot = match Slot::build(setup, socket) {
        Ok(slot) => slot,
        Err(trouble) => {
            let fault = Fault {
                step: trouble.step.clone(),
                errno: trouble.errno as i32,
            };
            send(SOCKET, &Ready::Failed(fault), &[], &[]).map_err(|e| Trouble::io("report", e))?;
            return Err(trouble);
        }
    };
    let ready = Ready::Up {
        landlock_abi: slot.landlock_abi,
        private_proc: slot.private_proc,
    };
    send(SOCKET, &ready, &[], &[]).map_err(|e| Trouble::io("report", e))?;
    while let Some(packet) =
        receive::<Order>(SOCKET).map_err(|e| Trouble::io("receive order", e))?
    {
        // A kill that arrives here was meant for a run that had already ended.
        if let Order::Run(order) = packet.message {
            slot.run(&order, &packet.tail, packet.fds)?;
        }
    }
    Ok(())
}

#[expect(
    unsafe_code,
    reason = "the socket arrives as a descriptor number across execve"
)]
fn take_socket() -> OwnedFd {
    // SAFETY: the host placed our end of the socket at this number before execve, and closed everything above it.
    unsafe { OwnedFd::from_raw_fd(SOCKET) }
}

/// What lives as long as the slot.
struct Slot {
    socket: OwnedFd,
    children: SignalFd,
    setup: Setup,
    landlock_abi: i32,
    private_proc: bool,
    tree: run_tree::RunTree,
    /// What every program is confined with.
    filter: seccomp::Filter,
    room: child::Room,
}

impl Slot {
    fn build(setup: Setup, socket: OwnedFd) -> Result<Self, Trouble> {
        let private_proc = mounts::build(&setup)?;
        let mask = SigSet::from(Signal::SIGCHLD);
        mask.thread_block()
            .map_err(|e| Trouble::new("block signals", e))?;
        let children = SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
            .map_err(|e| Trouble::new("signalfd", e))?;
        system::drop_bounding_set()?;
        let base = seccomp::base()?.install();
        base.map_err(|e| Trouble::new("install seccomp", e))?;
        Ok(Self {
            socket,
            children,
            setup,
            landlock_abi: landlock::abi(),
            private_proc,
            tree: run_tree::RunTree::new()?,
            filter: seccomp::program()?,
            room: child::Room::new()?,
        })
    }

    /// One order from start to the answer; an error here means the slot cannot be trusted any more.
    fn run(&mut self, order: &RunOrder, tail: &[u8], fds: Vec<OwnedFd>) -> Result<(), Trouble> {
        let answer = match self.start_and_wait(order, tail, fds) {
            Ok(answer) => answer,
            Err(trouble) => {
                let fault = Fault {
                    step: trouble.step.clone(),
                    errno: trouble.errno as i32,
                };
                self.answer(Answer::of(End::Fault(fault)), &[])?;
                return Err(trouble);
            }
        };
        self.answer_with_files(answer, order)?;
        self.tree.clean()
    }

    fn start_and_wait(
        &mut self,
        order: &RunOrder,
        tail: &[u8],
        fds: Vec<OwnedFd>,
    ) -> Result<Answer, Trouble> {
        let mut fds = fds.into_iter();
        let mut next = || fds.next().ok_or(Trouble::new("descriptors", Errno::EBADF));
        let stdin = if order.stdin {
            next()?
        } else {
            File::open("/dev/null")
                .map_err(|e| Trouble::io("open null", e))?
                .into()
        };
        let (stdout, stderr) = (next()?, next()?);
        let results = if order.results { Some(next()?) } else { None };
        let mut groups = (0..order.groups)
            .map(|_| next())
            .collect::<Result<Vec<_>, _>>()?;
        self.tree.put_up(order, &self.setup)?;
        run_tree::write_files(order, tail, &mut next, &self.setup)?;
        self.tree.seal(order)?;
        for pipe in [Some(&stdout), Some(&stderr), results.as_ref()]
            .into_iter()
            .flatten()
        {
            // So that a program may open /dev/stdout.
            nix::unistd::fchown(
                pipe,
                Some(self.setup.uid.into()),
                Some(self.setup.uid.into()),
            )
            .map_err(|e| Trouble::new("own pipe", e))?;
        }
        let ends = child::Ends {
            stdin,
            stdout,
            stderr,
            results,
            unified: groups.pop(),
            tasks: groups,
        };
        let cage = child::Cage {
            uid: self.setup.uid,
            user_namespace: self.setup.user_namespace,
            filter: &self.filter,
        };
        let started = Instant::now();
        let place = self.tree.place(order)?;
        let first = child::run(&self.room, order, &ends, cage, place)?;
        // The writing ends of the pipes are the program's alone.
        drop(ends);
        // A change of identity in our memory has set this to what the host says.
        system::hide()?;
        send(self.socket.as_raw_fd(), &Reply::Started, &[], &[])
            .map_err(|e| Trouble::io("tell the start", e))?;
        let waited = self.wait(first)?;
        let wall_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        system::end_all_children()?;
        let (end, usage) = match self.room.said() {
            Some((end, usage)) => (end, usage.unwrap_or(waited.1)),
            None => waited,
        };
        Ok(Answer {
            wall_us,
            cpu_us: usage.cpu_us,
            largest_bytes: usage.largest_bytes,
            ..Answer::of(end)
        })
    }

    /// Waits for the first process while listening to the host. The host's end is the end of everything.
    fn wait(&mut self, first: Pid) -> Result<(End, system::Usage), Trouble> {
        loop {
            let mut watched = [
                PollFd::new(self.socket.as_fd(), PollFlags::POLLIN),
                PollFd::new(self.children.as_fd(), PollFlags::POLLIN),
            ];
            match poll(&mut watched, PollTimeout::NONE) {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(errno) => return Err(Trouble::new("poll", errno)),
            }
            let host_speaks = watched[0]
                .revents()
                .is_some_and(|events| !events.is_empty());
            while self
                .children
                .read_signal()
                .map_err(|e| Trouble::new("read signal", e))?
                .is_some()
            {}
            if let Some(ended) = system::reap(first)? {
                return Ok(ended);
            }
            if host_speaks {
                match receive::<Order>(self.socket.as_raw_fd())
                    .map_err(|e| Trouble::io("receive order", e))?
                {
                    Some(Packet {
                        message: Order::Kill,
                        ..
                    }) => match kill(Pid::from_raw(-1), Signal::SIGKILL) {
                        Ok(()) | Err(Errno::ESRCH) => {}
                        Err(errno) => return Err(Trouble::new("kill", errno)),
                    },
                    Some(_) => return Err(Trouble::new("order out of turn", Errno::EPROTO)),
                    None => std::process::exit(0),
                }
            }
        }
    }

    /// Sends the answer, the collected files in as many packets as their descriptors need.
    fn answer_with_files(&self, mut answer: Answer, order: &RunOrder) -> Result<(), Trouble> {
        // Who was not started has made nothing.
        if matches!(order.collect, CollectOrder::Nothing)
            || matches!(answer.end, End::NotExecuted(_))
        {
            return self.answer(answer, &[]);
        }
        let found = collect::collect(Path::new("/box"), &order.collect, order.collect_bytes)?;
        answer.too_large = found.too_large;
        let mut files = found.files.into_iter().peekable();
        loop {
            let mut fds = Vec::new();
            let mut told = 0;
            while let Some((file, fd)) = files.next_if(|(file, _)| {
                fds.len() < crate::wire::MAX_FDS && told + file.name.len() < 32 << 10
            }) {
                told += file.name.len() + 64;
                answer.files.push(file);
                fds.push(fd);
            }
            answer.more = files.peek().is_some();
            let (more, next) = (
                answer.more,
                Answer {
                    files: Vec::new(),
                    ..answer.clone_head()
                },
            );
            self.answer(answer, &fds)?;
            if !more {
                return Ok(());
            }
            answer = next;
        }
    }

    fn answer(&self, answer: Answer, fds: &[OwnedFd]) -> Result<(), Trouble> {
        let raw: Vec<RawFd> = fds.iter().map(AsRawFd::as_raw_fd).collect();
        send(self.socket.as_raw_fd(), &Reply::Ended(answer), &[], &raw)
            .map_err(|e| Trouble::io("answer", e))
    }
}

impl Answer {
    fn of(end: End) -> Self {
        Self {
            end,
            wall_us: 0,
            cpu_us: 0,
            largest_bytes: 0,
            files: Vec::new(),
            too_large: false,
            more: false,
        }
    }

    fn clone_head(&self) -> Self {
        Self {
            files: Vec::new(),
            end: self.end.clone(),
            ..*self
        }
    }
}

impl From<Trouble> for io::Error {
    fn from(trouble: Trouble) -> Self {
        Self::from_raw_os_error(trouble.errno as i32)
    }
}
