//! The settings that all services have in common, as pieces to flatten into each service's own.
//!
//! The only place of this crate that reads the environment. Says nothing of what a setting is good for beyond its own line of help.

use std::{fmt, net::SocketAddr, path::PathBuf, time::Duration};

use clap::Args;

/// What is logged unless told: libraries only when something is wrong.
pub(crate) const DEFAULT_FILTER: &str = "info,rdkafka=warn,sqlx=warn,hyper=warn";

/// Where a service listens.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct ListenConfig {
    /// The address for requests; port 0 takes any free one
    #[arg(
        long,
        env = "CODEMENTOR_LISTEN",
        default_value = "127.0.0.1:8080",
        value_name = "ADDRESS"
    )]
    pub listen: SocketAddr,
    /// The address for probes and metrics, for the operator only; port 0 takes any free one
    #[arg(
        long,
        env = "CODEMENTOR_OPS_LISTEN",
        default_value = "127.0.0.1:9080",
        value_name = "ADDRESS"
    )]
    pub ops_listen: SocketAddr,
}

/// Where the database is.
#[derive(Args, Clone, PartialEq, Eq)]
pub struct DatabaseConfig {
    /// The Postgres database, as postgres://user:password@host:port/name
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL", value_parser = database_url)]
    pub database_url: String,
    /// How many connections this service holds at most
    #[arg(long, env = "DATABASE_POOL", default_value_t = DatabaseConfig::POOL, value_name = "COUNT")]
    pub database_pool: u32,
    /// Seconds without an answer after which a connection counts as broken: more than the 30 that a statement may take
    #[arg(long, env = "DATABASE_PATIENCE", value_name = "SECONDS", value_parser = seconds, default_value = "35")]
    pub database_patience: Duration,
}

impl DatabaseConfig {
    /// How many connections a service holds at most, unless told.
    const POOL: u32 = 16;

    /// How long it waits for an answer, unless told.
    const PATIENCE: Duration = Duration::from_secs(35);

    /// That database, with the usual number of connections.
    pub fn new(database_url: impl Into<String>) -> Self {
        Self {
            database_url: database_url.into(),
            database_pool: Self::POOL,
            database_patience: Self::PATIENCE,
        }
    }
}

impl fmt::Debug for DatabaseConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseConfig")
            .field("database_url", &"…")
            .field("database_pool", &self.database_pool)
            .field("database_patience", &self.database_patience)
            .finish()
    }
}

/// The keys of a service that others call and that calls others.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct KeysConfig {
    /// The file with this service's own private key (Ed25519, PKCS#8, PEM); `codementor setup --keys` makes it
    #[arg(long, env = "CODEMENTOR_SERVICE_KEY", value_name = "FILE")]
    pub service_key: PathBuf,
    /// The keys of the others.
    #[command(flatten)]
    pub trusted: TrustedKeysConfig,
}

/// The keys of a service that others call, and that itself calls nobody with a key of its own.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct TrustedKeysConfig {
    /// The file with the public keys of all services (JWKS, `kid` is the service's name); `codementor setup --keys` makes it
    #[arg(long, env = "CODEMENTOR_TRUSTED_KEYS", value_name = "FILE")]
    pub trusted_keys: PathBuf,
}

/// Reads seconds, fractions allowed, more than zero.
pub fn seconds(text: &str) -> Result<Duration, String> {
    let number: f64 = text
        .parse()
        .map_err(|_| "not a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(number)
        .ok()
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| "not a number of seconds above zero".to_owned())
}

fn database_url(text: &str) -> Result<String, String> {
    let is_postgres = ["postgres://", "postgresql://"]
        .iter()
        .any(|scheme| text.starts_with(scheme));
    if is_postgres && reqwest::Url::parse(text).is_ok() {
        Ok(text.to_owned())
    } else {
        Err("it is no address of a Postgres database".to_owned())
    }
}

/// An address of a service or of a page: takes `http://` and `https://` with a host.
pub fn http_url(text: &str) -> Result<String, String> {
    match reqwest::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => {
            Ok(text.to_owned())
        }
        _ => Err("it is no address that begins with http:// or https://".to_owned()),
    }
}

/// The same, or nothing: compose files set what they do not have to an empty text.
pub fn http_url_or_nothing(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Ok(String::new());
    }
    http_url(text)
}

/// What is logged, in the words of `tracing`'s filter: `CODEMENTOR_LOG`, else what an operator wants to read.
pub(crate) fn log_filter() -> String {
    variable("CODEMENTOR_LOG").unwrap_or_else(|| DEFAULT_FILTER.to_owned())
}

/// Who collects spans.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Collector {
    /// The address that takes traces.
    pub(crate) traces: String,
    /// Of so many traces, 0 to 1.
    share: f64,
}

impl Collector {
    /// Whether this trace is among those that are collected: the same answer in every process.
    pub(crate) fn wants(&self, trace_id: u128) -> bool {
        /// As many as a float tells apart: two to the power of 53.
        const PLACES: f64 = 9_007_199_254_740_992.0;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            reason = "53 bits are left"
        )]
        let place = (trace_id as u64 >> 11) as f64;
        place < self.share * PLACES
    }
}

/// Whom spans are sent to, if anybody: `OTEL_EXPORTER_OTLP_ENDPOINT`, and of which share of traces `CODEMENTOR_TRACES_SHARE`.
pub(crate) fn collector() -> Result<Option<Collector>, VariableError> {
    collector_of(
        variable("OTEL_EXPORTER_OTLP_ENDPOINT").as_deref(),
        variable("CODEMENTOR_TRACES_SHARE").as_deref(),
    )
}

