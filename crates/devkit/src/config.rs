//! What devkit takes from the environment: the only place that reads it.

use std::path::PathBuf;

use clap::Parser;

use crate::DevkitError;

/// Settings of the stack that tests share, and of where things are kept. All optional.
#[derive(Debug, Clone, Parser)]
#[command(no_binary_name = true, disable_help_flag = true)]
pub struct Config {
    /// Use this Postgres server in tests instead of starting one; the account must be allowed to create databases.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// Use these Kafka brokers in tests instead of starting one.
    #[arg(long, env = "KAFKA_BROKERS")]
    pub kafka_brokers: Option<String>,
    /// Where the servers that tests share live; default: `devkit` in cargo's target folder.
    #[arg(long, env = "CODEMENTOR_TEST_STACK")]
    pub test_stack: Option<PathBuf>,
    /// Where Kafka's jars are kept between runs; default: `codementor` in the user's cache folder.
    #[arg(long, env = "CODEMENTOR_CACHE")]
    pub cache: Option<PathBuf>,
    /// The user's cache folder.
    #[arg(long, env = "XDG_CACHE_HOME", hide = true)]
    xdg_cache_home: Option<PathBuf>,
    /// The user's home.
    #[arg(long, env = "HOME", hide = true)]
    home: Option<PathBuf>,
    /// Where programs are looked for; the servers get this and nothing else of the environment.
    #[arg(
        long,
        env = "PATH",
        hide = true,
        default_value = "/usr/local/bin:/usr/bin:/bin"
    )]
    pub(crate) path: String,
}

impl Config {
    /// Reads the environment.
    pub fn from_env() -> Result<Self, DevkitError> {
        Ok(Self::try_parse_from(std::iter::empty::<&str>())?)
    }

    /// The folder that jars are kept in, shared by all checkouts of this user.
    pub fn cache(&self) -> Result<PathBuf, DevkitError> {
        let non_empty = |path: &Option<PathBuf>| path.clone().filter(|path| path.is_absolute());
        non_empty(&self.cache)
            .or_else(|| non_empty(&self.xdg_cache_home).map(|path| path.join("codementor")))
            .or_else(|| non_empty(&self.home).map(|path| path.join(".cache/codementor")))
            .ok_or(DevkitError::NoCache)
    }

    /// The first executable of that name on the path.
    pub(crate) fn find_program(&self, name: &str) -> Option<PathBuf> {
        std::env::split_paths(&self.path)
            .map(|folder| folder.join(name))
            .find(|program| program.is_file())
    }
}
