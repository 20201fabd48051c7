//! What an operator does by the public API: dead letters, and the intake.

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{cli::Server, client::Client};
use contract::Role;

/// List, show, send again or throw away what could not be processed.
#[derive(Debug, Args)]
pub(crate) struct DeadLetters {
    #[command(subcommand)]
    action: DeadLetterAction,
    #[command(flatten)]
    server: Server,
}

#[derive(Debug, Subcommand)]
enum DeadLetterAction {
    /// List those that nobody has dealt with, newest first
    List,
    /// Show one whole, as JSON
    Show {
        /// Its id
        id: String,
    },
    /// Send one again; a submission that has failed meanwhile is judged anew
    Replay {
        /// Its id, or several
        #[arg(required = true)]
        ids: Vec<String>,
    },
    /// Throw one away
    Discard {
        /// Its id, or several
        #[arg(required = true)]
        ids: Vec<String>,
    },
}

pub(crate) async fn dead_letters(command: DeadLetters) -> Result<()> {
    let client = command.server.connect(Role::Admin).await?;
    match command.action {
        DeadLetterAction::List => list(&client).await,
        DeadLetterAction::Show { id } => {
            let path = format!("/dead-letters/{}", plain(&id)?);
            let letter = client.json(Method::GET, &path, None).await?;
            println!("{}", serde_json::to_string_pretty(&letter)?);
            Ok(())
        }
        DeadLetterAction::Replay { ids } => {
            for id in ids {
                let path = format!("/dead-letters/{}/replay", plain(&id)?);
                let sent = client.json(Method::POST, &path, None).await;
                sent.with_context(|| format!("{id} was not sent again"))?;
                println!("{id}  sent again");
            }
            Ok(())
        }
        DeadLetterAction::Discard { ids } => {
            for id in ids {
                let path = format!("/dead-letters/{}", plain(&id)?);
                let discarded = client.json(Method::DELETE, &path, None).await;
                discarded.with_context(|| format!("{id} was not thrown away"))?;
                println!("{id}  thrown away");
            }
            Ok(())
        }
    }
}

async fn list(client: &Client) -> Result<()> {
    let mut cursor: Option<String> = None;
    let mut found = 0;
    loop {
        let path = match &cursor {
            None => "/dead-letters?limit=100".to_owned(),
            Some(cursor) => format!("/dead-letters?limit=100&cursor={cursor}"),
        };
        let page = client.json(Method::GET, &path, None).await?;
        let items = page["items"]
            .as_array()
            .context("the answer has no items")?;
        for letter in items {
            let text = |field: &str| letter[field].as_str().unwrap_or("-").to_owned();
            println!(
                "{}  {}  {:<12}  {}  {}",
                text("id"),
                text("arrived_at"),
                text("kind"),
                text("submission"),
                text("reason")
            );
        }
        found += items.len();
        cursor = page["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    eprintln!("{found} dead letters");
    Ok(())
}

/// An id goes into a path.
fn plain(id: &str) -> Result<&str> {
    if !id.is_empty()
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    {
        Ok(id)
    } else {
        bail!("{id:?} is no id of a dead letter")
    }
}

/// Look at the intake, close it, open it.
#[derive(Debug, Args)]
pub(crate) struct Intake {
    #[command(subcommand)]
    action: IntakeAction,
    #[command(flatten)]
    server: Server,
}

#[derive(Debug, Subcommand)]
enum IntakeAction {
    /// Whether it is open, and how much waits
    Show,
    /// Accept nothing more; what was accepted is judged all the same
    Close {
        /// What those are told who submit meanwhile
        #[arg(long, default_value = "")]
        message: String,
    },
    /// Accept again
    Open,
}

pub(crate) async fn intake(command: Intake) -> Result<()> {
    let client = command.server.connect(Role::Admin).await?;
    let body = match command.action {
        IntakeAction::Show => None,
        IntakeAction::Close { message } => Some(json!({"open": false, "message": message})),
        IntakeAction::Open => Some(json!({"open": true})),
    };
    let method = if body.is_some() {
        Method::PUT
    } else {
        Method::GET
    };
    let shown: Value = client.json(method, "/intake", body.as_ref()).await?;
    println!(
        "{}; {} wait, the first for {:.1} s",
        if shown["open"].as_bool() == Some(true) {
            "open"
        } else {
            "closed"
        },
        shown["waiting"],
        shown["waiting_oldest_ms"].as_f64().unwrap_or(0.0) / 1_000.0,
    );
    Ok(())
}
