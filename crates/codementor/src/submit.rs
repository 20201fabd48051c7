//! `codementor submit`: a learner's submission from the command line, followed to its end through cuts and reconnects.

use std::{fs, path::PathBuf, time::Duration};

use anyhow::{Context, Result, bail};
use clap::Args;
use contract::{StreamEvent, event::EventBody, verdict::Verdict};
use serde_json::json;

use crate::{
    cli::Server,
    client::{Client, Events, Heard},
};

/// Submit a file to a question and watch it being judged; exits with 1 when it is not accepted.
#[derive(Debug, Args)]
pub(crate) struct Submit {
    #[command(flatten)]
    server: Server,
    /// The question's id or slug.
    question: String,
    /// The source file.
    file: PathBuf,
    /// The language's id; default: by the file's extension.
    #[arg(long)]
    language: Option<String>,
}

/// How often a cut stream is taken up again before giving up.
const RECONNECTS: u32 = 10;

pub(crate) async fn run(submit: Submit) -> Result<bool> {
    let code = fs::read_to_string(&submit.file)
        .with_context(|| format!("cannot read {}", submit.file.display()))?;
    let language = match submit.language {
        Some(language) => language,
        None => by_extension(&submit.file)?,
    };
    let client = submit.server.connect(contract::Role::Learner).await?;
    let body = json!({"question": submit.question, "language": language, "code": code});
    let receipt = client.submit(&body).await?;
    let mut events = client.events(receipt.id, None).await?;
    let mut accepted = false;
    let mut reconnects = 0;
    loop {
        match events.next().await {
            Ok(Some(Heard::Queued(position))) => println!("queued      {position} before it"),
            Ok(Some(Heard::Event(event))) => {
                if let EventBody::Verdict(verdict) = &event.body {
                    accepted = verdict.verdict == Verdict::Accepted;
                }
                println!("{}", describe(&event));
            }
            Ok(None) if events.is_over() => return Ok(accepted),
            ended => {
                reconnects += 1;
                if reconnects > RECONNECTS {
                    ended?;
                    bail!(
                        "the stream ended again and again; the submission is {}",
                        receipt.id
                    );
                }
                events = reconnect(&client, receipt.id, events).await?;
            }
        }
    }
}

async fn reconnect(client: &Client, id: contract::SubmissionId, before: Events) -> Result<Events> {
    let mut wait = Duration::from_millis(200);
    loop {
        tokio::time::sleep(wait).await;
        match client.events(id, before.last()).await {
            Ok(events) => return Ok(events.resuming(&before)),
            Err(error) if wait > Duration::from_secs(5) => return Err(error),
            Err(_) => wait *= 2,
        }
    }
}

fn by_extension(file: &std::path::Path) -> Result<String> {
    let language = match file.extension().and_then(|extension| extension.to_str()) {
        Some("c") => "c",
        Some("cpp" | "cc" | "cxx") => "cpp",
        Some("java") => "java",
        Some("py") => "python",
        Some("js" | "mjs" | "cjs") => "javascript",
        Some("ts") => "typescript",
        Some("go") => "go",
        Some("rs") => "rust",
        Some("kt") => "kotlin",
        _ => bail!(
            "cannot tell the language of {}: name it with --language",
            file.display()
        ),
    };
    Ok(language.to_owned())
}

/// One event as a line.
fn describe(event: &StreamEvent) -> String {
    match &event.body {
        EventBody::Accepted(accepted) => format!("accepted    {}", accepted.submission),
        EventBody::Judging(judging) => {
            format!(
                "judging     attempt {}, {} tests",
                judging.attempt, judging.tests
            )
        }
        EventBody::Compiled(compiled) => format!(
            "compiled    {} in {} ms{}{}",
            if compiled.ok { "well" } else { "not" },
            compiled.time_ms,
            if compiled.cached { " (before)" } else { "" },
            indent(&compiled.log),
        ),
        EventBody::Test(test) => format!(
            "test {:>6} {:<4}{:>6} ms {:>8} KiB  {}",
            test.index,
            test.verdict.as_str(),
            test.time_ms,
            test.memory_kib,
            test.name
        ),
        EventBody::Output(output) => format!("output      {}", indent(&output.stdout)),
        EventBody::Verdict(verdict) => format!(
            "verdict     {}  {} of {} tests, {} of {} points",
            verdict.verdict, verdict.passed, verdict.total, verdict.score, verdict.max_score
        ),
        EventBody::ReviewStarted(review) => format!("review      by {}", review.reviewer),
        EventBody::ReviewFinding(finding) => {
            format!("  line {:>4}  {}", finding.line_start, finding.message)
        }
        EventBody::ReviewDone(review) => format!("review      {}", review.summary),
        EventBody::ReviewSkipped(review) => format!("review      skipped: {}", review.reason),
        EventBody::Done(_) => "done".to_owned(),
        EventBody::Failed(failed) => format!("failed      {}: {}", failed.reason, failed.message),
    }
}

/// Text below a line, set in; nothing for nothing.
fn indent(text: &str) -> String {
    text.lines().fold(String::new(), |set_in, line| {
        set_in + "\n            " + line
    })
}
