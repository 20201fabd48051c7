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

use anyhow::{Result, bail};
use contract::Role;

pub(crate) use folder::{DemoAccount, Summary};
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
        // What was started ends with its handles, and with this process at the latest.
        () = shutdown.soft().cancelled() => return Ok(()),
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
fn greeting(summary: &Summary, data: &std::path::Path) -> String {
    let mut text = format!("\nCodeMentor is ready at {}\n\n", summary.url);
    for account in &summary.accounts {
        let DemoAccount {
            role,
            email,
            password,
        } = account;
        text += &format!("  {:<8} {email:<24} {password}\n", role.as_str());
    }
    let program = std::env::current_exe();
    let program = program.map_or("codementor".into(), |path| path.display().to_string());
    let data = data.canonicalize().unwrap_or_else(|_| data.to_owned());
    text += &format!(
        "\nSubmit something and watch it being judged:\n\n  \
         curl -N {url}/api/v1/submissions -H \"Authorization: Bearer $({program} token --role {role} --data {data})\" \
         -H 'Content-Type: application/json' -H 'Accept: text/event-stream' \
         -d '{body}'\n",
        url = summary.url,
        role = Role::Learner.as_str(),
        data = data.display(),
        body = samples::CURL_BODY,
    );
    text
}
