//! `codementor audit`: whether all that was accepted is over, or still may be; if not, which is missing, and where.
//!
//! ```text
//!   log without lag? ─► books of execute ─► books of evaluation ─► equal counts and digests? ─► which ids differ, and why
//!        │ no, or a server is away                                                                   │ no good reason
//!        └─► 2: cannot know yet                                             0: balanced ◄────────────┴─► 1: a hole
//! ```
//! Execute is read first: what it has shown by then, evaluation must have ended. Reads each service's tables through that
//! service's own crate.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use clap::Args;
use contract::{Topic, topic::group};
use execute::audit::{self as accepted, Judging, Tally};
use queue::{KafkaConfig, admin::Admin};
use service::{config::DatabaseConfig, database};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::cli::{DataDir, Servers};

/// Prove that all that was accepted is over, or still may be; exits 0: balanced, 1: a hole, 2: cannot know yet.
#[derive(Debug, Args)]
pub(crate) struct Audit {
    #[command(flatten)]
    data: DataDir,
    #[command(flatten)]
    servers: Servers,
    /// From when: a time such as 2026-11-25T08:00:00Z, or an age such as 90m, 24h, 7d
    #[arg(long, value_name = "TIME", value_parser = since, default_value = "24h")]
    since: OffsetDateTime,
    /// Seconds to wait for the log to be written to its end
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    wait: u64,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Everything is accounted for.
    Balanced,
    /// Something is not.
    Hole,
    /// A server is away, or the log is not written to its end.
    Unknown,
}

impl Verdict {
    /// For the shell.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Balanced => 0,
            Self::Hole => 1,
            Self::Unknown => 2,
        }
    }
}

/// How often the log's lag is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// How long an answer of a server is waited for before it counts as away.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) async fn run(audit: Audit) -> Verdict {
    match take(&audit).await {
        Ok(found) => found,
        Err(error) => {
            eprintln!("codementor: cannot know yet: {error:#}");
            Verdict::Unknown
        }
    }
}

async fn take(audit: &Audit) -> Result<Verdict> {
    let servers = audit.servers.or_those_of(&audit.data)?;
    let kafka = KafkaConfig::new(servers.kafka_brokers, servers.topic_prefix);
    wait_for_log(&kafka, Duration::from_secs(audit.wait)).await?;
    let config = DatabaseConfig::new(servers.database_url);
    let connecting = async {
        anyhow::Ok((
            database::connect(&config, "execute").await?,
            database::connect(&config, "evaluation").await?,
        ))
    };
    let (execute, evaluation) = tokio::time::timeout(PATIENCE, connecting)
        .await
        .context("the database does not answer")??;
    let books = accepted::minutes(&execute, audit.since).await?;
    let mut holes: Vec<String> = accepted::holes(&execute, audit.since)
        .await?
        .into_iter()
        .map(|hole| format!("{}  {}", named(hole.judging), hole.what.as_str()))
        .collect();
    // Evaluation second: whatever execute has shown is done there by now.
    let done: BTreeMap<OffsetDateTime, evaluation::audit::Minute> =
        evaluation::audit::minutes(&evaluation, audit.since)
            .await?
            .into_iter()
            .map(|minute| (minute.begin, minute))
            .collect();
    let mut begins: Vec<OffsetDateTime> = done.keys().copied().collect();
    for minute in &books {
        if !minute.is_balanced() && holes.is_empty() {
            holes.push(format!(
                "{} of those accepted at {} are neither over nor may they still come",
                minute
                    .accepted
                    .count
                    .saturating_sub(minute.terminal.count + minute.open),
                minute.begin
            ));
        }
        begins.push(minute.begin);
    }
    begins.sort_unstable();
    begins.dedup();
    let judged: HashMap<OffsetDateTime, Tally> = books
        .iter()
        .map(|minute| (minute.begin, minute.judged))
        .collect();
    let mut unequal = 0;
    for begin in begins {
        let here = judged.get(&begin).copied().unwrap_or_default();
        let there = done
            .get(&begin)
            .map_or_else(Tally::default, |minute| Tally {
                count: minute.judged,
                digest: minute.judged_digest,
            });
        if here != there {
            unequal += 1;
            holes.extend(differences(&execute, &evaluation, begin).await?);
        }
    }
    print(&books, &done, unequal);
    for hole in &holes {
        println!("missing  {hole}");
    }
    if holes.is_empty() {
        println!("balanced");
        Ok(Verdict::Balanced)
    } else {
        println!("{} holes", holes.len());
        Ok(Verdict::Hole)
    }
}

