//! The command line: one subcommand a service, and the tools around them. `--help` is the reference.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand, ValueEnum};
use contract::Role;

use queue::KafkaConfig;
use service::{
    Listeners, Shutdown,
    config::{DatabaseConfig, ListenConfig},
};

use crate::{
    audit::Audit,
    backup::{Backup, Restore},
    bench::Bench,
    client::Client,
    load::Load,
    operate::{DeadLetters, Intake},
    run_file::Run,
    submit::Submit,
    transfer::{Export, Import},
    up,
    verify::Verify,
};

/// Judge and review code over an exact stream: the services, and the tools around them.
#[derive(Debug, Parser)]
#[command(
    name = "codementor",
    version,
    max_term_width = 120,
    after_help = "\
Variables of every command:
  CODEMENTOR_LOG               What is logged, as a filter of levels and modules, for example info,sqlx=debug
  OTEL_EXPORTER_OTLP_ENDPOINT  Who collects spans: an OpenTelemetry collector's OTLP over HTTP, for example http://127.0.0.1:4318; unset, nobody
  CODEMENTOR_TRACES_SHARE      Of so many traces, 0 to 1 [default: 1]"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start everything on this machine, with a Postgres and a Kafka of its own; Ctrl-C ends it
    Up(Up),
    /// Make keys, database tables, Kafka topics and the first admin; may be run again
    Setup(Setup),
    /// Authenticate, route, hold the streams
    Gateway(Service<gateway::Config>),
    /// Take submissions, keep their events, watch their deadlines
    Execute(Service<execute::Config>),
    /// Keep questions, tests and drivers
    Question(Service<question::Config>),
    /// Consume jobs: judge them on runners, have them reviewed
    Evaluation(Service<evaluation::Config>),
    /// Compile and run code in a sandbox
    Runner(Service<runner::Config>),
    /// Print an access token of a demo account of a running `up`
    Token(Token),
    /// Submit a file and watch it being judged
    Submit(Submit),
    /// Prove that all that was accepted is over, or still may be; exits 0: balanced, 1: a hole, 2: cannot know yet
    Audit(Audit),
    /// List, show, send again or throw away what could not be processed
    DeadLetters(DeadLetters),
    /// Look at the intake, close it, open it
    Intake(Intake),
    /// Write everything that was accepted so far into a new folder, while all goes on
    Backup(Backup),
    /// Bring a backup back into an empty place, before anything runs there
    Restore(Restore),
    /// Compile and run a file on standard input, without a server
    Run(Run),
    /// Judge the jury's submissions of problem packages and compare, without a server
    Verify(Verify),
    /// Make draft questions of problem packages
    Import(Import),
    /// Write a question as a problem package
    Export(Export),
    /// Put load on the whole pipeline and check every stream
    Load(Load),
    /// Measure what the README states and print one table
    Bench(Bench),
    /// Print the public API's OpenAPI document
    Openapi,
}

impl Command {
    /// How long it may take to finish what is begun when it is told to end.
    pub(crate) fn grace(&self) -> Duration {
        match self {
            Self::Gateway(service) => service.grace(),
            Self::Execute(service) => service.grace(),
            Self::Question(service) => service.grace(),
            Self::Evaluation(service) => service.grace(),
            Self::Runner(service) => service.grace(),
            _ => Shutdown::GRACE,
        }
    }
}

/// One service, and how it ends.
#[derive(Debug, Args)]
pub(crate) struct Service<C: Args> {
    #[command(flatten)]
    config: C,
    /// When told to end: how long what is begun may take to finish; then it is dropped, and done again elsewhere
    #[arg(
        long,
        env = "CODEMENTOR_SHUTDOWN_GRACE_S",
        value_name = "SECONDS",
        default_value_t = Shutdown::GRACE.as_secs()
    )]
    shutdown_grace_s: u64,
}

impl<C: Args> Service<C> {
    fn grace(&self) -> Duration {
        Duration::from_secs(self.shutdown_grace_s)
    }

    /// Binds its addresses and runs it until it is asked to end.
    pub(crate) async fn run<Run, Running, Failure>(
        self,
        listen: fn(&C) -> &ListenConfig,
        run: Run,
        shutdown: Shutdown,
    ) -> Result<()>
    where
        Run: FnOnce(C, Listeners, Shutdown) -> Running,
        Running: Future<Output = Result<(), Failure>>,
        Failure: std::error::Error + Send + Sync + 'static,
    {
        let listeners = Listeners::bind(listen(&self.config)).await?;
        Ok(run(self.config, listeners, shutdown).await?)
    }
}

/// How `up` starts.
#[derive(Debug, Args)]
pub(crate) struct Up {
    #[command(flatten)]
    pub(crate) data: DataDir,
    /// Where the public API listens; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// Run each service as a process of its own (the runner always is one)
    #[arg(long)]
    pub(crate) split: bool,
    #[command(flatten)]
    pub(crate) servers: Servers,
}

/// Servers to use instead of private ones.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Servers {
    /// Use this Postgres database instead of starting a server
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub(crate) database_url: Option<String>,
    /// Use these Kafka brokers instead of starting one
    #[arg(long, env = "KAFKA_BROKERS")]
    pub(crate) kafka_brokers: Option<String>,
    /// Put this before the names of topics and groups
    #[arg(long, env = "CODEMENTOR_TOPIC_PREFIX", default_value = "")]
    pub(crate) topic_prefix: String,
}

