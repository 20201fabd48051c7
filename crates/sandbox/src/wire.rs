//! The words between the host side and a slot's init, and how they travel.
//!
//! One SEQPACKET socket a slot, one message a packet, descriptors beside it. A message that would not fit into a packet
//! travels in a memfd. The init trusts the host; the host trusts nothing in an answer but its shape and re-checks every
//! size, for the files behind the descriptors were written by the program.

use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::program::Profile;

/// Descriptors in one packet; the kernel's own bound is 253.
pub(crate) const MAX_FDS: usize = 200;
/// Longest message that travels in a memfd; a longer one is refused before memory is taken for it.
const LARGEST: u64 = 1 << 30;
/// Longest message that travels inside a packet; the default socket buffer takes three times as much.
const INLINE: usize = 64 << 10;

/// The first message: how to build the slot.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Setup {
    /// Host directory that the slot's root is mounted over.
    pub(crate) mountpoint: PathBuf,
    /// Host directory of prepared trees.
    pub(crate) store: PathBuf,
    /// Host paths bound read-only.
    pub(crate) read_only: Vec<PathBuf>,
    /// Who the program runs as.
    pub(crate) uid: u32,
    /// Whether the slot lives in a user namespace with a single id.
    pub(crate) user_namespace: bool,
}

/// Answer to [`Setup`].
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Ready {
    /// The slot stands.
    Up {
        /// Version of Landlock's interface in force.
        landlock_abi: i32,
        /// Whether `/proc` could be mounted.
        private_proc: bool,
    },
    /// A step failed.
    Failed(Fault),
}

/// A failed step inside the slot.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Fault {
    /// What was attempted.
    pub(crate) step: String,
    /// `errno`, zero when there is none.
    pub(crate) errno: i32,
}

/// What the host may say while the slot stands.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Order {
    /// Start this. Descriptors: stdin (if any), stdout, stderr, results (if any), groups, then files.
    Run(Box<RunOrder>),
    /// End what runs.
    Kill,
}

/// One run, as the init needs it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RunOrder {
    pub(crate) task: Task,
    pub(crate) files: Vec<FileOrder>,
    /// Name of a tree in the store.
    pub(crate) artefact: Option<String>,
    pub(crate) profile: Profile,
    /// Whether it gets process and mount namespaces of its own.
    pub(crate) strict: bool,
    pub(crate) stdin: bool,
    pub(crate) results: bool,
    /// Number of group descriptors: `tasks` of version 1 groups, then the directory of the version 2 group.
    pub(crate) groups: usize,
    pub(crate) rlimits: Rlimits,
    pub(crate) collect: CollectOrder,
    pub(crate) collect_bytes: u64,
    /// Bound of the temporary file systems.
    pub(crate) scratch_bytes: u64,
}

/// What the confined process does.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Task {
    /// Executes a program.
    Execute {
        argv: Vec<String>,
        env: Vec<(String, String)>,
    },
    /// Attacks its own cage and reports what gave way; used before the first learner's run.
    Probe(Probe),
}

/// The built-in attacks of the self-test.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) enum Probe {
    /// Tries everything that must be refused; prints what was not.
    Escape,
    /// Touches more memory than allowed.
    Memory,
    /// Computes for ever.
    Spin,
    /// Forks until refused, prints how often it worked.
    Fork,
}

/// Resource limits set on the process itself, behind those of the cgroup.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Rlimits {
    pub(crate) cpu_seconds: u64,
    pub(crate) file_bytes: u64,
    pub(crate) stack_bytes: Option<u64>,
    /// Set only without cgroups.
    pub(crate) data_bytes: Option<u64>,
    /// Set only without cgroups.
    pub(crate) processes: Option<u32>,
}

/// One file to write into the box.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FileOrder {
    pub(crate) name: String,
    pub(crate) mode: u32,
    pub(crate) source: Source,
}

/// Where its bytes are.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Source {
    /// The next so many bytes behind the message.
    Inline(usize),
    /// The next descriptor.
    Descriptor,
}

/// Which files come back.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum CollectOrder {
    Nothing,
    Named(Vec<String>),
    All,
}

/// What the init says to [`Order::Run`].
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Reply {
    /// The child exists: from here its time counts, and not from the order: taking away what the program before has left may
    /// take a while.
    Started,
    /// It has ended, and every other process of the slot with it.
    Ended(Answer),
}

/// The end of a run; descriptors of `files` beside it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) end: End,
    pub(crate) wall_us: u64,
    /// From the kernel's accounting of waited-for children: the fallback without cgroups.
    pub(crate) cpu_us: u64,
    /// Largest process, in bytes: the fallback without cgroups.
    pub(crate) largest_bytes: u64,
    pub(crate) files: Vec<FileAnswer>,
    /// The files together were larger than allowed, or too many; none of the rest comes.
    pub(crate) too_large: bool,
    /// More files follow in another answer.
    pub(crate) more: bool,
}

/// How the first process ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum End {
    Exited(i32),
    Signaled(i32),
    /// `execve` refused.
    NotExecuted(i32),
    /// A step of ours failed.
    Fault(Fault),
}

/// A collected file; its bytes are behind the descriptor of the same position.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FileAnswer {
    pub(crate) name: String,
    pub(crate) size: u64,
    pub(crate) executable: bool,
}

