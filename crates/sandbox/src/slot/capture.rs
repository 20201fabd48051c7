//! The reading end of a program's pipe: keeps a bounded beginning, reads the rest so that nobody blocks.

use std::io;
use std::os::fd::OwnedFd;

use nix::fcntl::OFlag;
use nix::unistd::pipe2;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;

/// Bytes read at once; the size of a pipe.
const CHUNK: usize = 64 << 10;

/// One captured stream.
pub(super) struct Capture {
    /// `None` after its end.
    pipe: Option<Receiver>,
    pub(super) kept: Vec<u8>,
    limit: usize,
    /// Whether there was more than the limit.
    pub(super) over: bool,
    buffer: Vec<u8>,
}

impl Capture {
    /// A pipe and its writing end.
    pub(super) fn new(limit: u64) -> io::Result<(Self, OwnedFd)> {
        let (read, write) = pipe2(OFlag::O_CLOEXEC)?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let pipe = Some(Receiver::from_owned_fd(read)?);
        Ok((
            Self {
                pipe,
                kept: Vec::new(),
                limit,
                over: false,
                buffer: Vec::new(),
            },
            write,
        ))
    }

    /// A stream that ended before it began.
    pub(super) fn closed() -> Self {
        Self {
            pipe: None,
            kept: Vec::new(),
            limit: 0,
            over: false,
            buffer: Vec::new(),
        }
    }

    /// Takes in what is there; waits for ever when the stream has ended. Cancelling loses nothing.
    pub(super) async fn fill(&mut self) -> io::Result<()> {
        let Some(pipe) = &mut self.pipe else {
            return std::future::pending().await;
        };
        self.buffer.clear();
        self.buffer.reserve(CHUNK);
        let read = pipe.read_buf(&mut self.buffer).await?;
        if read == 0 {
            self.pipe = None;
        }
        let room = self.limit - self.kept.len();
        self.kept.extend_from_slice(&self.buffer[..read.min(room)]);
        self.over |= read > room;
        Ok(())
    }

    /// Takes in everything to the end of the stream.
    pub(super) async fn drain(&mut self) -> io::Result<()> {
        while self.pipe.is_some() {
            self.fill().await?;
        }
        Ok(())
    }
}
