//! The two sockets of a service: its API, and its probes and metrics.

use std::{io, net::SocketAddr};

use tokio::net::TcpListener;

use crate::config::ListenConfig;

/// Bound sockets. The caller of a service's `run` owns them, so that tests know where it listens.
#[derive(Debug)]
pub struct Listeners {
    /// For the API.
    pub api: TcpListener,
    /// For probes and metrics.
    pub ops: TcpListener,
}

/// An address could not be listened on.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot listen on {address} ({source}): end the program that does, or choose another address"
)]
pub struct ListenError {
    address: SocketAddr,
    source: io::Error,
}

impl Listeners {
    /// Binds both.
    pub async fn bind(config: &ListenConfig) -> Result<Self, ListenError> {
        Ok(Self {
            api: bind(config.listen).await?,
            ops: bind(config.ops_listen).await?,
        })
    }

    /// Free ports on the loopback address, for tests.
    pub async fn ephemeral() -> Result<Self, ListenError> {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        Ok(Self {
            api: bind(any).await?,
            ops: bind(any).await?,
        })
    }

    /// Where they listen: API, then probes.
    pub fn local_addrs(&self) -> io::Result<(SocketAddr, SocketAddr)> {
        Ok((self.api.local_addr()?, self.ops.local_addr()?))
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| ListenError { address, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_taken_port_is_named() {
        let first = Listeners::ephemeral().await.expect("free ports");
        let (listen, ops_listen) = first.local_addrs().expect("they are bound");
        let config = ListenConfig { listen, ops_listen };
        let error = Listeners::bind(&config).await.expect_err("it is taken");
        assert!(error.to_string().contains(&listen.to_string()), "{error}");
    }
}
