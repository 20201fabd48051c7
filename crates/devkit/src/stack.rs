//! One Postgres and one Kafka for all test programs of a test run.
//!
//! Whoever needs one first starts it, under a lock in the stack's folder; it stays for the others until `devkit stop`. Tests do
//! not see one another: each has a database of its own and topics under a prefix of its own.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use uuid::Uuid;

use crate::{
    DevkitError, Kafka, Postgres,
    config::Config,
    postgres::store::{self, TEST_PREFIX},
    resolve_jars,
};

/// No test takes as long.
const FORGOTTEN: Duration = Duration::from_hours(1);

/// Where the shared servers are. Making one starts nothing: each server is started when it is first asked for.
#[derive(Debug, Clone)]
pub struct Stack {
    dir: PathBuf,
    config: Config,
}

impl Stack {
    /// The stack of this checkout's test run; `DATABASE_URL` and `KAFKA_BROKERS` put other servers in its place.
    pub fn for_tests() -> Result<Self, DevkitError> {
        let config = Config::from_env()?;
        let dir = match &config.test_stack {
            Some(dir) => dir.clone(),
            None => default_dir()?,
        };
        Ok(Self { dir, config })
    }

    /// The stack in a folder of the caller's choice, whatever the environment says.
    pub fn in_folder(dir: &Path) -> Result<Self, DevkitError> {
        let mut config = Config::from_env()?;
        (config.database_url, config.kafka_brokers) = (None, None);
        Ok(Self {
            dir: dir.to_owned(),
            config,
        })
    }

    /// A new, empty database for one test; the answer is its address.
    pub async fn fresh_database(&self) -> Result<String, DevkitError> {
        let name = format!("{TEST_PREFIX}{}", Uuid::now_v7().simple());
        let url = self.database_url().await?;
        store::create_database(&url, &name).await?;
        Ok(with_database(&url, &name))
    }

    /// The address of the server's maintenance database.
    pub async fn database_url(&self) -> Result<String, DevkitError> {
        if let Some(url) = &self.config.database_url {
            return Ok(url.clone());
        }
        let _lock = self.lock().await?;
        let postgres = match Postgres::attach(&self.dir).await? {
            Some(postgres) => postgres,
            None => Postgres::start_detached(&self.dir).await?,
        };
        Ok(postgres.url("postgres"))
    }

    /// The brokers' address.
    pub async fn brokers(&self) -> Result<String, DevkitError> {
        if let Some(brokers) = &self.config.kafka_brokers {
            return Ok(brokers.clone());
        }
        let _lock = self.lock().await?;
        if let Some((_, brokers)) = Kafka::attach(&self.dir).await? {
            return Ok(brokers);
        }
        // It was stopped, or it died: nobody needs what tests left in it, and thousands of their topics would make it too slow
        // to come back.
        Kafka::end_leftovers(&self.dir).await?;
        self.remove("kafka/logs")?;
        let jars = resolve_jars(&self.config.cache()?).await?;
        Ok(Kafka::start_detached(&self.dir, &jars)
            .await?
            .brokers()
            .to_owned())
    }

    /// What a test puts before the names of its topics and groups.
    pub fn topic_prefix(&self) -> String {
        format!("test-{}.", Uuid::now_v7().simple())
    }

    /// Drops the databases that earlier tests left on the server.
    pub async fn clear(&self) -> Result<(), DevkitError> {
        Ok(store::drop_old_test_databases(&self.database_url().await?, FORGOTTEN).await?)
    }

    /// Process ids of the shared servers that run and answer: Postgres, Kafka.
    pub async fn status(&self) -> Result<(Option<u32>, Option<u32>), DevkitError> {
        let postgres = Postgres::attach(&self.dir)
            .await?
            .map(|postgres| postgres.pid());
        let kafka = Kafka::attach(&self.dir).await?.map(|(pid, _)| pid);
        Ok((postgres, kafka))
    }

    /// Ends the shared servers, however they are, and removes what they stored.
    pub async fn stop(&self) -> Result<(), DevkitError> {
        if !self.dir.is_dir() {
            return Ok(());
        }
        let _lock = self.lock().await?;
        Postgres::end_leftovers(&self.dir).await?;
        Kafka::end_leftovers(&self.dir).await?;
        self.remove("postgres")?;
        self.remove("kafka")
    }

    fn remove(&self, name: &str) -> Result<(), DevkitError> {
        let path = self.dir.join(name);
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(DevkitError::io("remove", path)(error))
            }
            _ => Ok(()),
        }
    }

    async fn lock(&self) -> Result<File, DevkitError> {
        fs::create_dir_all(&self.dir).map_err(DevkitError::io("create", &self.dir))?;
        let path = self.dir.join("lock");
        let file = File::create(&path).map_err(DevkitError::io("create", &path))?;
        tokio::task::spawn_blocking(move || file.lock().map(|()| file))
            .await
            .map_err(|error| DevkitError::io("lock", &path)(error.into()))?
            .map_err(DevkitError::io("lock", &path))
    }
}

/// `devkit` in cargo's target folder, found from this program: `target/debug/deps/test`, `target/debug/devkit`.
fn default_dir() -> Result<PathBuf, DevkitError> {
    let program = std::env::current_exe().map_err(DevkitError::io("find", "this program"))?;
    let mut folder = program.parent().unwrap_or(Path::new("/"));
    if folder.ends_with("deps") {
        folder = folder.parent().unwrap_or(folder);
    }
    Ok(folder.parent().unwrap_or(folder).join("devkit"))
}

/// The same server, another database.
fn with_database(url: &str, name: &str) -> String {
    let (address, options) = url
        .split_once('?')
        .map_or((url, None), |(address, options)| (address, Some(options)));
    let after_scheme = address.find("://").map_or(0, |at| at + 3);
    let server = address[after_scheme..]
        .find('/')
        .map_or(address, |slash| &address[..after_scheme + slash]);
    match options {
        Some(options) => format!("{server}/{name}?{options}"),
        None => format!("{server}/{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exchanges_the_database_of_an_address() {
        for (given, expected) in [
            ("postgres://u:p@h:1/postgres", "postgres://u:p@h:1/new"),
            ("postgres://u:p@h:1", "postgres://u:p@h:1/new"),
            (
                "postgresql://h/a?sslmode=disable&x=/y",
                "postgresql://h/new?sslmode=disable&x=/y",
            ),
        ] {
            assert_eq!(with_database(given, "new"), expected);
        }
    }

    #[test]
    fn lies_in_the_target_folder() {
        let dir = default_dir().expect("this test is a program");
        assert!(dir.ends_with("devkit"));
        assert!(
            dir.parent()
                .is_some_and(|target| target.join("debug").is_dir()),
            "{}",
            dir.display()
        );
    }
}
