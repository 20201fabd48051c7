//! Ports for the private servers: free ones on the loopback address, remembered so that a restart gets the same again, or kept
//! for whoever is about to listen there.

use std::{
    fs, io,
    net::{Ipv4Addr, SocketAddrV4, TcpListener},
    os::fd::OwnedFd,
    path::Path,
};

use rand::Rng;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with, sockopt};

use crate::DevkitError;

/// Below Linux's range for outgoing connections (from 32768), so that none of those can take a server's port while it restarts.
const RANGE: std::ops::Range<u16> = 20_000..32_000;

/// The port kept in `file` when it is still free, else a new one, which is written there.
pub(crate) fn remembered(file: &Path) -> Result<u16, DevkitError> {
    if let Some(port) = read(file)
        && is_free(port)
    {
        return Ok(port);
    }
    let port = any()?;
    fs::write(file, port.to_string()).map_err(DevkitError::io("write", file))?;
    Ok(port)
}

/// What an earlier [`remembered`] wrote.
pub(crate) fn read(file: &Path) -> Option<u16> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// Any port that is free now. Another program may take it before its user binds it; the caller then asks again.
pub fn any() -> Result<u16, DevkitError> {
    Ok(KeptPort::any()?.number())
}

/// A port that nobody else is given while this lives: not by us, and by no program that asks for any free one. A server that
/// is told of it can listen there, now and again, as servers do (`SO_REUSEADDR`).
#[derive(Debug)]
pub struct KeptPort {
    number: u16,
    /// Bound, and never listening.
    _socket: OwnedFd,
}

impl KeptPort {
    /// A free one.
    pub fn any() -> Result<Self, DevkitError> {
        let mut random = rand::rng();
        (0..1000)
            .map(|_| random.random_range(RANGE))
            .find_map(|number| Self::keep(number).ok())
            .ok_or(DevkitError::NoPort)
    }

    fn keep(number: u16) -> io::Result<Self> {
        let kept = socket_with(
            AddressFamily::INET,
            SocketType::STREAM,
            SocketFlags::CLOEXEC,
            None,
        )?;
        // Before it is shared it must be nobody's: such a binding is refused where any other socket is.
        bind(&kept, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, number))?;
        sockopt::set_socket_reuseaddr(&kept, true)?;
        Ok(Self {
            number,
            _socket: kept,
        })
    }

    /// Its number.
    pub fn number(&self) -> u16 {
        self.number
    }
}

/// Whether a server could listen there.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_its_port_while_that_is_free() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("port");
        let first = remembered(&file).expect("a free port");
        assert_eq!(remembered(&file).expect("a free port"), first);

        let _taken = TcpListener::bind(("127.0.0.1", first)).expect("the port was free");
        let second = remembered(&file).expect("a free port");
        assert_ne!(second, first);
        assert_eq!(read(&file), Some(second));
    }

    #[test]
    fn a_kept_port_is_for_its_server_alone() {
        let kept = KeptPort::any().expect("a free port");
        assert!(KeptPort::keep(kept.number()).is_err(), "kept twice");
        for _ in 0..2 {
            let server = TcpListener::bind(("127.0.0.1", kept.number())).expect("it is for us");
            assert!(KeptPort::keep(kept.number()).is_err(), "kept twice");
            drop(server);
        }
        let number = kept.number();
        drop(kept);
        KeptPort::keep(number).expect("nobody's again");
    }
}