/// Waits until the log writer has written what was in the topic when this began.
async fn wait_for_log(kafka: &KafkaConfig, patience: Duration) -> Result<()> {
    let admin = Admin::new(kafka)?;
    let asked = tokio::time::timeout(PATIENCE, admin.end_offsets(Topic::Events)).await;
    let ends = asked.context("Kafka does not answer")??;
    let begun = Instant::now();
    loop {
        let committed = tokio::time::timeout(PATIENCE, admin.committed(group::LOG, Topic::Events))
            .await
            .context("Kafka does not answer")??;
        let behind: i64 = ends
            .iter()
            .map(|(partition, end)| {
                let written = committed.get(partition).copied();
                // Nothing committed yet: all of an empty partition is written.
                (end - written.unwrap_or(0)).max(0)
            })
            .sum();
        if behind == 0 {
            return Ok(());
        }
        if begun.elapsed() >= patience {
            bail!("{behind} events are not written to the log yet");
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Of one minute: what was shown and not judged, and what was judged and neither shown nor ended otherwise.
async fn differences(
    execute: &sqlx::PgPool,
    evaluation: &sqlx::PgPool,
    begin: OffsetDateTime,
) -> Result<Vec<String>> {
    let shown: HashSet<Judging> = accepted::judged_in(execute, begin)
        .await?
        .into_iter()
        .collect();
    let judged: HashSet<Judging> = evaluation::audit::judged_in(evaluation, begin)
        .await?
        .into_iter()
        .collect();
    let mut holes: Vec<String> = shown
        .difference(&judged)
        .map(|one| {
            format!(
                "{}  its verdict was shown but no worker has ended it",
                named(*one)
            )
        })
        .collect();
    // One that is open may still be shown, and one that is over was ended by execute first. Runs are forgotten after a while,
    // as evaluation's rows are not: what is not here at all is a hole only as long as nothing is forgotten.
    let unshown: Vec<Judging> = judged.difference(&shown).copied().collect();
    let known: HashSet<Judging> = accepted::known(execute, &unshown)
        .await?
        .into_iter()
        .map(|(one, _)| one)
        .collect();
    let recent = OffsetDateTime::now_utc() - begin < time::Duration::minutes(30);
    holes.extend(
        unshown
            .into_iter()
            .filter(|one| recent && !known.contains(one))
            .map(|one| {
                format!(
                    "{}  it was judged but is not among the accepted",
                    named(one)
                )
            }),
    );
    Ok(holes)
}

fn named((submission, judgement): Judging) -> String {
    format!("{submission} judgement {judgement}")
}

fn print(
    books: &[accepted::Minute],
    done: &BTreeMap<OffsetDateTime, evaluation::audit::Minute>,
    unequal: usize,
) {
    let sum = |of: fn(&accepted::Minute) -> u64| books.iter().map(of).sum::<u64>();
    let there = |of: fn(&evaluation::audit::Minute) -> u64| done.values().map(of).sum::<u64>();
    let tally = |of: fn(&accepted::Minute) -> Tally| {
        books.iter().map(of).fold(Tally::default(), Tally::and)
    };
    let digest = done
        .values()
        .fold(0_u64, |sum, minute| sum.wrapping_add(minute.judged_digest));
    let (accepted, judged, terminal) = (
        tally(|minute| minute.accepted),
        tally(|minute| minute.judged),
        tally(|minute| minute.terminal),
    );
    println!("{:<34} {:>10}  {:>16}", "tier", "count", "digest");
    let line = |what: &str, count: u64, digest: Option<u64>| {
        let digest = digest.map_or_else(String::new, |digest| format!("{digest:016x}"));
        println!("{what:<34} {count:>10}  {digest:>16}");
    };
    line("accepted", accepted.count, Some(accepted.digest));
    line("  in the outbox", sum(|minute| minute.unsent), None);
    line("  sent", accepted.count - sum(|minute| minute.unsent), None);
    line("claimed by a worker", there(|minute| minute.claimed), None);
    line(
        "judged by a worker",
        there(|minute| minute.judged),
        Some(digest),
    );
    line("verdict shown", judged.count, Some(judged.digest));
    line("reviewed", there(|minute| minute.reviewed), None);
    line(
        "over, one terminal event each",
        terminal.count,
        Some(terminal.digest),
    );
    line(
        "  ended without a worker",
        sum(|minute| minute.ended_here),
        None,
    );
    line("open, before its deadline", sum(|minute| minute.open), None);
    println!(
        "{} minutes with something accepted, {unequal} of them in which judged and shown differ",
        books.len()
    );
}

/// A time, or an age.
fn since(text: &str) -> Result<OffsetDateTime, String> {
    if let Ok(time) = OffsetDateTime::parse(text, &Rfc3339) {
        return Ok(time);
    }
    let wrong = || "neither a time such as 2026-11-25T08:00:00Z nor an age such as 90m".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let number: u32 = text[..text.len() - unit.len_utf8()]
        .parse()
        .map_err(|_| wrong())?;
    OffsetDateTime::now_utc()
        .checked_sub(time::Duration::seconds(i64::from(number) * seconds))
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_ages_are_understood() {
        let time = since("2026-11-25T08:00:00Z").expect("a time");
        assert_eq!(time.unix_timestamp(), 1_795_593_600);
        let hour_ago = OffsetDateTime::now_utc() - time::Duration::hours(1);
        let age = since("60m").expect("an age");
        assert!((age - hour_ago).abs() < time::Duration::minutes(1));
        for wrong in ["", "h", "-1h", "1w", "yesterday", "1.5h", "10시"] {
            assert!(since(wrong).is_err(), "{wrong}");
        }
    }
}