impl Servers {
    /// Both addresses: those given, else those that the running `up` of that folder uses.
    pub(crate) fn or_those_of(&self, data: &DataDir) -> Result<up::Addresses> {
        if let (Some(database_url), Some(kafka_brokers)) = (&self.database_url, &self.kafka_brokers)
        {
            return Ok(up::Addresses {
                database_url: database_url.clone(),
                kafka_brokers: kafka_brokers.clone(),
                topic_prefix: self.topic_prefix.clone(),
            });
        }
        up::Summary::read(&data.path)?
            .servers
            .context("the running `up` is an older one: start it again")
    }
}

/// Make keys, database tables, Kafka topics and the first admin.
#[derive(Debug, Args)]
pub(crate) struct Setup {
    #[command(flatten)]
    pub(crate) database: DatabaseConfig,
    #[command(flatten)]
    pub(crate) kafka: KafkaConfig,
    /// The folder for the services' keys; none are made without it
    #[arg(long, env = "CODEMENTOR_KEYS", value_name = "DIR")]
    pub(crate) keys: Option<PathBuf>,
    /// How many partitions topics get, and how often they are kept
    #[arg(long, env = "CODEMENTOR_PROFILE", value_enum, default_value_t = Profile::Prod)]
    pub(crate) profile: Profile,
    /// The e-mail address of the first admin: an account is made for it, and a one-time sign-in code printed
    #[arg(long, value_name = "EMAIL")]
    pub(crate) admin: Option<String>,
}

/// Sizes of topics.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Profile {
    /// A laptop: few partitions, one copy
    Dev,
    /// A cluster: many partitions, three copies
    Prod,
}

/// The folder of an `up`.
#[derive(Debug, Clone, Args)]
pub(crate) struct DataDir {
    /// The folder that `up` keeps everything in
    #[arg(
        long = "data",
        value_name = "DIR",
        env = "CODEMENTOR_DATA",
        default_value = ".data"
    )]
    pub(crate) path: PathBuf,
}

/// Where things lie: in the folder of an `up`, or in three places of their own.
#[derive(Debug, Args)]
pub(crate) struct Place {
    #[command(flatten)]
    pub(crate) data: DataDir,
    /// The database, where it is not that of an `up`
    #[arg(
        long,
        env = "DATABASE_URL",
        hide_env_values = true,
        value_name = "URL",
        requires = "blobs"
    )]
    pub(crate) database_url: Option<String>,
    /// With it: the folder of question's blobs
    #[arg(long, env = "CODEMENTOR_BLOBS", value_name = "DIR")]
    pub(crate) blobs: Option<PathBuf>,
    /// With it: the folder of the services' keys; left out, keys are kept elsewhere
    #[arg(long, env = "CODEMENTOR_KEYS", value_name = "DIR")]
    pub(crate) keys: Option<PathBuf>,
}

impl Place {
    /// The folder of bodies of tests.
    pub(crate) fn blobs(&self) -> PathBuf {
        let of_up = || self.data.path.join("blobs");
        self.blobs
            .clone()
            .filter(|_| self.database_url.is_some())
            .unwrap_or_else(of_up)
    }

    /// The folder of keys, unless they are kept elsewhere.
    pub(crate) fn keys(&self) -> Option<PathBuf> {
        match self.database_url {
            Some(_) => self.keys.clone(),
            None => Some(self.data.path.join("keys")),
        }
    }
}

/// Whose token.
#[derive(Debug, Args)]
pub(crate) struct Token {
    #[command(flatten)]
    data: DataDir,
    /// The demo account's role
    #[arg(long, value_enum)]
    role: DemoRole,
}

/// The roles that `up` makes demo accounts for.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum DemoRole {
    /// Submits
    Learner,
    /// Manages questions
    Teacher,
    /// Manages everything
    Admin,
}

impl From<DemoRole> for Role {
    fn from(role: DemoRole) -> Self {
        match role {
            DemoRole::Learner => Self::Learner,
            DemoRole::Teacher => Self::Teacher,
            DemoRole::Admin => Self::Admin,
        }
    }
}

impl Token {
    /// Signs in as the demo account and answers with its token.
    pub(crate) async fn print(self) -> Result<String> {
        let up = up::Summary::read(&self.data.path)?;
        let client = up.sign_in(self.role.into()).await?;
        Ok(client.token().to_owned())
    }
}

/// Which server a client command talks to, and as whom.
#[derive(Debug, Args)]
pub(crate) struct Server {
    #[command(flatten)]
    data: DataDir,
    /// The server's address; default: the running `up` of the data folder
    #[arg(long, env = "CODEMENTOR_URL", requires = "token", global = true)]
    url: Option<String>,
    /// An access token or API token; default: that of the demo account whose role the command wants
    #[arg(long, env = "CODEMENTOR_TOKEN", hide_env_values = true, global = true)]
    token: Option<String>,
}

impl Server {
    /// A client of the address and with the token given, else of the running `up`, as its demo account of that role.
    pub(crate) async fn connect(&self, role: Role) -> Result<Client> {
        if let (Some(url), Some(token)) = (&self.url, &self.token) {
            return Client::new(url, token);
        }
        let up = up::Summary::read(&self.data.path)?;
        match &self.token {
            Some(token) => Client::new(&up.url, token),
            None => up.sign_in(role).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn is_consistent() {
        Cli::command().debug_assert();
    }
}
