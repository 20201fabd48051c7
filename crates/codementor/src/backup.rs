//! `codementor backup` and `codementor restore`: a folder that holds everything that was accepted before the backup began, and
//! the way back into an empty place.
//!
//! ```text
//! backup    database.dump (one snapshot of all tables) ─► blobs/ ─► keys/ ─► backup.json, last: without it, it is no backup
//! restore   backup.json fits? place empty? ─► blobs ─► keys ─► database, whole or not at all ─► start the services
//! ```
//! Services go on meanwhile. Bodies of tests are never changed or removed, so what the snapshot names lies there when it is
//! copied afterwards. Kafka is not kept: execute finds that a restored job is nowhere in the new one, and sends it again.
//!
//! The folder holds secrets: only its owner can read it. Never overwrites anything.

mod postgres;

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use question::Blobs;
use serde::{Deserialize, Serialize};
use service::{config::DatabaseConfig, database};
use sqlx::migrate::Migrator;
use time::OffsetDateTime;

use crate::{
    cli::{Place, Servers},
    up::{Folder, Summary},
};

/// What this program can read.
const FORMAT: u32 = 1;

const DESCRIPTION: &str = "backup.json";
const DUMP: &str = "database.dump";
const BLOBS: &str = "blobs";
const KEYS: &str = "keys";

/// Write everything that was accepted so far into a new folder, while all goes on.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The folder to write; made by this, readable by its owner only: it holds keys
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    #[command(flatten)]
    place: Place,
}

/// Bring a backup back into an empty place, before anything runs there.
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The folder that `codementor backup` wrote
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    #[command(flatten)]
    place: Place,
}

/// `backup.json`.
#[derive(Debug, Serialize, Deserialize)]
struct Description {
    format: u32,
    /// Of the program that wrote it.
    program: String,
    /// Everything that was accepted before is in it.
    #[serde(with = "time::serde::rfc3339")]
    begun_at: OffsetDateTime,
    /// The last migration of each schema.
    tables: BTreeMap<String, i64>,
    blobs: usize,
    keys: Vec<String>,
}

/// Each service's tables.
fn schemas() -> [(&'static str, &'static Migrator); 4] {
    [
        ("gateway", &gateway::MIGRATOR),
        ("execute", &execute::MIGRATOR),
        ("question", &question::MIGRATOR),
        ("evaluation", &evaluation::MIGRATOR),
    ]
}

/// The last migration of each schema that this program knows.
fn tables() -> BTreeMap<String, i64> {
    let last = |migrator: &Migrator| migrator.iter().map(|one| one.version).max().unwrap_or(0);
    schemas()
        .map(|(schema, migrator)| (schema.to_owned(), last(migrator)))
        .into()
}

pub(crate) async fn backup(backup: Backup) -> Result<()> {
    let Backup { to, place } = backup;
    let url = if let Some(url) = &place.database_url {
        url.clone()
    } else {
        let up = Summary::read(&place.data.path)?.servers;
        up.context("the running `up` is an older one: start it again")?
            .database_url
    };
    check_tables(&url).await?;
    let bodies = named_blobs(&url).await?;
    make_private_folder(&to)?;
    let begun_at = OffsetDateTime::now_utc();
    let names: Vec<&str> = schemas().map(|(schema, _)| schema).into();
    postgres::dump(&url, &names, &to.join(DUMP)).await?;
    // After the database: all that it names is there.
    let blobs = copy_blobs(&place.blobs(), &to.join(BLOBS)).await?;
    ensure_all(&bodies, &to.join(BLOBS), &place.blobs())?;
    let keys = match place.keys() {
        Some(keys) => copy_keys(&keys, &to.join(KEYS))?,
        None => vec![],
    };
    let description = Description {
        format: FORMAT,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        begun_at,
        tables: tables(),
        blobs,
        keys,
    };
    write(
        &to.join(DESCRIPTION),
        &serde_json::to_vec_pretty(&description)?,
    )?;
    File::open(&to)?.sync_all()?;
    println!(
        "{} holds all that was accepted before {}: the tables, {} bodies of tests, {} keys",
        to.display(),
        begun_at.format(&time::format_description::well_known::Rfc3339)?,
        blobs,
        description.keys.len()
    );
    Ok(())
}

pub(crate) async fn restore(restore: Restore) -> Result<()> {
    let Restore { from, place } = restore;
    let description = read(&from)?;
    for folder in [Some(place.blobs()), place.keys()].into_iter().flatten() {
        ensure_empty(&folder)?;
    }
    if let Some(url) = &place.database_url {
        bring_back(&from, &place, url).await?;
    } else {
        ensure_empty(&place.data.path)?;
        let folder = Folder::open(&place.data.path)?;
        let postgres = Servers::default()
            .start_postgres_alone(&folder.path)
            .await?;
        let brought = bring_back(&from, &place, &postgres.database_url).await;
        postgres.stop().await?;
        brought?;
    }
    println!(
        "restored what was accepted before {}: {} bodies of tests, {} keys; start the services, with an empty Kafka",
        description
            .begun_at
            .format(&time::format_description::well_known::Rfc3339)?,
        description.blobs,
        description.keys.len()
    );
    Ok(())
}

async fn bring_back(from: &Path, place: &Place, url: &str) -> Result<()> {
    let there = tables_there(url).await?;
    ensure!(
        there == 0,
        "the database is not empty: it has {there} tables of CodeMentor; restore into a new one"
    );
    copy_blobs(&from.join(BLOBS), &place.blobs()).await?;
    if let Some(keys) = place.keys()
        && from.join(KEYS).is_dir()
    {
        copy_keys(&from.join(KEYS), &keys)?;
    }
    postgres::restore(url, &from.join(DUMP)).await.context(
        "the database is as it was; empty the folders of blobs and keys before the next try",
    )
}

