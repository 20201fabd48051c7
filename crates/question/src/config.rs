//! Configuration of the question service; `--help` is the reference.

use std::path::PathBuf;

use queue::KafkaConfig;
use service::config::{DatabaseConfig, KeysConfig, ListenConfig};

/// Configuration of the question service.
#[derive(Debug, Clone, clap::Args)]
pub struct Config {
    /// Where it listens
    #[command(flatten)]
    pub listen: ListenConfig,
    /// Its database
    #[command(flatten)]
    pub database: DatabaseConfig,
    /// Its own key, and those of who may ask
    #[command(flatten)]
    pub keys: KeysConfig,
    /// Where results come from, for how far people have come
    #[command(flatten)]
    pub kafka: KafkaConfig,
    /// Base address of execute, which says what languages there are
    #[arg(
        long,
        env = "CODEMENTOR_EXECUTE_URL",
        default_value = "http://127.0.0.1:8082"
    )]
    pub execute_url: String,
    /// Folder of the bodies of tests; made where it is missing, shared by all replicas
    #[arg(
        long,
        env = "CODEMENTOR_BLOBS",
        value_name = "FOLDER",
        default_value = "blobs"
    )]
    pub blobs: PathBuf,
}
