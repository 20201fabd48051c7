//! `codementor up`: everything on this machine, from nothing to a curl line that works.
//!
//! ```text
//!  folder (lock) ─► servers (Postgres, Kafka) ─► setup (keys, tables, topics, demo accounts)
//!                                                   └─► services ─► samples ─► up.json, greeting ─► Ctrl-C ─► all ended
//! ```
//! The runner is always a process of its own; with `--split` every service is. They talk over real sockets either way.

mod folder;
mod samples;
mod servers;
mod services;
mod stack;

use std::path::Path;

use anyhow::{Result, bail};
use contract::Role;

pub(crate) use folder::{Addresses, DemoAccount, Folder, Summary};
pub(crate) use stack::{Options, Stack};

use crate::cli::Up;

/// Starts everything, tells how to use it, and stays until it is asked to end or something ended by itself.
pub(crate) async fn run(up: Up, shutdown: service::Shutdown) -> Result<()> {
    let starting = Stack::start(Options {
        listen: up.listen,
        split: up.split,
        servers: up.servers,
        ..Options::in_folder(&up.data.path)
    });
    let mut stack = tokio::select! {
        stack = starting => stack?,
        () = shutdown.soft().cancelled() => {
            eprintln!("codementor: ending");
            return Stack::give_up(&up.data.path).await;
        }
    };
    println!("{}", greeting(stack.summary(), &up.data.path));
    let ended = tokio::select! {
        ended = stack.ended() => Some(ended),
        () = shutdown.soft().cancelled() => None,
    };
    eprintln!("codementor: ending");
    stack.stop().await?;
    match ended {
        Some(reason) => bail!(reason),
        None => Ok(()),
    }
}

/// What a newcomer needs: the address, the accounts, one line that submits.
fn greeting(summary: &Summary, data: &Path) -> String {
    let accounts: Vec<String> = summary
        .accounts
        .iter()
        .map(|account| {
            let role = account.role.as_str();
            format!("  {role:<8} {:<24} {}", account.email, account.password)
        })
        .collect();
    let program = std::env::current_exe().unwrap_or_else(|_| "codementor".into());
    let data = data.canonicalize().unwrap_or_else(|_| data.to_owned());
    let curl = format!(
        "curl -N {url}/api/v1/submissions -H \"Authorization: Bearer $({program} token --role {role} --data {data})\" \
         -H 'Content-Type: application/json' -H 'Accept: text/event-stream' -d '{body}'",
        url = summary.url,
        program = program.display(),
        role = Role::Learner.as_str(),
        data = data.display(),
        body = samples::CURL_BODY,
    );
    format!(
        "\nCodeMentor is ready at {}\n\n{}\n\nSubmit something and watch it being judged:\n\n  {curl}\n",
        summary.url,
        accounts.join("\n"),
    )
}
