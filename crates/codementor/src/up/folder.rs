//! The folder of an `up`: used by one at a time, and told to others in `up.json`.

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File, TryLockError},
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use contract::Role;
use serde::{Deserialize, Serialize};

use crate::client::Client;

/// A data folder that is ours until this value is dropped.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes or opens the folder, takes its lock, and removes what an earlier `up` said of itself.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        // Servers that run as other users pass through it to their own subfolders.
        let made = DirBuilder::new().mode(0o711).recursive(true).create(path);
        made.with_context(|| format!("cannot make the folder {}", path.display()))?;
        let path = path
            .canonicalize()
            .with_context(|| format!("cannot open {}", path.display()))?;
        let lock = File::create(path.join("lock"))
            .with_context(|| format!("cannot write in {}", path.display()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "{} is in use by another `codementor up`: end that one first, or choose another folder with --data",
                path.display()
            ),
            Err(TryLockError::Error(error)) => return Err(error).context("cannot lock the folder"),
        }
        match fs::remove_file(path.join("up.json")) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).context("cannot remove the old up.json");
            }
            _ => {}
        }
        Ok(Self { path, _lock: lock })
    }

    /// Tells others what runs; readable by the owner only, and never half written.
    pub(crate) fn tell(&self, summary: &Summary) -> Result<()> {
        let new = self.path.join("up.json.new");
        let mut file = File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&new)
            .context("cannot write up.json")?;
        file.write_all(&serde_json::to_vec_pretty(summary)?)?;
        fs::rename(&new, self.path.join("up.json")).context("cannot write up.json")
    }

    /// Nothing runs any more.
    pub(crate) fn forget(&self) {
        fs::remove_file(self.path.join("up.json")).ok();
    }
}

/// What runs: the content of `up.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Summary {
    /// The public address.
    pub(crate) url: String,
    /// The demo accounts.
    pub(crate) accounts: Vec<DemoAccount>,
    /// Each service's private address, and its process where it has one of its own.
    pub(crate) services: BTreeMap<String, Running>,
    /// The servers in use, for the operator's tools; absent in what older versions wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) servers: Option<Addresses>,
}

/// Where the servers in use are. Holds the database's password: kept in a file that only its owner reads.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Addresses {
    /// The database.
    pub(crate) database_url: String,
    /// Kafka.
    pub(crate) kafka_brokers: String,
    /// Before the names of topics and groups.
    pub(crate) topic_prefix: String,
}

impl std::fmt::Debug for Addresses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Addresses")
            .field("database_url", &"…")
            .field("kafka_brokers", &self.kafka_brokers)
            .field("topic_prefix", &self.topic_prefix)
            .finish()
    }
}

/// One of the accounts that `up` makes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DemoAccount {
    /// What it may do.
    pub(crate) role: Role,
    /// For signing in.
    pub(crate) email: String,
    /// For signing in.
    pub(crate) password: String,
}

/// A running service.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Running {
    /// Its address.
    pub(crate) url: String,
    /// Where its probes and metrics are.
    pub(crate) ops_url: String,
    /// Its process, when it has one of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pid: Option<u32>,
}

impl Summary {
    /// What the running `up` of that folder said.
    pub(crate) fn read(data: &Path) -> Result<Self> {
        let path = data.join("up.json");
        let bytes = fs::read(&path).with_context(|| {
            format!(
                "cannot read {}: start `codementor up` first, or name its folder with --data",
                path.display()
            )
        })?;
        serde_json::from_slice(&bytes).with_context(|| format!("{} is damaged", path.display()))
    }

    /// The demo account of that role.
    pub(crate) fn account(&self, role: Role) -> Result<&DemoAccount> {
        self.accounts
            .iter()
            .find(|account| account.role == role)
            .with_context(|| format!("there is no demo account for {}", role.as_str()))
    }

    /// A client signed in as the demo account of that role.
    pub(crate) async fn sign_in(&self, role: Role) -> Result<Client> {
        let account = self.account(role)?;
        Client::sign_in(&self.url, &account.email, &account.password).await
    }
}