/// A received message: its bytes behind the JSON, and its descriptors in order.
pub(crate) struct Packet<T> {
    pub(crate) message: T,
    pub(crate) tail: Vec<u8>,
    pub(crate) fds: Vec<OwnedFd>,
}

/// Sends one message. Blocks or not as the socket does.
pub(crate) fn send<T: Serialize>(
    socket: RawFd,
    message: &T,
    tail: &[&[u8]],
    fds: &[RawFd],
) -> io::Result<()> {
    let json = serde_json::to_vec(message)?;
    let length = u32::try_from(json.len())
        .map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?
        .to_le_bytes();
    let total = 5 + json.len() + tail.iter().map(|part| part.len()).sum::<usize>();
    let mut all = fds.to_vec();
    let flags = MsgFlags::MSG_NOSIGNAL;
    if total <= INLINE {
        let mut parts = vec![
            IoSlice::new(b"I"),
            IoSlice::new(&length),
            IoSlice::new(&json),
        ];
        parts.extend(tail.iter().map(|part| IoSlice::new(part)));
        let rights = [ControlMessage::ScmRights(&all)];
        sendmsg::<()>(
            socket,
            &parts,
            if all.is_empty() { &[] } else { &rights },
            flags,
            None,
        )?;
    } else {
        let mut file = File::from(memfd_create("message", MFdFlags::MFD_CLOEXEC)?);
        file.write_all(&length)?;
        file.write_all(&json)?;
        for part in tail {
            file.write_all(part)?;
        }
        all.insert(0, file.as_raw_fd());
        sendmsg::<()>(
            socket,
            &[IoSlice::new(b"M")],
            &[ControlMessage::ScmRights(&all)],
            flags,
            None,
        )?;
    }
    Ok(())
}

/// Receives one message; `None` when the other side is gone.
pub(crate) fn receive<T: DeserializeOwned>(socket: RawFd) -> io::Result<Option<Packet<T>>> {
    let mut buffer = vec![0u8; INLINE + 64];
    let mut control = nix::cmsg_space!([RawFd; 253]);
    let (length, mut fds) = {
        let mut parts = [IoSliceMut::new(&mut buffer)];
        let received = recvmsg::<()>(
            socket,
            &mut parts,
            Some(&mut control),
            MsgFlags::MSG_CMSG_CLOEXEC,
        )?;
        let mut fds = Vec::new();
        for part in received.cmsgs()? {
            if let ControlMessageOwned::ScmRights(raw) = part {
                fds.extend(raw.into_iter().map(own));
            }
        }
        if received
            .flags
            .intersects(MsgFlags::MSG_TRUNC | MsgFlags::MSG_CTRUNC)
        {
            return Err(io::Error::other("message was cut"));
        }
        (received.bytes, fds)
    };
    if length == 0 {
        return Ok(None);
    }
    buffer.truncate(length);
    let body = match buffer[0] {
        b'I' => buffer.split_off(1),
        b'M' if !fds.is_empty() => {
            let file = File::from(fds.remove(0));
            let size = Some(file.metadata()?.len())
                .filter(|size| *size <= LARGEST)
                .and_then(|size| usize::try_from(size).ok())
                .ok_or_else(|| io::Error::other("message is too long"))?;
            let mut body = vec![0; size];
            file.read_exact_at(&mut body, 0)?;
            body
        }
        _ => return Err(io::Error::other("message of an unknown kind")),
    };
    let cut = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let (head, rest) = body.split_first_chunk::<4>().ok_or_else(cut)?;
    let length = u32::from_le_bytes(*head) as usize;
    let json = rest.get(..length).ok_or_else(cut)?;
    Ok(Some(Packet {
        message: serde_json::from_slice(json)?,
        tail: rest[length..].to_vec(),
        fds,
    }))
}

/// Takes ownership of a descriptor that the kernel has just handed to us.
#[expect(
    unsafe_code,
    reason = "descriptors come out of recvmsg as plain numbers"
)]
fn own(raw: RawFd) -> OwnedFd {
    // SAFETY: recvmsg installed this descriptor for us a moment ago and nobody else knows its number.
    unsafe { OwnedFd::from_raw_fd(raw) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sealed::sealed_file;
    use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

    fn pair() -> (OwnedFd, OwnedFd) {
        socketpair(
            AddressFamily::Unix,
            SockType::SeqPacket,
            None,
            SockFlag::SOCK_CLOEXEC,
        )
        .expect("socketpair works")
    }

    #[test]
    fn carries_small_and_large_messages_with_descriptors() {
        let (left, right) = pair();
        let given = sealed_file(b"content").expect("memfd works");
        for size in [10, 1 << 20] {
            let tail = vec![7u8; size];
            send(
                left.as_raw_fd(),
                &Order::Kill,
                &[&tail],
                &[given.as_raw_fd()],
            )
            .expect("sends");
            let packet = receive::<Order>(right.as_raw_fd())
                .expect("receives")
                .expect("is not the end");
            assert!(matches!(packet.message, Order::Kill));
            assert_eq!(packet.tail, tail);
            assert_eq!(packet.fds.len(), 1);
        }
        drop(left);
        assert!(
            receive::<Order>(right.as_raw_fd())
                .expect("receives")
                .is_none()
        );
    }
}
