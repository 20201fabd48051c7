//! `codementor load`: submissions at a steady rate through the whole pipeline, as a client of REST and SSE, every stream
//! checked by the fold.
//!
//! Open loop: a slow pipeline does not slow the clients down, so waiting shows as waiting. Without an address it starts a
//! pipeline of its own, with [`instant_runner`] as the runner. One lost, doubled or misplaced event is a failure.

pub(crate) mod figures;
pub(crate) mod instant_runner;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use contract::event::EventBody;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    client::{Client, Heard},
    load::figures::{Durations, Milliseconds},
    up::{Options, Stack},
};

/// Put load on the whole pipeline and check every stream.
#[derive(Debug, Args)]
pub(crate) struct Load {
    /// Submissions a second
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rate: u32,
    /// For how long
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3_600))]
    seconds: u32,
    /// How many submissions are sent before the clock starts
    #[arg(long, default_value_t = 50)]
    warm_up: u32,
}

/// How long a stream may take after the last submission was sent.
const PATIENCE: Duration = Duration::from_mins(1);

/// What came of a load.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Streams that were exact, with one terminal event.
    pub(crate) exact: usize,
    /// What was wrong with the others, each once.
    pub(crate) wrong: Vec<String>,
    /// POST to terminal event.
    pub(crate) whole: Durations,
    /// POST to the first event.
    pub(crate) first: Durations,
    /// From the first POST to the last terminal event.
    pub(crate) lasted: Duration,
}

pub(crate) async fn run(load: Load) -> Result<bool> {
    let mut outcome = measure(&load).await?;
    println!(
        "{} submissions in {:.1} s",
        outcome.exact + outcome.wrong.len(),
        outcome.lasted.as_secs_f64()
    );
    println!(
        "  exact streams, one terminal event each   {}",
        outcome.exact
    );
    println!(
        "  others                                   {}",
        outcome.wrong.len()
    );
    println!(
        "  POST to first event    p50 {}  p99 {}",
        Milliseconds(outcome.first.quantile(0.5)),
        Milliseconds(outcome.first.quantile(0.99))
    );
    println!(
        "  POST to terminal event p50 {}  p99 {}",
        Milliseconds(outcome.whole.quantile(0.5)),
        Milliseconds(outcome.whole.quantile(0.99))
    );
    for wrong in outcome.wrong.iter().take(10) {
        eprintln!("  wrong: {wrong}");
    }
    Ok(outcome.wrong.is_empty())
}

/// A load with defaults but for these.
pub(crate) fn of(rate: u32, seconds: u32) -> Load {
    Load {
        rate,
        seconds,
        warm_up: 50,
    }
}

/// Starts a pipeline of its own in a passing folder, puts the load on it, and ends it.
pub(crate) async fn measure(load: &Load) -> Result<Outcome> {
    let folder = tempfile::tempdir().context("no temporary folder")?;
    let stop = CancellationToken::new();
    let runner = instant_runner::serve(stop.clone()).await?;
    let stack = Stack::start(Options {
        runner: Some(format!("http://{runner}")),
        generous_limits: true,
        samples: false,
        ..Options::in_folder(folder.path())
    })
    .await?;
    let outcome = drive(load, &stack).await;
    stack.stop().await?;
    stop.cancel();
    outcome
}

async fn drive(load: &Load, stack: &Stack) -> Result<Outcome> {
    let teacher = stack.summary().sign_in(contract::Role::Teacher).await?;
    let learner = stack.summary().sign_in(contract::Role::Learner).await?;
    // Three tests, so that a stream has at least six events.
    let tests: Vec<_> = (1..=3)
        .map(|n| (format!("{n}\n"), format!("{n}\n")))
        .collect();
    let question = teacher.publish("echo-for-load", &tests).await?;
    for number in 0..load.warm_up {
        let mut events = learner
            .submit_streaming(&submission(&question, number))
            .await?;
        events.finish().await?;
    }
    let mut running = JoinSet::new();
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / load.rate);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
    let begun = Instant::now();
    for number in 0..load.rate * load.seconds {
        ticks.tick().await;
        let learner = learner.clone();
        let body = submission(&question, load.warm_up + number);
        running.spawn(async move {
            let one = follow(&learner, &body);
            match tokio::time::timeout(PATIENCE, one).await {
                Ok(followed) => followed,
                Err(_) => bail!("no terminal event within {} s", PATIENCE.as_secs()),
            }
        });
    }
    let mut outcome = Outcome::default();
    while let Some(followed) = running.join_next().await {
        match followed.context("a client panicked")? {
            Ok((first, whole)) => {
                outcome.exact += 1;
                outcome.first.push(first);
                outcome.whole.push(whole);
            }
            Err(error) => outcome.wrong.push(format!("{error:#}")),
        }
    }
    outcome.lasted = begun.elapsed();
    Ok(outcome)
}

/// One learner: submits, follows the stream to its end, and tells when the first and the last event came.
async fn follow(learner: &Client, body: &Value) -> Result<(Duration, Duration)> {
    let begun = Instant::now();
    let mut events = learner.submit_streaming(body).await?;
    let mut first = None;
    let mut verdicts = 0;
    while let Some(heard) = events.next().await? {
        first.get_or_insert_with(|| begun.elapsed());
        if let Heard::Event(event) = heard {
            verdicts += u32::from(matches!(event.body, EventBody::Verdict(_)));
        }
    }
    if !events.is_over() || verdicts != 1 {
        bail!(
            "the stream ended after {:?} with {verdicts} verdicts",
            events.last()
        );
    }
    Ok((first.unwrap_or_default(), begun.elapsed()))
}

fn submission(question: &str, number: u32) -> Value {
    json!({"question": question, "language": "python", "code": format!("print(input())  # {number}\n")})
}
