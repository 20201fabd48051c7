//! `codementor verify`: judges every jury submission of problem packages with a runner of its own, and compares with what the
//! packages say should come out.
//!
//! In reading order: [`plan`] (what a package asks of the runner), [`judge`] (one submission), [`table`] (what is printed).

mod judge;
mod plan;
mod table;

use std::{path::PathBuf, sync::Arc};

use anyhow::Result;
use clap::Args;
use futures::{StreamExt, stream};
use indicatif::{ProgressBar, ProgressStyle};
use package::{Files, Limits, Package};

use crate::lone_runner::LoneRunner;
use plan::Plan;
use table::{Line, Report};

/// Judge all jury submissions of problem packages and compare with what they should come out as; no server is needed.
/// Exits with 1 when one of them disagrees.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// Folders or zips: ICPC/Kattis (legacy, 2023-07, 2025-09) or our own
    #[arg(required = true, value_name = "PACKAGE")]
    packages: Vec<PathBuf>,
    /// Submissions judged at the same time [default: as many as the runner has slots]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: Option<u16>,
    /// Only submissions whose path below `submissions/` holds this text
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Multiply time limits by this, for slow machines
    #[arg(long, default_value_t = 1.0, value_parser = factor)]
    time_factor: f64,
    /// Print all that packages hold and this does not use
    #[arg(long)]
    warnings: bool,
}

fn factor(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(factor) if (0.1..=20.0).contains(&factor) => Ok(factor),
        _ => Err("a number from 0.1 to 20 is expected".to_owned()),
    }
}

pub(crate) async fn run(verify: Verify) -> Result<bool> {
    let runner = LoneRunner::start().await?;
    let mut reports = Vec::new();
    for path in &verify.packages {
        let name = path.display().to_string();
        reports.push(match verify_package(&verify, path, &runner).await {
            Ok(report) => report,
            Err(error) => Report::unreadable(name, format!("{error:#}")),
        });
    }
    runner.stop().await?;
    for report in &reports {
        report.print(verify.warnings);
    }
    Ok(table::print_sum(&reports))
}

async fn verify_package(
    verify: &Verify,
    path: &std::path::Path,
    runner: &LoneRunner,
) -> Result<Report> {
    let package = Arc::new(Package::read(Files::open(path, Limits::default())?)?);
    let mut report = Report::new(
        package.title(&["en", "ko"]).to_owned(),
        path.display().to_string(),
    );
    report.warnings = package.warnings.clone();
    let jobs = match verify.jobs {
        Some(jobs) => usize::from(jobs),
        None => runner.config().await?.slots,
    };
    let wanted: Vec<_> = package
        .submissions
        .iter()
        .filter(|submission| {
            verify
                .only
                .as_ref()
                .is_none_or(|text| submission.name().contains(text))
        })
        .collect();
    let progress = ProgressBar::new((wanted.len() + package.input_validators.len()) as u64);
    if let Ok(style) = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len} {msg}") {
        progress.set_style(style);
    }
    progress.set_prefix(report.title.clone());
    let mut plan = match Plan::of(&package, runner) {
        Ok(plan) => plan,
        Err(reason) => {
            for submission in wanted {
                report.lines.push(Line::not_supported(submission, &reason));
            }
            progress.finish_and_clear();
            return Ok(report);
        }
    };
    for validator in &package.input_validators {
        progress.set_message(validator.path.clone());
        report
            .lines
            .push(judge::input_validator(&package, &plan, validator, runner).await?);
        progress.inc(1);
    }
    if plan.limit_is_to_be_found() {
        let slowest = judge::slowest_accepted(&package, &plan, runner, &progress).await?;
        plan.set_limit_from(&package, slowest);
        report.found_limit = Some(plan.limit_ms());
    }
    plan.scale_limit(verify.time_factor);
    let mut lines: Vec<(usize, Line)> = stream::iter(wanted.into_iter().enumerate())
        .map(|(index, submission)| {
            let (package, plan, progress) = (&package, &plan, &progress);
            async move {
                let line = judge::submission(package, plan, submission, runner).await;
                progress.set_message(submission.name().to_owned());
                progress.inc(1);
                line.map(|line| (index, line))
            }
        })
        .buffer_unordered(jobs)
        .collect::<Vec<_>>()
        .await
        .into_iter()
        .collect::<Result<_>>()?;
    lines.sort_by_key(|(index, _)| *index);
    report.lines.extend(lines.into_iter().map(|(_, line)| line));
    progress.finish_and_clear();
    Ok(report)
}
