//! The pieces of configuration that services share, to be flattened into each one's own. `--help` is the reference.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;

/// Where a service listens.
#[derive(Debug, Clone, Args)]
pub struct ListenConfig {
    /// Address of the API
    #[arg(long, env = "CODEMENTOR_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Address of probes and metrics; never to be reached from outside
    #[arg(long, env = "CODEMENTOR_OPS_LISTEN", default_value = "127.0.0.1:9090")]
    pub ops_listen: SocketAddr,
}

/// Where a service's tables are.
#[derive(Debug, Clone, Args)]
pub struct DatabaseConfig {
    /// Postgres database, as postgres://user:password@host:5432/name
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: String,
    /// Most connections to it at once
    #[arg(long, env = "DATABASE_POOL", default_value_t = DatabaseConfig::POOL)]
    pub database_pool: u32,
}

impl DatabaseConfig {
    const POOL: u32 = 16;

    /// That database with the usual pool.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            database_url: url.into(),
            database_pool: Self::POOL,
        }
    }
}

/// The keys by which services know each other.
#[derive(Debug, Clone, Args)]
pub struct KeysConfig {
    /// File with this service's own private key (Ed25519, PKCS#8 PEM)
    #[arg(long, env = "CODEMENTOR_SERVICE_KEY", value_name = "FILE")]
    pub service_key: PathBuf,
    /// File with the public keys of all services (a JWK set)
    #[arg(long, env = "CODEMENTOR_TRUSTED_KEYS", value_name = "FILE")]
    pub trusted_keys: PathBuf,
}
