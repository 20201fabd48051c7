//! Everything that an `up` runs, started in order and ended in the reverse order.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use contract::Role;

use super::{
    folder::{DemoAccount, Folder, Summary},
    samples,
    servers::Started,
    services::{Addresses, Services, Settings},
};
use crate::{cli::Servers, setup};

/// What to start.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// The folder that everything is kept in.
    pub(crate) data: PathBuf,
    /// Where the public API listens.
    pub(crate) listen: SocketAddr,
    /// Whether each service is a process of its own.
    pub(crate) split: bool,
    /// Servers to use instead of private ones.
    pub(crate) servers: Servers,
    /// The address of a runner to use instead of starting one.
    pub(crate) runner: Option<String>,
    /// Whether one account may do what a whole class does: for measuring.
    pub(crate) generous_limits: bool,
    /// Whether the sample questions are put in.
    pub(crate) samples: bool,
}

impl Options {
    /// All in `data`, on a free port, with sample questions.
    pub(crate) fn in_folder(data: &Path) -> Self {
        Self {
            data: data.to_owned(),
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            split: false,
            servers: Servers::default(),
            runner: None,
            generous_limits: false,
            samples: true,
        }
    }
}

/// A running CodeMentor.
#[derive(Debug)]
pub(crate) struct Stack {
    // In the order in which they are ended.
    services: Services,
    servers: Started,
    folder: Folder,
    summary: Summary,
}

impl Stack {
    /// Ends what a start that was given up has left running in `data`.
    pub(crate) async fn give_up(data: &Path) -> Result<()> {
        let folder = Folder::open(data)?;
        Services::end_leftovers(&folder.path).await?;
        Servers::end_leftovers(&folder.path).await?;
        Ok(())
    }

    /// Starts everything and returns when it is ready. On an error nothing is left running.
    pub(crate) async fn start(options: Options) -> Result<Self> {
        let folder = Folder::open(&options.data)?;
        Services::end_leftovers(&folder.path).await?;
        let servers = options.servers.start(&folder.path).await?;
        let started = start_services(&options, &folder, &servers).await;
        let (services, summary) = match started {
            Ok(started) => started,
            Err(error) => {
                servers.stop().await?;
                return Err(error);
            }
        };
        let mut stack = Self {
            services,
            servers,
            folder,
            summary,
        };
        if let Err(error) = stack.complete(&options).await {
            stack.stop().await?;
            return Err(error);
        }
        Ok(stack)
    }

    async fn complete(&mut self, options: &Options) -> Result<()> {
        self.services.ready().await?;
        if options.samples {
            let teacher = self.summary.sign_in(Role::Teacher).await?;
            samples::load(&teacher).await?;
        }
        self.folder.tell(&self.summary)
    }

    /// What runs, and how to use it.
    pub(crate) fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Returns when something has ended by itself, with what it was.
    pub(crate) async fn ended(&mut self) -> String {
        tokio::select! {
            server = self.servers.ended() => format!("{server} ended by itself; its log is in {}", self.folder.path.display()),
            reason = self.services.ended() => reason,
        }
    }

    /// Ends everything in order; nothing is left running.
    pub(crate) async fn stop(self) -> Result<()> {
        self.folder.forget();
        let services = self.services.stop().await;
        self.servers.stop().await?;
        services
    }
}

async fn start_services(
    options: &Options,
    folder: &Folder,
    servers: &Started,
) -> Result<(Services, Summary)> {
    let keys = folder.path.join("keys");
    setup::make_keys(&keys)?;
    setup::make_tables(&servers.database_url).await?;
    setup::make_topics(&servers.kafka_brokers, &options.servers.topic_prefix).await?;
    let accounts = demo_accounts(&folder.path)?;
    setup::make_demo_accounts(&servers.database_url, &accounts).await?;
    let addresses = Addresses::choose(options.listen, options.runner.clone())?;
    let settings = Settings {
        folder: &folder.path,
        keys: &keys,
        database_url: &servers.database_url,
        kafka_brokers: &servers.kafka_brokers,
        topic_prefix: &options.servers.topic_prefix,
        generous_limits: options.generous_limits,
    };
    let services = Services::start(&settings, &addresses, options.split).await?;
    let summary = Summary {
        url: addresses.public_url(),
        accounts,
        services: services.running(&addresses),
        servers: Some(super::Addresses {
            database_url: servers.database_url.clone(),
            kafka_brokers: servers.kafka_brokers.clone(),
            topic_prefix: options.servers.topic_prefix.clone(),
        }),
    };
    Ok((services, summary))
}

/// The demo accounts of this folder: their passwords are made once and kept.
fn demo_accounts(data: &Path) -> Result<Vec<DemoAccount>> {
    use std::{fs, io::Write, os::unix::fs::OpenOptionsExt};

    let path = data.join("accounts.json");
    if let Ok(bytes) = fs::read(&path) {
        return serde_json::from_slice(&bytes)
            .with_context(|| format!("{} is damaged: remove it", path.display()));
    }
    let accounts: Vec<DemoAccount> = [Role::Learner, Role::Teacher, Role::Admin]
        .into_iter()
        .map(|role| DemoAccount {
            role,
            email: format!("{}@codementor.example", role.as_str()),
            password: password(),
        })
        .collect();
    let new = data.join("accounts.json.new");
    let file = fs::File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new);
    file.and_then(|mut file| file.write_all(&serde_json::to_vec_pretty(&accounts)?))
        .and_then(|()| fs::rename(&new, &path))
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(accounts)
}

/// Twenty letters that are not mistaken for each other: 100 bits.
fn password() -> String {
    use rand::Rng;

    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789-";
    let mut random = rand::rng();
    (0..20)
        .map(|_| char::from(LETTERS[random.random_range(0..LETTERS.len())]))
        .collect()
}

/// Services by name.
pub(crate) type ByName<T> = BTreeMap<&'static str, T>;
