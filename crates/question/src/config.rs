//! Configuration of the question service; `--help` is the reference.

use std::path::PathBuf;

use queue::KafkaConfig;
use service::config::{DatabaseConfig, ListenConfig, TrustedKeysConfig};

/// Configuration of the question service.
#[derive(Debug, Clone, clap::Args)]
pub struct Config {
    /// Where it listens
    #[command(flatten)]
    pub listen: ListenConfig,
    /// Its database
    #[command(flatten)]
    pub database: DatabaseConfig,
    /// The keys of those who may ask
    #[command(flatten)]
    pub keys: TrustedKeysConfig,
    /// Where results come from, for how far people have come
    #[command(flatten)]
    pub kafka: KafkaConfig,
    /// Folder of the bodies of tests; made where it is missing, shared by all replicas
    #[arg(
        long,
        env = "CODEMENTOR_BLOBS",
        value_name = "FOLDER",
        default_value = "blobs"
    )]
    pub blobs: PathBuf,
}
