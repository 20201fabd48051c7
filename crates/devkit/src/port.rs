//! Ports for the private servers: free ones on the loopback address, remembered so that a restart gets the same again.

use std::{fs, net::TcpListener, path::Path};

use rand::Rng;

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
    let mut random = rand::rng();
    (0..1000)
        .map(|_| random.random_range(RANGE))
        .find(|&port| is_free(port))
        .ok_or(DevkitError::NoPort)
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
}