/// How many tables of ours the database has.
async fn tables_there(url: &str) -> Result<i64> {
    let mut there = 0;
    for (schema, _) in schemas() {
        let pool = database::connect(&DatabaseConfig::new(url), schema).await?;
        there += database::count_tables(&pool, schema).await?;
        pool.close().await;
    }
    Ok(there)
}

/// A dump of other tables than this program's could not be described.
async fn check_tables(url: &str) -> Result<()> {
    let config = DatabaseConfig::new(url);
    for (schema, migrator) in schemas() {
        database::open(&config, schema, migrator)
            .await?
            .close()
            .await;
    }
    Ok(())
}

/// The bodies of tests that the tables name by now; later ones will be there, too, when they are copied.
async fn named_blobs(url: &str) -> Result<Vec<String>> {
    let pool = database::connect(&DatabaseConfig::new(url), "question").await?;
    let named = question::named_blobs(&pool).await?;
    pool.close().await;
    Ok(named)
}

/// A wrong folder would make a backup without tests.
fn ensure_all(named: &[String], copied: &Path, source: &Path) -> Result<()> {
    let copied = Blobs::open(copied)?;
    let missing = named.iter().filter(|sha256| !copied.has(sha256)).count();
    ensure!(
        missing == 0,
        "{} lacks {missing} of {} bodies of tests that the database names: is it the folder of question's blobs?",
        source.display(),
        named.len()
    );
    Ok(())
}

/// The description of a whole backup that this program can bring back.
fn read(from: &Path) -> Result<Description> {
    let path = from.join(DESCRIPTION);
    let bytes = fs::read(&path).with_context(|| {
        format!(
            "{} is no whole backup: it has no {DESCRIPTION}",
            from.display()
        )
    })?;
    let description: Description =
        serde_json::from_slice(&bytes).with_context(|| format!("{} is damaged", path.display()))?;
    let known = tables();
    let newer = description
        .tables
        .iter()
        .any(|(schema, version)| known.get(schema).is_none_or(|known| known < version));
    if newer || description.format > FORMAT {
        bail!(
            "the backup was made by a newer version of CodeMentor ({}; this is {}): restore it with that one",
            description.program,
            env!("CARGO_PKG_VERSION")
        );
    }
    Ok(description)
}

async fn copy_blobs(from: &Path, to: &Path) -> Result<usize> {
    ensure!(
        from.is_dir(),
        "{} is no folder of bodies of tests",
        from.display()
    );
    let open = |folder: &Path| {
        Blobs::open(folder).with_context(|| format!("cannot use the folder {}", folder.display()))
    };
    let (source, target) = (open(from)?, open(to)?);
    source
        .copy_to(&target)
        .await
        .with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))
}

/// Private keys and the file of public ones; their names.
fn copy_keys(from: &Path, to: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(from)
        .with_context(|| format!("cannot read the keys in {}", from.display()))?;
    DirBuilder::new().recursive(true).mode(0o700).create(to)?;
    let mut names = vec![];
    for entry in entries {
        let path = entry?.path();
        let is_key = path
            .extension()
            .is_some_and(|end| end == "pem" || end == "json");
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some(name) = name.filter(|_| is_key) {
            let bytes =
                fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            write(&to.join(name), &bytes)?;
            names.push(name.to_owned());
        }
    }
    File::open(to)?.sync_all()?;
    names.sort();
    Ok(names)
}

/// A new file for its owner alone, on disk when this returns.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let file = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    file.and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    })
    .with_context(|| format!("cannot write {}", path.display()))
}

fn make_private_folder(path: &Path) -> Result<()> {
    ensure_empty(path)?;
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("cannot make the folder {}", path.display()))
}

fn ensure_empty(path: &Path) -> Result<()> {
    match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(|| format!("cannot look into {}", path.display())),
        Ok(mut entries) => {
            ensure!(
                entries.next().is_none(),
                "{} is not empty: nothing is ever overwritten, so choose a new folder",
                path.display()
            );
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn description(format: u32, execute: i64) -> Vec<u8> {
        let mut tables = tables();
        tables.insert("execute".to_owned(), execute);
        let description = Description {
            format,
            program: "9.9.9".to_owned(),
            begun_at: OffsetDateTime::UNIX_EPOCH,
            tables,
            blobs: 0,
            keys: vec![],
        };
        serde_json::to_vec(&description).expect("it is JSON")
    }

    #[test]
    fn takes_whole_backups_of_its_own_version_and_of_earlier_ones() {
        let folder = tempfile::tempdir().expect("a folder");
        let said = |content: Option<Vec<u8>>| {
            if let Some(content) = content {
                fs::write(folder.path().join(DESCRIPTION), content).expect("written");
            }
            read(folder.path())
                .err()
                .map(|error| format!("{error:#}"))
                .unwrap_or_default()
        };
        assert!(said(None).contains("no whole backup"));
        assert!(said(Some(b"{".to_vec())).contains("is damaged"));
        let known = tables()["execute"];
        assert!(said(Some(description(FORMAT, known + 1))).contains("newer version"));
        assert!(said(Some(description(FORMAT + 1, known))).contains("newer version"));
        assert_eq!(said(Some(description(FORMAT, known))), "");
        assert_eq!(said(Some(description(FORMAT, 0))), "");
    }

    #[test]
    fn overwrites_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(make_private_folder(folder.path()).is_ok());
        write(&folder.path().join("a"), b"one").expect("written");
        assert!(write(&folder.path().join("a"), b"two").is_err());
        let error = make_private_folder(folder.path()).expect_err("it is not empty");
        assert!(error.to_string().contains("is not empty"), "{error}");
        assert_eq!(fs::read(folder.path().join("a")).expect("a file"), b"one");
    }
}
