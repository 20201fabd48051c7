//! `codementor bench`: every figure that the README states, measured in one run and printed as one table.
//!
//! Machines differ and are shared: the figures are medians of one run on this machine, beside what they should be.

use std::{
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use clap::Args;
use contract::{Role, event::EventBody};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::{
    client::{Client, Heard},
    load::{
        self,
        figures::{Durations, Milliseconds, resident_kib},
    },
    up::{Options, Stack},
};

/// Measure what the README states and print one table.
#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// Submissions a language
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    rounds: u32,
    /// Seconds of load
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
}

/// What is prepared after a start is prepared by then.
const SETTLED: Duration = Duration::from_secs(20);

/// One line of the table.
struct Line {
    what: String,
    measured: String,
    bar: &'static str,
}

/// Programs that add two numbers; `{n}` makes each one new to the compile cache.
const PROGRAMS: [(&str, &str, &str, &str); 3] = [
    (
        "python",
        "Python, submit → verdict, 10 tests, p50",
        "≤ 300 ms",
        "a, b = map(int, input().split())\nprint(a + b)  # {n}\n",
    ),
    (
        "cpp",
        "C++ with <iostream>, submit → verdict, 10 tests, p50",
        "≤ 1200 ms",
        "#include <iostream>\nint main() { long a, b; std::cin >> a >> b; std::cout << a + b << '\\n'; } // {n}\n",
    ),
    (
        "java",
        "Java, submit → verdict, 10 tests, p50",
        "≤ 1800 ms",
        "import java.util.Scanner;\npublic class Main { // {n}\n  public static void main(String[] args) {\n    \
         Scanner in = new Scanner(System.in);\n    System.out.println(in.nextLong() + in.nextLong());\n  }\n}\n",
    ),
];

pub(crate) async fn run(bench: Bench) -> Result<bool> {
    let mut lines = real_judging(bench.rounds).await?;
    let mut outcome = load::measure(&load::of(100, bench.seconds)).await?;
    lines.push(Line {
        what: format!(
            "100 submissions/s for {} s: exact streams / others",
            bench.seconds
        ),
        measured: format!("{} / {}", outcome.exact, outcome.wrong.len()),
        bar: "all / 0",
    });
    lines.push(Line {
        what: "added by the pipeline at 100/s, p50".to_owned(),
        measured: Milliseconds(outcome.whole.quantile(0.5)).to_string(),
        bar: "≤ 30 ms",
    });
    lines.push(Line {
        what: "added by the pipeline at 100/s, p99".to_owned(),
        measured: Milliseconds(outcome.whole.quantile(0.99)).to_string(),
        bar: "",
    });
    lines.push(Line {
        what: "POST → first event at 100/s, p50".to_owned(),
        measured: Milliseconds(outcome.first.quantile(0.5)).to_string(),
        bar: "",
    });
    println!("{:<58} {:>16} {:>12}", "what", "measured", "should be");
    for line in lines {
        println!("{:<58} {:>16} {:>12}", line.what, line.measured, line.bar);
    }
    for wrong in outcome.wrong.iter().take(10) {
        eprintln!("wrong: {wrong}");
    }
    Ok(outcome.wrong.is_empty())
}

/// Real programs through the whole product with its own runner.
async fn real_judging(rounds: u32) -> Result<Vec<Line>> {
    let folder = tempfile::tempdir().context("no temporary folder")?;
    let begun = Instant::now();
    let stack = Stack::start(Options {
        generous_limits: true,
        ..Options::in_folder(folder.path())
    })
    .await?;
    let mut lines = vec![Line {
        what: "up, from nothing to ready".to_owned(),
        measured: format!("{:.1} s", begun.elapsed().as_secs_f64()),
        bar: "",
    }];
    let measured = judge_all(&stack, rounds).await;
    stack.stop().await?;
    let (again, kib) = start_again(folder.path()).await?;
    lines.push(Line {
        what: "up, a second time".to_owned(),
        measured: format!("{:.1} s", again.as_secs_f64()),
        bar: "≤ 10 s",
    });
    lines.push(Line {
        what: "our own processes, idle".to_owned(),
        measured: format!("{} MB", kib * 1024 / 1_000_000),
        bar: "≤ 120 MB",
    });
    lines.extend(measured?);
    Ok(lines)
}

/// `codementor up` as users start it, on a folder that has been used: until it is ready, and its memory when it is idle.
async fn start_again(data: &Path) -> Result<(Duration, u64)> {
    let begun = Instant::now();
    let program = std::env::current_exe().context("cannot find this program")?;
    let mut up = Command::new(program)
        .args(["up", "--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("cannot start `up`")?;
    let summary = data.join("up.json");
    while !summary.exists() {
        ensure!(up.try_wait()?.is_none(), "`up` ended by itself");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let took = begun.elapsed();
    tokio::time::sleep(SETTLED).await;
    let pid = up.id().context("`up` has no process")?;
    let kib = resident_kib(pid);
    kill(Pid::from_raw(i32::try_from(pid)?), Signal::SIGINT)?;
    up.wait().await?;
    Ok((took, kib))
}

async fn judge_all(stack: &Stack, rounds: u32) -> Result<Vec<Line>> {
    let teacher = stack.summary().sign_in(Role::Teacher).await?;
    let learner = stack.summary().sign_in(Role::Learner).await?;
    let tests: Vec<_> = (1..=10)
        .map(|n| (format!("{n} {n}\n"), format!("{}\n", 2 * n)))
        .collect();
    let question = teacher.publish("add-for-bench", &tests).await?;
    let mut lines = vec![];
    for (language, what, bar, program) in PROGRAMS {
        let mut durations = Durations::default();
        // The first ones warm the page cache and are not counted.
        for number in 0..rounds + 2 {
            let code = program.replace("{n}", &number.to_string());
            let body = json!({"question": question, "language": language, "code": code});
            let verdict = time_to_verdict(&learner, &body).await?;
            if number >= 2 {
                durations.push(verdict);
            }
        }
        debug_assert_eq!(durations.len(), rounds as usize);
        lines.push(Line {
            what: what.to_owned(),
            measured: Milliseconds(durations.quantile(0.5)).to_string(),
            bar,
        });
    }
    Ok(lines)
}

async fn time_to_verdict(learner: &Client, body: &Value) -> Result<Duration> {
    let begun = Instant::now();
    let mut events = learner.submit_streaming(body).await?;
    let mut verdict = None;
    while let Some(heard) = events.next().await? {
        if let Heard::Event(event) = heard
            && let EventBody::Verdict(result) = &event.body
        {
            ensure!(
                result.verdict == contract::Verdict::Accepted,
                "a right program got {}",
                result.verdict
            );
            verdict = Some(begun.elapsed());
        }
    }
    verdict.context("the stream ended without a verdict")
}
