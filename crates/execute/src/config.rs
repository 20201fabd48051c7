//! Execute's configuration. `codementor execute --help` is the reference.

use std::time::Duration;

use clap::Args;
use queue::KafkaConfig;
use service::config::{DatabaseConfig, KeysConfig, ListenConfig, http_url, seconds};

/// Execute's configuration.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// Where it listens.
    #[command(flatten)]
    pub listen: ListenConfig,
    /// Where its tables are.
    #[command(flatten)]
    pub database: DatabaseConfig,
    /// Its own key and those it trusts.
    #[command(flatten)]
    pub keys: KeysConfig,
    /// Where Kafka is.
    #[command(flatten)]
    pub kafka: KafkaConfig,
    /// Base address of the question service
    #[arg(
        long,
        env = "CODEMENTOR_QUESTION_URL",
        value_parser = http_url,
        default_value = "http://127.0.0.1:8083"
    )]
    pub question_url: String,
    /// Base addresses of the runners, which say what languages there are
    #[arg(
        long,
        env = "CODEMENTOR_RUNNER_URLS",
        value_delimiter = ',',
        value_parser = http_url,
        default_value = "http://127.0.0.1:8084"
    )]
    pub runner_urls: Vec<String>,
    /// What it may take, and how patient it is.
    #[command(flatten)]
    pub patience: Patience,
}

/// How long things may take, and how much may wait.
#[derive(Debug, Clone, Args)]
pub struct Patience {
    /// Seconds after which a submission without a verdict fails
    #[arg(long, env = "CODEMENTOR_SUBMISSION_DEADLINE", value_name = "SECONDS", value_parser = seconds, default_value = "86400")]
    pub submission_deadline: Duration,
    /// Seconds after which a run that was not done fails
    #[arg(long, env = "CODEMENTOR_RUN_DEADLINE", value_name = "SECONDS", value_parser = seconds, default_value = "60")]
    pub run_deadline: Duration,
    /// Seconds without a word after which a job may be lost: a worker's lease and ten more
    #[arg(long, env = "CODEMENTOR_JOB_SILENCE", value_name = "SECONDS", value_parser = seconds, default_value = "20")]
    pub silence: Duration,
    /// How often a job is sent before its submission fails
    #[arg(long, env = "CODEMENTOR_JOB_TRIES", default_value_t = 3)]
    pub tries: u32,
    /// Seconds between two looks for what is late or lost
    #[arg(long, env = "CODEMENTOR_WATCH_INTERVAL", value_name = "SECONDS", value_parser = seconds, default_value = "2")]
    pub watch_interval: Duration,
    /// Seconds that runs are kept
    #[arg(long, env = "CODEMENTOR_RUN_KEPT", value_name = "SECONDS", value_parser = seconds, default_value = "3600")]
    pub run_kept: Duration,
    /// Messages that may wait for Kafka before nothing more is accepted
    #[arg(long, env = "CODEMENTOR_OUTBOX_ROWS", default_value_t = 100_000)]
    pub outbox_rows: u64,
    /// Seconds that a message may wait for Kafka before nothing more is accepted
    #[arg(long, env = "CODEMENTOR_OUTBOX_AGE", value_name = "SECONDS", value_parser = seconds, default_value = "600")]
    pub outbox_age: Duration,
    /// Submissions and runs of one account that may wait for their verdict at a time; 0: as many as come
    #[arg(long, env = "CODEMENTOR_WAITING_PER_ACCOUNT", default_value_t = 10)]
    pub waiting_per_account: u32,
    /// Submissions and runs that may wait for their turn before nothing more is accepted
    #[arg(long, env = "CODEMENTOR_WAITING_MOST", default_value_t = 100_000)]
    pub waiting_most: u64,
    /// Seconds that the oldest may wait for its turn before nothing more is accepted
    #[arg(long, env = "CODEMENTOR_WAITING_AGE", value_name = "SECONDS", value_parser = seconds, default_value = "7200")]
    pub waiting_age: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            submission_deadline: Duration::from_hours(24),
            run_deadline: Duration::from_mins(1),
            silence: Duration::from_secs(20),
            tries: 3,
            watch_interval: Duration::from_secs(2),
            run_kept: Duration::from_hours(1),
            outbox_rows: 100_000,
            outbox_age: Duration::from_mins(10),
            waiting_per_account: 10,
            waiting_most: 100_000,
            waiting_age: Duration::from_hours(2),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        patience: Patience,
    }

    #[test]
    fn the_flags_defaults_are_the_types() {
        let program = Program::try_parse_from(["execute"]).expect("nothing is required");
        assert_eq!(
            format!("{:?}", program.patience),
            format!("{:?}", Patience::default())
        );
    }
}