fn collector_of(
    endpoint: Option<&str>,
    share: Option<&str>,
) -> Result<Option<Collector>, VariableError> {
    let share = match share.map(|text| (text, text.parse::<f64>())) {
        None => 1.0,
        Some((_, Ok(share))) if (0.0..=1.0).contains(&share) => share,
        Some((value, _)) => {
            return Err(VariableError {
                name: "CODEMENTOR_TRACES_SHARE",
                value: value.to_owned(),
                wants: "the share of traces that are collected, from 0 to 1",
                example: "0.1",
            });
        }
    };
    let Some(endpoint) = endpoint else {
        return Ok(None);
    };
    let base = http_url(endpoint).map_err(|_| VariableError {
        name: "OTEL_EXPORTER_OTLP_ENDPOINT",
        value: endpoint.to_owned(),
        wants: "the address of an OpenTelemetry collector that takes OTLP over HTTP",
        example: "http://127.0.0.1:4318",
    })?;
    Ok(Some(Collector {
        traces: format!("{}/v1/traces", base.trim_end_matches('/')),
        share,
    }))
}

/// A variable that every program of ours understands has a value that none does.
#[derive(Debug, thiserror::Error)]
#[error("{name} is {value:?}, which is not right: it wants {wants}, for example {name}={example}")]
pub struct VariableError {
    name: &'static str,
    value: String,
    wants: &'static str,
    example: &'static str,
}

/// Unset and empty are the same.
fn variable(name: &str) -> Option<String> {
    std::env::var(name)
        .ok()
        .filter(|value| !value.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct All {
        #[command(flatten)]
        listen: ListenConfig,
        #[command(flatten)]
        database: DatabaseConfig,
        #[command(flatten)]
        keys: KeysConfig,
    }

    #[test]
    fn addresses_are_checked() {
        assert!(database_url("postgresql://u:p@h:5432/d?sslmode=require").is_ok());
        for wrong in ["", "mysql://h/d", "postgres://h:port/d", "h"] {
            assert!(database_url(wrong).is_err(), "{wrong}");
        }
        for right in [
            "http://runner:8080",
            "https://codementor.example.org/",
            "http://[::1]:1",
        ] {
            assert_eq!(http_url(right).as_deref(), Ok(right));
        }
        for wrong in ["", "runner:8080", "ftp://h", "http://", "/v1"] {
            assert!(http_url(wrong).is_err(), "{wrong}");
        }
        assert!(http_url_or_nothing("").is_ok() && http_url_or_nothing("x").is_err());
    }

    #[test]
    fn takes_everything_as_flags() {
        let all = All::try_parse_from([
            "service",
            "--listen=127.0.0.1:1",
            "--ops-listen=[::1]:2",
            "--database-url=postgres://u:secret@h/d",
            "--database-pool=3",
            "--database-patience=1.5",
            "--service-key=a.pem",
            "--trusted-keys=b.json",
        ])
        .expect("all are known");
        assert_eq!(
            (all.listen.listen.port(), all.listen.ops_listen.port()),
            (1, 2)
        );
        assert_eq!(all.database.database_pool, 3);
        assert_eq!(all.database.database_patience, Duration::from_millis(1_500));
        assert_eq!(all.keys.trusted.trusted_keys, PathBuf::from("b.json"));
        assert!(
            !format!("{all:?}").contains("secret"),
            "passwords are not shown"
        );
    }

    #[test]
    fn durations_are_seconds() {
        assert_eq!(seconds("1.5"), Ok(Duration::from_millis(1_500)));
        for bad in ["0", "-1", "x", "inf", "NaN"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn spans_go_where_the_usual_variable_says() {
        let traces = |endpoint| {
            let collector = collector_of(Some(endpoint), None).expect("an address");
            collector.expect("somebody collects").traces
        };
        assert_eq!(traces("http://c:4318"), "http://c:4318/v1/traces");
        assert_eq!(traces("http://c:4318/"), "http://c:4318/v1/traces");
        assert_eq!(collector_of(None, Some("0.5")).expect("right"), None);
    }

    #[test]
    fn a_wrong_collector_is_named_with_an_example() {
        for (endpoint, share, name) in [
            ("collector:4318", "1", "OTEL_EXPORTER_OTLP_ENDPOINT"),
            ("http://c", "2", "CODEMENTOR_TRACES_SHARE"),
            ("http://c", "much", "CODEMENTOR_TRACES_SHARE"),
            ("http://c", "NaN", "CODEMENTOR_TRACES_SHARE"),
        ] {
            let error = collector_of(Some(endpoint), Some(share)).expect_err("wrong");
            let said = error.to_string();
            assert!(said.contains(&format!("for example {name}=")), "{said}");
        }
    }

    #[test]
    fn the_share_is_that_of_all_traces() {
        let collector = |share| {
            let found = collector_of(Some("http://c"), Some(share));
            found.expect("right").expect("somebody collects")
        };
        let ids: Vec<u128> = (0..1000).map(|_| rand::random()).collect();
        let wanted = |share| ids.iter().filter(|id| collector(share).wants(**id)).count();
        assert_eq!((wanted("0"), wanted("1")), (0, 1000));
        assert!((150..350).contains(&wanted("0.25")), "{}", wanted("0.25"));
    }
}
