//! Which of the programs that talk to each other fell silent first, by the kernel's own order.
//!
//! One often ends because the other did, within a moment. Whoever compares the times at which the two ends were noticed learns
//! how busy the machine is: a program that dies closes its pipes well before anybody is told of its death, and may have
//! to wait for the processor in between. So it is the pipes that are watched, all by one epoll instance: the kernel queues
//! each as it loses its last writer, before the reader can hear of it.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, PoisonError};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

use crate::program::PipeEnd;

/// Watches pipes until it is settled which was closed first.
///
/// A watched pipe counts as read: a program that writes to one that nobody else reads any more is not told so (`EPIPE`) before
/// [`Race::settle`], which is for the moment in which the first of the runs has ended.
#[derive(Debug)]
pub struct Race(Mutex<State>);

#[derive(Debug)]
enum State {
    Open { line: Epoll, _pipes: Vec<OwnedFd> },
    Settled(io::Result<Option<u64>>),
}

impl Race {
    /// Among writers, each of them known by the reading end of the pipe that it writes to, before a run takes that.
    pub fn new(writers: &[(u64, &PipeEnd)]) -> io::Result<Self> {
        let line = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let mut pipes = Vec::new();
        for (writer, end) in writers {
            let pipe = end.again()?;
            // That a pipe has no writer any more is told unasked; that something was written is not.
            line.add(&pipe, EpollEvent::new(EpollFlags::empty(), *writer))?;
            pipes.push(pipe);
        }
        Ok(Self(Mutex::new(State::Open {
            line,
            _pipes: pipes,
        })))
    }

    /// Watches no more: what has happened so far decides. Any number of times; only the first one does something.
    pub fn settle(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let State::Open { line, .. } = &*state {
            let mut events = [EpollEvent::empty()];
            let silent = line.wait(&mut events, EpollTimeout::ZERO);
            let first = silent.map(|count| (count > 0).then(|| events[0].data()));
            *state = State::Settled(first.map_err(io::Error::from));
        }
    }

    /// Who had fallen silent first when it was settled; `None` when nobody had.
    pub fn first(self) -> io::Result<Option<u64>> {
        self.settle();
        match self.0.into_inner().unwrap_or_else(PoisonError::into_inner) {
            State::Settled(first) => first,
            State::Open { .. } => Ok(None),
        }
    }
}
