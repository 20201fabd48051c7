//! The servers that tests share, by hand: `devkit start`, `status`, `stop`.
//!
//! For `make test` and for people who write tests; `codementor up` starts its own.

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use devkit::{DevkitError, Kafka, Postgres, Stack, config::Config, resolve_jars};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The Postgres and the Kafka that all tests share.
#[derive(Debug, Parser)]
#[command(name = "devkit")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, Subcommand)]
enum Command {
    /// Start what is not running and print how to reach it.
    Start,
    /// Say what runs.
    Status,
    /// End both and remove what they stored.
    Stop,
    /// Run both in a folder of your choice, whose data stays, until Ctrl-C.
    Run {
        /// The folder.
        dir: PathBuf,
    },
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
        Command::Run { dir } => {
            let mut ending = Ending::listen()?;
            let jars = resolve_jars(&Config::from_env()?.cache()?).await?;
            let (postgres, kafka) =
                tokio::try_join!(Postgres::start(&dir), Kafka::start(&dir, &jars))?;
            println!("DATABASE_URL={}", postgres.url("postgres"));
            println!("KAFKA_BROKERS={}", kafka.brokers());
            tokio::select! {
                () = ending.asked() => {}
                ended = postgres.ended() => ended?,
                ended = kafka.ended() => ended?,
            }
            tokio::try_join!(postgres.stop(), kafka.stop())?;
            String::new()
        }
        Command::Jars => {
            let jars = resolve_jars(&Config::from_env()?.cache()?).await?;
            format!("{}\n", jars.display())
        }
    })
}

/// Ctrl-C and a polite `kill`. Listens from when it is made, not only once it is waited for.
struct Ending {
    interrupt: Signal,
    terminate: Signal,
}

impl Ending {
    fn listen() -> Result<Self, DevkitError> {
        let listen = |kind| {
            signal(kind).map_err(|source| DevkitError::Io {
                action: "listen for signals at",
                path: PathBuf::from("/proc/self"),
                source,
            })
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
