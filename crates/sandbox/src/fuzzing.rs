//! The protocol between host and init, opened for `fuzz/`. Not compiled otherwise; nothing else may use it.

use std::fs::File;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::sys::socket::{
    AddressFamily, ControlMessage, MsgFlags, SockFlag, SockType, sendmsg, socketpair,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::program::check_name;
use crate::sealed::sealed_file;
use crate::wire::{Order, Ready, Reply, Setup, receive, send};

/// Sends any bytes as a packet and as a memfd to both sides; what is understood must survive being said again.
pub fn protocol(data: &[u8]) {
    let Some((kind, data)) = data.split_first() else {
        return;
    };
    let in_memory = kind & 1 == 1;
    match kind >> 1 & 3 {
        0 => heard::<Order>(data, in_memory),
        1 => heard::<Reply>(data, in_memory),
        2 => heard::<Setup>(data, in_memory),
        _ => heard::<Ready>(data, in_memory),
    }
    // Names that are let through stay below the box.
    if let Ok(name) = std::str::from_utf8(data)
        && check_name(name).is_ok()
    {
        let path = std::path::Path::new("/box").join(name);
        assert!(path.starts_with("/box"));
        assert!(
            path.components()
                .all(|part| part != std::path::Component::ParentDir)
        );
    }
}

fn heard<T: Serialize + DeserializeOwned>(data: &[u8], in_memory: bool) {
    let (left, right) = pair();
    let file = File::from(sealed_file(data).expect("memory for the message"));
    let rights = [file.as_raw_fd()];
    let control = [ControlMessage::ScmRights(&rights)];
    // A JSON text with its length before it, or the bytes as they are: the second form seldom gets past the length.
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX).to_le_bytes();
    let packet = [b"I".as_slice(), &length, data].concat();
    let (bytes, control) = if in_memory {
        (b"M".as_slice(), &control[..])
    } else {
        (&packet[..], &[][..])
    };
    let bytes = &bytes[..bytes.len().min(64 << 10)];
    let part = [std::io::IoSlice::new(bytes)];
    sendmsg::<()>(
        left.as_raw_fd(),
        &part,
        control,
        MsgFlags::MSG_NOSIGNAL,
        None,
    )
    .expect("a packet fits");
    let Ok(Some(heard)) = receive::<T>(right.as_raw_fd()) else {
        return;
    };
    let text = serde_json::to_vec(&heard.message).expect("can be said");
    send(left.as_raw_fd(), &heard.message, &[&heard.tail], &[]).expect("is sent");
    let again = receive::<T>(right.as_raw_fd())
        .expect("is received")
        .expect("is not the end");
    assert_eq!(
        serde_json::to_vec(&again.message).expect("can be said"),
        text
    );
    assert_eq!(again.tail, heard.tail);
}

fn pair() -> (OwnedFd, OwnedFd) {
    socketpair(
        AddressFamily::Unix,
        SockType::SeqPacket,
        None,
        SockFlag::SOCK_CLOEXEC,
    )
    .expect("a pair of sockets")
}
