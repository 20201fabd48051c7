//! `codementor import` and `export`: problem packages to a server and back.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Seek,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use clap::Args;
use contract::Role;
use package::{Files, Limits, write::Content};
use serde_json::Value;
use tokio::io::AsyncWriteExt;

use crate::cli::Server;

/// Make a draft question of each problem package: a folder or a zip.
#[derive(Debug, Args)]
pub(crate) struct Import {
    #[command(flatten)]
    server: Server,
    /// Folders or zips: ICPC/Kattis (legacy, 2023-07, 2025-09) or what `export` wrote
    #[arg(required = true, value_name = "PACKAGE")]
    packages: Vec<PathBuf>,
}

/// Write a question as a problem package.
#[derive(Debug, Args)]
pub(crate) struct Export {
    #[command(flatten)]
    server: Server,
    /// The question's id or slug
    question: String,
    /// The zip to write [default: the slug with .zip]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(crate) async fn import(import: Import) -> Result<bool> {
    let client = import.server.connect(Role::Teacher).await?;
    let mut well = true;
    for path in &import.packages {
        let sent = match zip_of(path) {
            Ok(zip) => {
                let zip = tokio::fs::File::from_std(zip);
                client
                    .upload("/questions/import", "application/zip", zip)
                    .await
            }
            Err(error) => Err(error),
        };
        match sent {
            Ok(made) => print_made(path, &made),
            Err(error) => {
                well = false;
                eprintln!("{}: {error:#}", path.display());
            }
        }
    }
    Ok(well)
}

fn print_made(path: &Path, made: &Value) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    println!(
        "{}: {} {} with {} tests",
        path.display(),
        text(&made["id"]),
        text(&made["slug"]),
        made["tests"]
    );
    for warning in made["warnings"].as_array().into_iter().flatten() {
        println!(
            "  {}: {}",
            text(&warning["place"]),
            text(&warning["message"])
        );
    }
}

/// A zip as it is; a folder zipped.
fn zip_of(path: &Path) -> Result<File> {
    let unreadable = || format!("cannot read {}", path.display());
    if !std::fs::metadata(path).with_context(unreadable)?.is_dir() {
        return File::open(path).with_context(unreadable);
    }
    let files = Files::open(path, Limits::default())?;
    let mut contents = BTreeMap::new();
    for name in files.names() {
        let Some(source) = files.path(name).map(Path::to_owned) else {
            continue;
        };
        let open = move || Ok(Box::new(File::open(source)?) as Box<dyn std::io::Read>);
        contents.insert(name.to_owned(), Content::Reader(Box::new(open)));
    }
    let mut zip = tempfile::tempfile()?;
    package::write_zip(contents, &mut zip)?;
    zip.rewind()?;
    Ok(zip)
}

pub(crate) async fn export(export: Export) -> Result<bool> {
    let client = export.server.connect(Role::Teacher).await?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if !export.question.chars().all(plain) {
        bail!("{:?} is neither an id nor a slug", export.question);
    }
    let mut answer = client
        .download(&format!("/questions/{}/package", export.question))
        .await?;
    let output = export
        .output
        .unwrap_or_else(|| format!("{}.zip", export.question).into());
    // Whole or not at all.
    let folder = output
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let beside = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    let mut file = tokio::fs::File::from_std(beside.reopen()?);
    while let Some(chunk) = answer.chunk().await.context("the package was cut")? {
        file.write_all(&chunk).await?;
    }
    file.sync_all().await?;
    beside.persist(&output)?;
    println!("{}", output.display());
    Ok(true)
}
