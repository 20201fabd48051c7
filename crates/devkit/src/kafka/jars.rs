//! Kafka's jars and the class-data archive that halves its start: fetched once with Maven from a pinned pom, kept in a cache.

use std::{
    fs::{self, File, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::Kafka;
use crate::{
    DevkitError,
    config::Config,
    process::{self, LIBRARY},
};

const POM: &str = include_str!("pom.xml");
/// As in the pom: names the folder, so that another version gets another one.
const VERSION: &str = "4.1.1";

/// Makes sure that Kafka's jars are in a folder below `dir`, and returns that folder.
///
/// The first time this takes Maven, the network and about 15 s; later it only looks.
pub async fn resolve_jars(dir: &Path) -> Result<PathBuf, DevkitError> {
    let config = Config::from_env()?;
    fs::create_dir_all(dir).map_err(DevkitError::io("create", dir))?;
    let dir = dir.canonicalize().map_err(DevkitError::io("open", dir))?;
    let jars = dir.join(format!("kafka-{VERSION}"));
    let java = java(&config)?;
    if jars.is_dir() && archive(&jars, &java)?.is_file() {
        return Ok(jars);
    }
    let _lock = lock(&dir).await?;
    if !jars.is_dir() {
        fetch(&config, &dir, &jars).await?;
    }
    let archive = archive(&jars, &java)?;
    if !archive.is_file() {
        // Kafka starts without it too, only slower.
        if let Err(error) = Kafka::archive_classes(&dir, &jars, &archive).await {
            tracing::warn!(%error, "cannot prepare kafka's class-data archive; it will start more slowly");
        }
    }
    Ok(jars)
}

/// The Java to run Kafka with.
pub(super) fn java(config: &Config) -> Result<PathBuf, DevkitError> {
    let missing = || DevkitError::Missing {
        program: "Java 17",
        package: "openjdk-17-jdk-headless",
    };
    let java = config.find_program("java").ok_or_else(missing)?;
    java.canonicalize().map_err(|_| missing())
}

/// Where the class-data archive for this very Java is, or would be: no other Java could use it.
pub(super) fn archive(jars: &Path, java: &Path) -> Result<PathBuf, DevkitError> {
    let changed = fs::metadata(java).map_err(DevkitError::io("read", java))?;
    Ok(jars.join(format!(
        "classes-{}-{}.jsa",
        changed.mtime(),
        changed.size()
    )))
}

/// The class path, jar by jar as the class-data archive needs it, as the server sees it.
pub(super) fn class_path(jars: &Path) -> Result<String, DevkitError> {
    let entries = fs::read_dir(jars).map_err(DevkitError::io("read", jars))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| {
            Path::new(name)
                .extension()
                .is_some_and(|extension| extension == "jar")
        })
        .map(|name| format!("{LIBRARY}/{name}"))
        .collect();
    names.sort_unstable();
    Ok(names.join(":"))
}

async fn lock(dir: &Path) -> Result<File, DevkitError> {
    let path = dir.join("lock");
    let file = File::create(&path).map_err(DevkitError::io("create", &path))?;
    tokio::task::spawn_blocking(move || file.lock().map(|()| file))
        .await
        .map_err(|error| DevkitError::io("lock", &path)(error.into()))?
        .map_err(DevkitError::io("lock", &path))
}

async fn fetch(config: &Config, dir: &Path, jars: &Path) -> Result<(), DevkitError> {
    let maven = config.find_program("mvn").ok_or(DevkitError::Missing {
        program: "Maven",
        package: "maven",
    })?;
    let work = tempfile::Builder::new()
        .prefix("fetching-")
        .tempdir_in(dir)
        .map_err(DevkitError::io("create", dir))?;
    let pom = work.path().join("pom.xml");
    fs::write(&pom, POM).map_err(DevkitError::io("write", &pom))?;
    let fetched = work.path().join("jars");
    let mut command = Command::new(maven);
    command
        .args(["--batch-mode", "--quiet", "--strict-checksums", "--file"])
        .arg(&pom)
        .args(["dependency:copy-dependencies", "-DincludeScope=runtime"])
        .arg(format!("-DoutputDirectory={}", fetched.display()))
        .stdin(Stdio::null());
    tracing::info!(version = VERSION, "fetching kafka's jars with maven");
    let output = process::output(command).await?;
    if !output.status.success() {
        let cause = first_error(&output.stdout);
        return Err(DevkitError::Maven { cause });
    }
    make_readable(&fetched)?;
    fs::rename(&fetched, jars).map_err(DevkitError::io("move", fetched))
}

/// The line that says what went wrong; pages about how to ask Maven for more follow it.
fn first_error(printed: &[u8]) -> String {
    let printed = String::from_utf8_lossy(printed);
    let line = printed.lines().find_map(|line| line.split_once("[ERROR] "));
    line.map_or_else(
        || "nothing".to_owned(),
        |(_, cause)| cause.trim().to_owned(),
    )
}

/// Kafka runs as another user than the one who fetched.
fn make_readable(jars: &Path) -> Result<(), DevkitError> {
    let readable = |path: &Path, mode| {
        fs::set_permissions(path, Permissions::from_mode(mode))
            .map_err(DevkitError::io("open up", path))
    };
    readable(jars, 0o755)?;
    for entry in fs::read_dir(jars).map_err(DevkitError::io("read", jars))? {
        let entry = entry.map_err(DevkitError::io("read", jars))?;
        readable(&entry.path(), 0o644)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_is_named_for_the_pinned_version() {
        assert!(POM.contains(&format!(
            "<artifactId>kafka_2.13</artifactId>\n      <version>{VERSION}</version>"
        )));
    }

    #[test]
    fn only_the_cause_is_taken_from_maven() {
        let printed = b"Warning: x\n\x1b[0m[ERROR] No plugin found \n[ERROR] To see the full stack trace, ...\n";
        assert_eq!(first_error(printed), "No plugin found");
        assert_eq!(first_error(b""), "nothing");
    }

    #[test]
    fn class_path_lists_jars_in_one_order() {
        let jars = tempfile::tempdir().expect("a temporary folder");
        for name in ["b.jar", "a.jar", "classes-1-2.jsa"] {
            fs::write(jars.path().join(name), "").expect("the file is writable");
        }
        let path = class_path(jars.path()).expect("the folder is readable");
        assert_eq!(path, format!("{LIBRARY}/a.jar:{LIBRARY}/b.jar"));
    }
}
