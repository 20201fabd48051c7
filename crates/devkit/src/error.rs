//! What can go wrong with a private server, said so that the reader knows what to do. Never carries a password.

use std::{io, path::PathBuf, time::Duration};

/// Why a private server could not be started, reached or ended.
#[derive(Debug, thiserror::Error)]
pub enum DevkitError {
    /// A file or folder could not be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// The verb, such as `create`.
        action: &'static str,
        /// What it was tried on.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The disk is full, or too full to start a server on.
    #[error("the disk that holds {} is full: free at least {needed_mib} MiB and try again", path.display())]
    DiskFull {
        /// A path on that disk.
        path: PathBuf,
        /// What a start needs.
        needed_mib: u64,
    },
    /// Another living process uses the folder.
    #[error("{} is in use by another codementor: end that one first, or choose another folder", path.display())]
    InUse {
        /// The server's folder.
        path: PathBuf,
    },
    /// A program is not installed.
    #[error("{program} is not installed: run scripts/setup.sh, or install the package {package}")]
    Missing {
        /// The program.
        program: &'static str,
        /// The Debian package that has it.
        package: &'static str,
    },
    /// The server ended instead of becoming ready.
    #[error("{server} ended while it was starting; the end of its log:\n{log}")]
    Ended {
        /// `Postgres` or `Kafka`.
        server: &'static str,
        /// The last lines of its log.
        log: String,
    },
    /// The server runs but does not answer.
    #[error("{server} did not become ready within {} s; the end of its log:\n{log}", limit.as_secs())]
    NotReady {
        /// `Postgres` or `Kafka`.
        server: &'static str,
        /// How long it was waited for.
        limit: Duration,
        /// The last lines of its log.
        log: String,
    },
    /// A preparing command (`initdb`, the storage tool, Maven) failed.
    #[error("{what} failed:\n{output}")]
    Command {
        /// What was tried, in words.
        what: &'static str,
        /// The last lines of what it printed.
        output: String,
    },
    /// Maven could not fetch Kafka's jars.
    #[error(
        "cannot fetch Kafka's jars: check the network and Maven's proxy settings, and try again; Maven says: {cause}"
    )]
    Maven {
        /// The first error that it printed.
        cause: String,
    },
    /// No port could be bound on the loopback address.
    #[error("no free port was found on 127.0.0.1")]
    NoPort,
    /// The port that the server had before was taken while it was down.
    #[error("port {port} was taken by another program while {server} was down")]
    PortTaken {
        /// `Postgres` or `Kafka`.
        server: &'static str,
        /// The port.
        port: u16,
    },
    /// No place to keep Kafka's jars.
    #[error("no cache folder is known: set HOME, XDG_CACHE_HOME or CODEMENTOR_CACHE")]
    NoCache,
    /// A setting is malformed, as clap words it.
    #[error("{0}")]
    Config(#[from] clap::Error),
    /// Postgres refused a statement.
    #[error("postgres refused: {0}")]
    Database(#[from] sqlx::Error),
}

impl DevkitError {
    /// For `map_err`: keeps the action and the path beside the system's answer; a full disk is said as such.
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull {
                path,
                needed_mib: crate::folder::NEEDED_MIB,
            },
            _ => Self::Io {
                action,
                path,
                source,
            },
        }
    }
}
