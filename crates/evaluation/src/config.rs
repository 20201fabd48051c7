//! Every setting of evaluation, with its variable and default: `--help` is the reference.

use std::{fmt, str::FromStr, time::Duration};

use clap::ValueEnum;
use queue::KafkaConfig;
use service::config::{DatabaseConfig, KeysConfig, ListenConfig, http_url};

use crate::{
    error::EvaluationError,
    reviewer::{
        Reviewer,
        openai::{OpenAi, Patience, Server},
    },
};

/// Settings of evaluation.
#[derive(Debug, Clone, clap::Args)]
pub struct Config {
    /// Where it listens; only probes are served.
    #[command(flatten)]
    pub listen: ListenConfig,
    /// Its tables.
    #[command(flatten)]
    pub database: DatabaseConfig,
    /// Its key.
    #[command(flatten)]
    pub keys: KeysConfig,
    /// Its topics.
    #[command(flatten)]
    pub kafka: KafkaConfig,
    /// What this process does
    #[arg(long, env = "CODEMENTOR_ROLE", value_enum, default_value_t = Role::Both)]
    pub role: Role,
    /// The runners' base addresses, with commas between; a name with several addresses stands for as many runners
    #[arg(
        long,
        env = "CODEMENTOR_RUNNER_URLS",
        value_name = "URLS",
        value_delimiter = ',',
        value_parser = http_url,
        default_value = "http://127.0.0.1:8084"
    )]
    pub runner_urls: Vec<String>,
    /// Base address of question, from which runners fetch tests
    #[arg(
        long,
        env = "CODEMENTOR_QUESTION_URL",
        value_name = "URL",
        value_parser = http_url,
        default_value = "http://127.0.0.1:8083"
    )]
    pub question_url: String,
    /// Judge jobs of learners held at once, those that wait for a runner included
    #[arg(
        long,
        env = "CODEMENTOR_JUDGE_WINDOW",
        value_name = "N",
        default_value_t = 32
    )]
    pub judge_window: usize,
    /// Judge jobs of batches held at once
    #[arg(
        long,
        env = "CODEMENTOR_BULK_WINDOW",
        value_name = "N",
        default_value_t = 4
    )]
    pub bulk_window: usize,
    /// Review jobs held at once
    #[arg(
        long,
        env = "CODEMENTOR_REVIEW_WINDOW",
        value_name = "N",
        default_value_t = 64
    )]
    pub review_window: usize,
    /// Longest silence of a runner that judges, in milliseconds, before it counts as lost; four times the time limit is added
    #[arg(
        long,
        env = "CODEMENTOR_RUNNER_SILENCE_MS",
        value_name = "MS",
        default_value_t = 60_000
    )]
    pub runner_silence_ms: u64,
    /// Who reviews.
    #[command(flatten)]
    pub review: ReviewConfig,
}

/// What a process of evaluation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Has submissions judged.
    Judge,
    /// Has judged submissions reviewed.
    Review,
    /// Both.
    Both,
}

impl Role {
    pub(crate) fn judges(self) -> bool {
        self != Self::Review
    }

    pub(crate) fn reviews(self) -> bool {
        self != Self::Judge
    }
}

/// Who reviews, and how much.
#[derive(Debug, Clone, clap::Args)]
pub struct ReviewConfig {
    /// Who reviews; when not said, the language model if its address is given, else the built-in rules
    #[arg(long, env = "CODEMENTOR_REVIEWER", value_enum)]
    pub reviewer: Option<ReviewerKind>,
    /// Base address of an OpenAI-compatible API, such as https://api.openai.com/v1
    #[arg(long, env = "CODEMENTOR_REVIEW_URL", value_name = "URL")]
    pub review_url: Option<String>,
    /// The key for it; none where it asks for none
    #[arg(
        long,
        env = "CODEMENTOR_REVIEW_KEY",
        value_name = "KEY",
        hide_env_values = true
    )]
    pub review_key: Option<Secret>,
    /// The model's name there
    #[arg(long, env = "CODEMENTOR_REVIEW_MODEL", value_name = "MODEL")]
    pub review_model: Option<String>,
    /// Most tokens that the model may write for a review
    #[arg(
        long,
        env = "CODEMENTOR_REVIEW_MAX_TOKENS",
        value_name = "N",
        default_value_t = 4_000
    )]
    pub review_max_tokens: u32,
    /// Calls of the model for one account on one day (UTC)
    #[arg(
        long,
        env = "CODEMENTOR_REVIEW_CALLS_PER_DAY",
        value_name = "N",
        default_value_t = 50
    )]
    pub review_calls_per_day: u32,
    /// Longest wait for a connection to the API, in milliseconds
    #[arg(
        long,
        env = "CODEMENTOR_REVIEW_CONNECT_MS",
        value_name = "MS",
        default_value_t = 5_000
    )]
    pub review_connect_ms: u64,
    /// Longest wait for the first piece of an answer, in milliseconds
    #[arg(
        long,
        env = "CODEMENTOR_REVIEW_FIRST_BYTE_MS",
        value_name = "MS",
        default_value_t = 30_000
    )]
    pub review_first_byte_ms: u64,
    /// Longest silence in the middle of an answer, in milliseconds
    #[arg(
        long,
        env = "CODEMENTOR_REVIEW_SILENCE_MS",
        value_name = "MS",
        default_value_t = 20_000
    )]
    pub review_silence_ms: u64,
    /// Longest review, in milliseconds, retries included
    #[arg(
        long,
        env = "CODEMENTOR_REVIEW_TOTAL_MS",
        value_name = "MS",
        default_value_t = 120_000
    )]
    pub review_total_ms: u64,
}

