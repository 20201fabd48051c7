//! The one binary: any of the services, all of them together, and the tools around them.
//!
//! Reads the command line, starts what it says, and turns an error into one sentence and an exit code: 0 well, 1 not, 2 a
//! wrong command line, or an audit that cannot know yet. Rules live in the service crates; nothing here knows one.

mod audit;
mod backup;
mod bench;
mod cli;
mod client;
mod config;
mod load;
mod lone_runner;
mod openapi;
mod operate;
mod run_file;
mod settings;
mod setup;
mod submit;
mod transfer;
mod up;
mod verify;

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{CommandFactory, Parser};
use cli::{Cli, Command};
use service::Shutdown;

/// The exit code for it.
const WRONG_COMMAND_LINE: u8 = 2;

fn main() -> ExitCode {
    // The sandbox starts this binary anew as the init of each slot: that must come before any thread.
    sandbox::init_if_requested();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refused(&error),
    };
    if let Err(error) = service::telemetry::check() {
        eprintln!("codementor: {error}");
        return ExitCode::from(WRONG_COMMAND_LINE);
    }
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("codementor: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let ended = runtime.block_on(run(cli.command));
    service::telemetry::end();
    match ended {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("codementor: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Says what is wrong with the command line, or prints the help that was asked for.
fn refused(error: &clap::Error) -> ExitCode {
    let subcommand = std::env::args().nth(1).unwrap_or_default();
    match settings::explain(error, &Cli::command(), &subcommand) {
        Some(said) => eprintln!("codementor: {said}"),
        // To a closed pipe; nobody is left to be told.
        None => drop(error.print()),
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(WRONG_COMMAND_LINE))
}

/// The exit code.
async fn run(command: Command) -> Result<u8> {
    if let Command::Audit(audit) = command {
        service::telemetry::init();
        return Ok(audit::run(audit).await.exit_code());
    }
    run_well(command).await.map(|well| u8::from(!well))
}

/// Whether all went well.
async fn run_well(command: Command) -> Result<bool> {
    service::telemetry::init();
    let grace = command.grace();
    match command {
        Command::Up(up) => {
            config::give_memory_back()?;
            up::run(up, Shutdown::on_signals(grace)).await?;
        }
        Command::Setup(setup) => setup::run(setup).await?,
        Command::Token(token) => println!("{}", token.print().await?),
        Command::Submit(submit) => return submit::run(submit).await,
        Command::DeadLetters(command) => operate::dead_letters(command).await?,
        Command::Intake(command) => operate::intake(command).await?,
        Command::Backup(command) => backup::backup(command).await?,
        Command::Restore(command) => backup::restore(command).await?,
        Command::Run(run) => return run_file::run(run).await,
        Command::Import(import) => return transfer::import(import).await,
        Command::Export(export) => return transfer::export(export).await,
        Command::Verify(verify) => return verify::run(verify).await,
        Command::Load(load) => return load::run(load).await,
        Command::Bench(bench) => return bench::run(bench).await,
        Command::Openapi => print!("{}", openapi::document()?),
        service => service_by_command(service, Shutdown::on_signals(grace)).await?,
    }
    Ok(true)
}

/// Runs one service until it is asked to end.
async fn service_by_command(command: Command, shutdown: Shutdown) -> Result<()> {
    match command {
        Command::Gateway(one) => {
            one.run(|config| &config.listen, gateway::run, shutdown)
                .await
        }
        Command::Execute(one) => {
            one.run(|config| &config.listen, execute::run, shutdown)
                .await
        }
        Command::Question(one) => {
            one.run(|config| &config.listen, question::run, shutdown)
                .await
        }
        Command::Evaluation(one) => {
            one.run(|config| &config.listen, evaluation::run, shutdown)
                .await
        }
        Command::Runner(one) => {
            one.run(|config| &config.listen, runner::run, shutdown)
                .await
        }
        other => bail!("{other:?} is not a service"),
    }
}
