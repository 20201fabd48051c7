//! The two sockets of a service: one for requests, one for the operator's probes.
//!
//! The caller of a service owns them, so that tests and `up` know the ports before anything runs. Opens nothing else.

use std::{io, net::SocketAddr};

use tokio::net::TcpListener;

use crate::config::ListenConfig;

/// The sockets of one service, bound and not yet served.
#[derive(Debug)]
pub struct Listeners {
    /// For requests.
    pub api: TcpListener,
    /// For probes and metrics.
    pub ops: TcpListener,
}

/// Where a service can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalAddrs {
    /// For requests.
    pub api: SocketAddr,
    /// For probes and metrics.
    pub ops: SocketAddr,
}

/// An address could not be bound.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Somebody else has it.
    #[error(
        "cannot listen on {address}: another program does; end that one, or choose another address with {flag}"
    )]
    Taken {
        /// The address.
        address: SocketAddr,
        /// The flag that sets it.
        flag: &'static str,
    },
    /// Anything else.
    #[error("cannot listen on {address}, which {flag} sets")]
    Refused {
        /// The address.
        address: SocketAddr,
        /// The flag that sets it.
        flag: &'static str,
        /// What the system says.
        source: io::Error,
    },
}

impl Listeners {
    /// Binds both.
    pub async fn bind(config: &ListenConfig) -> Result<Self, ListenError> {
        Ok(Self {
            api: bind(config.listen, "--listen").await?,
            ops: bind(config.ops_listen, "--ops-listen").await?,
        })
    }

    /// Both on free ports that only this machine reaches.
    pub async fn ephemeral() -> io::Result<Self> {
        Ok(Self {
            api: TcpListener::bind("127.0.0.1:0").await?,
            ops: TcpListener::bind("127.0.0.1:0").await?,
        })
    }

    /// Where they listen, with the ports that they really got.
    pub fn local_addrs(&self) -> io::Result<LocalAddrs> {
        Ok(LocalAddrs {
            api: self.api.local_addr()?,
            ops: self.ops.local_addr()?,
        })
    }
}

async fn bind(address: SocketAddr, flag: &'static str) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| match source.kind() {
            io::ErrorKind::AddrInUse => ListenError::Taken { address, flag },
            _ => ListenError::Refused {
                address,
                flag,
                source,
            },
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn names_a_taken_port_and_what_to_do() {
        let first = Listeners::ephemeral().await.expect("free ports");
        let addresses = first.local_addrs().expect("they are bound");
        let config = ListenConfig {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            ops_listen: addresses.ops,
        };
        let error = Listeners::bind(&config)
            .await
            .expect_err("it is taken")
            .to_string();
        assert!(error.contains(&addresses.ops.to_string()), "{error}");
        assert!(error.contains("--ops-listen"), "{error}");
    }
}