/// Who can review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReviewerKind {
    /// Static rules of our own.
    Builtin,
    /// A language model behind an OpenAI-compatible API.
    Openai,
    /// Nobody.
    Off,
}

impl ReviewConfig {
    /// An empty variable counts as none: compose files set them so.
    fn url(&self) -> Option<&str> {
        self.review_url.as_deref().filter(|url| !url.is_empty())
    }

    /// Who reviews.
    pub fn kind(&self) -> ReviewerKind {
        self.reviewer.unwrap_or(match self.url() {
            Some(_) => ReviewerKind::Openai,
            None => ReviewerKind::Builtin,
        })
    }

    pub(crate) fn build(&self) -> Result<Reviewer, EvaluationError> {
        match self.kind() {
            ReviewerKind::Off => Ok(Reviewer::Off),
            ReviewerKind::Builtin => Ok(Reviewer::Builtin),
            ReviewerKind::Openai => {
                let openai = OpenAi::new(self.server()?).map_err(EvaluationError::Reviewer)?;
                Ok(Reviewer::OpenAi(Box::new(openai)))
            }
        }
    }

    fn server(&self) -> Result<Server, EvaluationError> {
        let missing = |name| {
            EvaluationError::Setting(format!("set {name}: the reviewer is a language model"))
        };
        let url = self.url().ok_or_else(|| missing("CODEMENTOR_REVIEW_URL"))?;
        if reqwest::Url::parse(url).is_err() || !url.starts_with("http") {
            return Err(EvaluationError::Setting(
                "CODEMENTOR_REVIEW_URL is no http address; it looks like https://api.openai.com/v1"
                    .into(),
            ));
        }
        let model = self.review_model.clone().filter(|model| !model.is_empty());
        Ok(Server {
            url: url.to_owned(),
            key: self.review_key.clone().filter(|key| !key.0.is_empty()),
            model: model.ok_or_else(|| missing("CODEMENTOR_REVIEW_MODEL"))?,
            max_tokens: self.review_max_tokens,
            patience: Patience {
                connect: Duration::from_millis(self.review_connect_ms),
                first_byte: Duration::from_millis(self.review_first_byte_ms),
                next_byte: Duration::from_millis(self.review_silence_ms),
                total: Duration::from_millis(self.review_total_ms),
            },
        })
    }
}

/// A text that is never shown.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Only for where it is sent.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.trim().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Cli {
        #[command(flatten)]
        review: ReviewConfig,
    }

    fn parse(arguments: &[&str]) -> ReviewConfig {
        Cli::try_parse_from(["test"].iter().chain(arguments))
            .expect("valid arguments")
            .review
    }

    #[test]
    fn a_model_reviews_where_its_address_is_given() {
        assert_eq!(parse(&[]).kind(), ReviewerKind::Builtin);
        assert_eq!(parse(&["--review-url="]).kind(), ReviewerKind::Builtin);
        let url = "--review-url=http://127.0.0.1/v1";
        assert_eq!(parse(&[url]).kind(), ReviewerKind::Openai);
        assert_eq!(
            parse(&[url, "--reviewer=off"]).kind(),
            ReviewerKind::Off,
            "what is said outright decides"
        );
    }

    #[test]
    fn says_what_is_missing() {
        let error = |arguments: &[&str]| {
            parse(arguments)
                .server()
                .err()
                .map(|error| error.to_string())
        };
        assert_eq!(
            error(&["--review-url=http://127.0.0.1/v1"]).as_deref(),
            Some("set CODEMENTOR_REVIEW_MODEL: the reviewer is a language model")
        );
        assert_eq!(
            error(&["--reviewer=openai", "--review-model=m"]).as_deref(),
            Some("set CODEMENTOR_REVIEW_URL: the reviewer is a language model")
        );
        assert!(error(&["--review-url=gpt", "--review-model=m"]).is_some());
        assert_eq!(
            error(&["--review-url=http://127.0.0.1/v1", "--review-model=m"]),
            None
        );
    }

    #[test]
    fn a_key_is_never_shown() {
        let config = parse(&["--review-key=sk-123"]);
        assert!(!format!("{config:?}").contains("sk-123"));
    }
}
