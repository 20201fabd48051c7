//! The servers that tests share, by hand: `devkit start`, `status`, `stop`.
//!
//! For `make test` and for people who write tests; `codementor up` starts its own.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use devkit::{DevkitError, Stack, config::Config, resolve_jars};

/// The Postgres and the Kafka that all tests share.
#[derive(Debug, Parser)]
#[command(name = "devkit")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum Command {
    /// Start what is not running and print how to reach it.
    Start,
    /// Say what runs.
    Status,
    /// End both and remove what they stored.
    Stop,
    /// Fetch Kafka's jars if they are not there yet, and print where they are.
    Jars,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse().command).await {
        Ok(lines) => {
            print!("{lines}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("devkit: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<String, DevkitError> {
    let stack = Stack::for_tests()?;
    Ok(match command {
        Command::Start => {
            let (url, brokers) = (stack.database_url().await?, stack.brokers().await?);
            stack.clear().await?;
            format!("DATABASE_URL={url}\nKAFKA_BROKERS={brokers}\n")
        }
        Command::Status => {
            let (postgres, kafka) = stack.status().await?;
            let say = |pid: Option<u32>| {
                pid.map_or("not running".to_owned(), |pid| {
                    format!("runs as process {pid}")
                })
            };
            format!("postgres {}\nkafka {}\n", say(postgres), say(kafka))
        }
        Command::Stop => {
            stack.stop().await?;
            String::new()
        }
        Command::Jars => {
            let jars = resolve_jars(&Config::from_env()?.cache()?).await?;
            format!("{}\n", jars.display())
        }
    })
}
