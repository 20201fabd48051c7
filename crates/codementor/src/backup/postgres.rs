//! Postgres' own tools: one snapshot of all tables into a file, and back. Passwords go by the environment, never by arguments,
//! which others can read.

use std::{path::Path, process::Stdio};

use anyhow::{Context, Result, bail};
use tokio::process::Command;

/// Writes one snapshot of these schemas. Nothing waits for it but changes of tables.
pub(super) async fn dump(url: &str, schemas: &[&str], to: &Path) -> Result<()> {
    let mut command = tool("pg_dump", url)?;
    command.args(["--format=custom", "--no-owner", "--no-privileges"]);
    command.args(schemas.iter().map(|schema| format!("--schema={schema}")));
    command.arg("--file").arg(to);
    run("pg_dump", command).await
}

/// Brings a snapshot back, whole or not at all.
pub(super) async fn restore(url: &str, from: &Path) -> Result<()> {
    let mut command = tool("pg_restore", url)?;
    command.args([
        "--single-transaction",
        "--exit-on-error",
        "--no-owner",
        "--no-privileges",
    ]);
    command.arg(from);
    run("pg_restore", command).await
}

fn tool(name: &str, url: &str) -> Result<Command> {
    let mut address = reqwest::Url::parse(url).context("DATABASE_URL is no address")?;
    let mut command = Command::new(name);
    if let Some(password) = address.password() {
        let password = percent_decoded(password)?;
        command.env("PGPASSWORD", password);
    }
    if address.set_password(None).is_err() {
        bail!("DATABASE_URL names no server");
    }
    command
        .arg("--no-password")
        .arg("--dbname")
        .arg(address.as_str());
    command.stdin(Stdio::null()).kill_on_drop(true);
    Ok(command)
}

fn percent_decoded(text: &str) -> Result<String> {
    let mut bytes = vec![];
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next(), rest.next()].map(Option::unwrap_or_default);
            bytes.extend(hex::decode(digits).context("the password in DATABASE_URL is damaged")?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).context("the password in DATABASE_URL is no text")
}

async fn run(name: &str, mut command: Command) -> Result<()> {
    let output = command.output().await.with_context(|| {
        format!("cannot run {name}, which the package postgresql-client-15 brings")
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    bail!("{name} failed: {}", said.trim());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_no_arguments() {
        let command =
            tool("pg_dump", "postgres://u:s%40crt@h:1/d?sslmode=require").expect("an address");
        let command = command.as_std();
        let arguments: Vec<_> = command
            .get_args()
            .map(|one| one.to_string_lossy())
            .collect();
        assert_eq!(
            arguments,
            [
                "--no-password",
                "--dbname",
                "postgres://u@h:1/d?sslmode=require"
            ]
        );
        let password = command.get_envs().find_map(|(name, value)| {
            (name == "PGPASSWORD").then(|| value.map(|value| value.to_string_lossy().into_owned()))
        });
        assert_eq!(password.flatten().as_deref(), Some("s@crt"));
    }
}
