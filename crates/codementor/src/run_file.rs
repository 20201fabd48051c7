//! `codementor run`: one program on standard input, in the sandbox, with a runner of its own.

use std::{fs, io::Read, path::PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use contract::{
    Language,
    job::SourceFile,
    manifest::{Checker, Feedback, Judging, JudgingMode, Limits, QuestionKind},
    runner_api::{RunRequest, RunnerEvent},
};

use crate::lone_runner::LoneRunner;

/// Compile a file and run it on standard input in the sandbox; no server is needed. Exits with 1 when it fails.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The source file
    file: PathBuf,
    /// The language's id; default: by the file's ending
    #[arg(long)]
    language: Option<Language>,
    /// Processor time in milliseconds
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=60_000))]
    time_ms: u32,
    /// Memory in kibibytes
    #[arg(long, default_value_t = 1_048_576, value_parser = clap::value_parser!(u32).range(4_096..=4_194_304))]
    memory_kib: u32,
}

/// As much as a run takes.
const MAX_STDIN: u64 = 64 << 10;

pub(crate) async fn run(run: Run) -> Result<bool> {
    let content = fs::read_to_string(&run.file)
        .with_context(|| format!("cannot read {}", run.file.display()))?;
    let name = run
        .file
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let named = run.language;
    let Some(language) = named.or_else(|| package::language_of(&name, Some(content.as_bytes())))
    else {
        bail!("cannot tell the language of {name}: name it with --language")
    };
    let mut stdin = String::new();
    let read = std::io::stdin()
        .take(MAX_STDIN + 1)
        .read_to_string(&mut stdin);
    if read.context("standard input cannot be read as text")? as u64 > MAX_STDIN {
        bail!("standard input is longer than 64 KiB");
    }
    let request = RunRequest {
        language,
        files: vec![SourceFile { name, content }],
        judging: Judging {
            kind: QuestionKind::Stdio,
            limits: Limits {
                time_ms: run.time_ms,
                memory_kib: run.memory_kib,
                output_kib: 64,
            },
            time_factor: 1.0,
            checker: Checker::default(),
            mode: JudgingMode::Full,
            feedback: Feedback::Full,
            driver: None,
            tests: Vec::new(),
            groups: Vec::new(),
        },
        stdin,
    };
    let runner = LoneRunner::start().await?;
    let events = runner.run(&request).await;
    runner.stop().await?;
    Ok(show(&events?))
}

/// What it wrote goes where it wrote it; what became of it is told on standard error.
fn show(events: &[RunnerEvent]) -> bool {
    let mut well = false;
    for event in events {
        match event {
            RunnerEvent::Compiled(compiled) => {
                if !compiled.log.is_empty() {
                    eprintln!("{}", compiled.log.trim_end());
                }
                if !compiled.ok {
                    eprintln!("it does not compile");
                }
            }
            RunnerEvent::Output(output) => {
                print!("{}", output.stdout);
                eprint!("{}", output.stderr);
                let how = match (&output.limit, &output.signal, output.exit_code) {
                    (Some(limit), _, _) => {
                        format!("over its limit: {:?} {}", limit.kind, limit.value)
                    }
                    (None, Some(signal), _) => format!("ended by {signal}"),
                    (None, None, Some(code)) => format!("exit code {code}"),
                    (None, None, None) => "ended".to_owned(),
                };
                eprintln!("{how}, {} ms, {} KiB", output.time_ms, output.memory_kib);
                well = output.exit_code == Some(0) && output.limit.is_none();
            }
            RunnerEvent::Failed(failure) => eprintln!("codementor: {}", failure.message),
            RunnerEvent::Test(_) | RunnerEvent::Finished(_) => {}
        }
    }
    well
}
