//! The settings of the gateway; `--help` shows them all. The only place where its environment is read.

use std::{fs, time::Duration};

use clap::{Args, ValueEnum};
use queue::KafkaConfig;
use service::config::{DatabaseConfig, KeysConfig, ListenConfig, http_url, http_url_or_nothing};
use uuid::Uuid;

use crate::limits::Rates;

/// Authenticate, route by prefix, hold the streams.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// Where it listens.
    #[command(flatten)]
    pub listen: ListenConfig,
    /// Its tables.
    #[command(flatten)]
    pub database: DatabaseConfig,
    /// Its own key, and whom it trusts.
    #[command(flatten)]
    pub keys: KeysConfig,
    /// Where events come from.
    #[command(flatten)]
    pub kafka: KafkaConfig,

    /// Address of execute
    #[arg(
        long,
        env = "CODEMENTOR_EXECUTE_URL",
        value_name = "URL",
        value_parser = http_url,
        default_value = "http://127.0.0.1:8082"
    )]
    pub execute_url: String,
    /// Address of question
    #[arg(
        long,
        env = "CODEMENTOR_QUESTION_URL",
        value_name = "URL",
        value_parser = http_url,
        default_value = "http://127.0.0.1:8083"
    )]
    pub question_url: String,

    /// Name of this replica: decides which partition its submissions' events come from; default: the host's name
    #[arg(long, env = "CODEMENTOR_INSTANCE", value_name = "NAME")]
    pub instance: Option<String>,
    /// Address that browsers see; with https:// cookies are marked Secure and HSTS is sent
    #[arg(long, env = "CODEMENTOR_PUBLIC_URL", value_name = "URL", value_parser = http_url_or_nothing)]
    pub public_url: Option<String>,
    /// How many proxies in front append to X-Forwarded-For; 0 takes the peer's address
    #[arg(
        long,
        env = "CODEMENTOR_TRUSTED_PROXIES",
        value_name = "N",
        default_value_t = 0
    )]
    pub trusted_proxies: usize,
    /// Whether anybody may make an account
    #[arg(long, env = "CODEMENTOR_REGISTRATION", value_enum, default_value_t = Registration::Open)]
    pub registration: Registration,

    /// Sign-in attempts a minute and address; 0: no limit
    #[arg(
        long,
        env = "CODEMENTOR_SIGN_INS_PER_MINUTE",
        value_name = "N",
        default_value_t = 30
    )]
    pub sign_ins_per_minute: u32,
    /// Submissions and runs a minute and account; 0: no limit
    #[arg(
        long,
        env = "CODEMENTOR_SUBMISSIONS_PER_MINUTE",
        value_name = "N",
        default_value_t = 60
    )]
    pub submissions_per_minute: u32,
    /// Requests a minute and account; 0: no limit
    #[arg(
        long,
        env = "CODEMENTOR_REQUESTS_PER_MINUTE",
        value_name = "N",
        default_value_t = 600
    )]
    pub requests_per_minute: u32,
    /// Open streams an account; 0: no limit
    #[arg(
        long,
        env = "CODEMENTOR_STREAMS_PER_ACCOUNT",
        value_name = "N",
        default_value_t = 6
    )]
    pub streams_per_account: u32,
    /// Passwords hashed at a time; each takes 19 MiB and a core
    #[arg(
        long,
        env = "CODEMENTOR_PASSWORDS_AT_ONCE",
        value_name = "N",
        default_value_t = 2
    )]
    pub passwords_at_once: usize,

    /// Largest body of a request, in bytes
    #[arg(long, env = "CODEMENTOR_MAX_BODY", value_name = "BYTES", default_value_t = 16 << 20)]
    pub max_body: u64,
    /// Largest body of an upload of tests or packages, in bytes; it is streamed
    #[arg(long, env = "CODEMENTOR_MAX_UPLOAD", value_name = "BYTES", default_value_t = 256 << 20)]
    pub max_upload: u64,
    /// Milliseconds that a service may take to begin its answer, or either side may pause in one
    #[arg(
        long,
        env = "CODEMENTOR_UPSTREAM_TIMEOUT_MS",
        value_name = "MS",
        default_value_t = 30_000
    )]
    pub upstream_timeout_ms: u64,
    /// Milliseconds of silence after which an open stream says that it lives
    #[arg(
        long,
        env = "CODEMENTOR_HEARTBEAT_MS",
        value_name = "MS",
        default_value_t = 15_000
    )]
    pub heartbeat_ms: u64,
    /// Milliseconds over which open streams are ended at a shutdown, however many there are
    #[arg(
        long,
        env = "CODEMENTOR_DRAIN_MS",
        value_name = "MS",
        default_value_t = 5_000
    )]
    pub drain_ms: u64,
}

/// Whether anybody may make an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Registration {
    /// Anybody may
    Open,
    /// Accounts are made by an admin
    Closed,
}

impl Config {
    /// The name of this replica.
    pub(crate) fn instance_name(&self) -> String {
        let host = || {
            let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
            Some(name.trim().to_owned()).filter(|name| !name.is_empty())
        };
        let given = self.instance.clone().filter(|name| !name.is_empty());
        given
            .or_else(host)
            .unwrap_or_else(|| Uuid::now_v7().to_string())
    }

    /// Whether browsers come over https.
    pub(crate) fn is_https(&self) -> bool {
        self.public_url
            .as_deref()
            .is_some_and(|url| url.starts_with("https://"))
    }

    pub(crate) fn rates(&self) -> Rates {
        Rates {
            sign_ins: self.sign_ins_per_minute,
            submissions: self.submissions_per_minute,
            requests: self.requests_per_minute,
            streams: self.streams_per_account,
        }
    }

    pub(crate) fn upstream_timeout(&self) -> Duration {
        Duration::from_millis(self.upstream_timeout_ms)
    }

    pub(crate) fn heartbeat(&self) -> Duration {
        Duration::from_millis(self.heartbeat_ms)
    }

    pub(crate) fn drain_time(&self) -> Duration {
        Duration::from_millis(self.drain_ms)
    }
}
