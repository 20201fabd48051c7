//! The services of an `up`: where each listens, what it is told, and how it is started and ended.
//!
//! A service is told everything as the same flags or variables that an operator would use, whether it runs in this process
//! or in one of its own, so that both ways start the same thing.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail};
use clap::Parser;
use devkit::{Companion, KeptPort, Program};
use service::Shutdown;
use tokio::{task::JoinSet, time::Instant};

use super::{folder::Running, stack::ByName};
use crate::{cli::Cli, config, service_by_command, setup};

/// In the order in which they are started; ended in reverse.
const NAMES: [&str; 5] = ["runner", "question", "evaluation", "execute", "gateway"];

/// How long all may take until they are ready: a first start writes archives of Java classes.
const PATIENCE: Duration = Duration::from_mins(1);

/// Where a service listens.
#[derive(Debug, Clone, Copy)]
struct Address {
    api: SocketAddr,
    ops: SocketAddr,
}

/// Where each service listens.
#[derive(Debug)]
pub(crate) struct Addresses {
    services: ByName<Address>,
    /// Nobody else is given them until `up` ends.
    _kept: Vec<KeptPort>,
    /// The runner's address when it is not ours.
    runner: Option<String>,
}

impl Addresses {
    /// Free ports for all; the gateway's is the one asked for, unless that is 0.
    pub(crate) fn choose(gateway: SocketAddr, runner: Option<String>) -> Result<Self> {
        if let Err(error) = TcpListener::bind(gateway) {
            bail!(
                "cannot listen on {gateway} ({error}): end the program that does, or choose another address with --listen"
            );
        }
        let mut kept = vec![];
        let mut free = || {
            let port = KeptPort::any()?;
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port.number()));
            kept.push(port);
            anyhow::Ok(address)
        };
        let mut services = ByName::new();
        for name in NAMES {
            let (api, ops) = (free()?, free()?);
            services.insert(name, Address { api, ops });
        }
        if runner.is_some() {
            services.remove("runner");
        }
        if let Some(address) = services.get_mut("gateway") {
            let port = if gateway.port() == 0 {
                address.api.port()
            } else {
                gateway.port()
            };
            address.api = SocketAddr::new(gateway.ip(), port);
        }
        Ok(Self {
            services,
            _kept: kept,
            runner,
        })
    }

    /// What a browser opens.
    pub(crate) fn public_url(&self) -> String {
        self.url("gateway")
    }

    fn url(&self, name: &str) -> String {
        match (self.services.get(name), &self.runner) {
            (Some(address), _) => format!("http://{}", reachable(address.api)),
            (None, runner) => runner.clone().unwrap_or_default(),
        }
    }
}

/// An address that listens everywhere is reached on the loopback one.
fn reachable(address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        SocketAddr::from((Ipv4Addr::LOCALHOST, address.port()))
    } else {
        address
    }
}

/// What services are told beside their addresses.
#[derive(Debug)]
pub(crate) struct Settings<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) keys: &'a Path,
    pub(crate) database_url: &'a str,
    pub(crate) kafka_brokers: &'a str,
    pub(crate) topic_prefix: &'a str,
    pub(crate) generous_limits: bool,
}

/// One setting: its flag, its variable, its value.
type Setting = (&'static str, &'static str, String);

impl Settings<'_> {
    fn of(&self, name: &str, addresses: &Addresses) -> Vec<Setting> {
        let path = |path: std::path::PathBuf| path.display().to_string();
        let Some(address) = addresses.services.get(name) else {
            return vec![];
        };
        let mut settings = vec![
            ("listen", "CODEMENTOR_LISTEN", address.api.to_string()),
            (
                "ops-listen",
                "CODEMENTOR_OPS_LISTEN",
                address.ops.to_string(),
            ),
            (
                "trusted-keys",
                "CODEMENTOR_TRUSTED_KEYS",
                path(self.keys.join("trusted.json")),
            ),
        ];
        if name != "runner" {
            settings.push(("database-url", "DATABASE_URL", self.database_url.to_owned()));
            settings.push((
                "kafka-brokers",
                "KAFKA_BROKERS",
                self.kafka_brokers.to_owned(),
            ));
            settings.push((
                "topic-prefix",
                "CODEMENTOR_TOPIC_PREFIX",
                self.topic_prefix.to_owned(),
            ));
        }
        if setup::CALLERS.contains(&name) {
            let key = self.keys.join(format!("{name}.pem"));
            settings.push(("service-key", "CODEMENTOR_SERVICE_KEY", path(key)));
        }
        settings.extend(self.own(name, addresses));
        settings
    }

    /// What only this service is told.
    fn own(&self, name: &str, addresses: &Addresses) -> Vec<Setting> {
        let question = (
            "question-url",
            "CODEMENTOR_QUESTION_URL",
            addresses.url("question"),
        );
        let runners = (
            "runner-urls",
            "CODEMENTOR_RUNNER_URLS",
            addresses.url("runner"),
        );
        let execute = (
            "execute-url",
            "CODEMENTOR_EXECUTE_URL",
            addresses.url("execute"),
        );
        let below = |name: &str| self.folder.join(name).display().to_string();
        match name {
            "gateway" => {
                let mut settings = vec![question, execute];
                if self.generous_limits {
                    for (flag, variable) in [
                        (
                            "submissions-per-minute",
                            "CODEMENTOR_SUBMISSIONS_PER_MINUTE",
                        ),
                        ("requests-per-minute", "CODEMENTOR_REQUESTS_PER_MINUTE"),
                        ("streams-per-account", "CODEMENTOR_STREAMS_PER_ACCOUNT"),
                    ] {
                        settings.push((flag, variable, "1000000".to_owned()));
                    }
                }
                settings
            }
            "execute" => {
                let mut settings = vec![question, runners];
                if self.generous_limits {
                    for (flag, variable) in [
                        ("waiting-per-account", "CODEMENTOR_WAITING_PER_ACCOUNT"),
                        ("waiting-most", "CODEMENTOR_WAITING_MOST"),
                    ] {
                        settings.push((flag, variable, "1000000".to_owned()));
                    }
                }
                settings
            }
            "evaluation" => {
                let mut settings = vec![question, runners];
                if addresses.runner.is_some() {
                    settings.push(("reviewer", "CODEMENTOR_REVIEWER", "off".to_owned()));
                }
                settings
            }
            "question" => vec![execute, ("blobs", "CODEMENTOR_BLOBS", below("blobs"))],
            "runner" => vec![("work-dir", "CODEMENTOR_RUNNER_DIR", below("runner"))],
            _ => vec![],
        }
    }
}

/// The running services.
#[derive(Debug)]
pub(crate) struct Services {
    companions: ByName<Companion>,
    inside: JoinSet<(&'static str, Result<()>)>,
    shutdown: Shutdown,
    ops: ByName<SocketAddr>,
}

impl Services {
    /// Ends the processes that a killed `up` left in this folder.
    pub(crate) async fn end_leftovers(folder: &Path) -> Result<()> {
        for name in NAMES.into_iter().rev() {
            Companion::end_leftover(folder, name).await?;
        }
        Ok(())
    }

    /// Starts all; returns before they are ready.
    pub(crate) async fn start(
        settings: &Settings<'_>,
        addresses: &Addresses,
        split: bool,
    ) -> Result<Self> {
        let mut services = Self {
            companions: ByName::new(),
            inside: JoinSet::new(),
            shutdown: Shutdown::manual(),
            ops: addresses
                .services
                .iter()
                .map(|(name, address)| (*name, address.ops))
                .collect(),
        };
        for name in NAMES {
            if !addresses.services.contains_key(name) {
                continue;
            }
            let told = settings.of(name, addresses);
            let started = if split || name == "runner" {
                services.start_beside(settings.folder, name, told).await
            } else {
                services.start_inside(name, told)
            };
            if let Err(error) = started {
                services.stop().await?;
                return Err(error).with_context(|| format!("cannot start {name}"));
            }
        }
        Ok(services)
    }

    async fn start_beside(
        &mut self,
        folder: &Path,
        name: &'static str,
        settings: Vec<Setting>,
    ) -> Result<()> {
        let program = std::env::current_exe().context("cannot find this program")?;
        let told = settings
            .into_iter()
            .map(|(_, variable, value)| (variable.to_owned(), value));
        // What this `up` was told by variables, its services are told too; what it decides comes after it.
        let environment: Vec<(String, String)> = config::for_companions().chain(told).collect();
        let program = Program {
            path: &program,
            arguments: &[name],
            environment: &environment,
        };
        let companion = Companion::start(folder, name, program).await?;
        self.companions.insert(name, companion);
        Ok(())
    }

    fn start_inside(&mut self, name: &'static str, settings: Vec<Setting>) -> Result<()> {
        let mut arguments = vec!["codementor".to_owned(), name.to_owned()];
        for (flag, _, value) in settings {
            arguments.push(format!("--{flag}={value}"));
        }
        let command = Cli::try_parse_from(arguments)?.command;
        let shutdown = self.shutdown.clone();
        self.inside
            .spawn(async move { (name, service_by_command(command, shutdown).await) });
        Ok(())
    }

    /// Returns when all are ready.
    pub(crate) async fn ready(&mut self) -> Result<()> {
        let probed = probe(self.ops.clone());
        tokio::select! {
            ready = probed => ready,
            reason = self.ended() => bail!(reason),
        }
    }

    /// What others are told of them.
    pub(crate) fn running(
        &self,
        addresses: &Addresses,
    ) -> std::collections::BTreeMap<String, Running> {
        let running = |(name, address): (&&'static str, &Address)| {
            let running = Running {
                url: addresses.url(name),
                ops_url: format!("http://{}", address.ops),
                pid: self.companions.get(name).map(Companion::pid),
            };
            ((*name).to_owned(), running)
        };
        addresses.services.iter().map(running).collect()
    }

    /// Returns when one has ended by itself, with why.
    pub(crate) async fn ended(&mut self) -> String {
        let beside = self.companions.values().map(|companion| {
            Box::pin(async move {
                companion.ended().await.ok();
                companion.explain().to_string()
            })
        });
        let beside = async {
            if self.companions.is_empty() {
                std::future::pending().await
            } else {
                futures::future::select_all(beside).await.0
            }
        };
        tokio::select! {
            reason = beside => reason,
            Some(ended) = self.inside.join_next() => match ended {
                Ok((name, Err(error))) => format!("{name} ended: {error:#}"),
                Ok((name, Ok(()))) => format!("{name} ended by itself"),
                Err(error) => format!("a service ended: {error}"),
            },
        }
    }

    /// Ends all: those that take work first, the runner last.
    pub(crate) async fn stop(mut self) -> Result<()> {
        self.shutdown.stop();
        let mut failed = None;
        while let Some(ended) = self.inside.join_next().await {
            let ended = ended.map_err(|error| anyhow!(error));
            if let Err(error) = ended.and_then(|(name, ended)| ended.context(name)) {
                failed = Some(error);
            }
        }
        for name in NAMES.into_iter().rev() {
            if let Some(companion) = self.companions.remove(name) {
                companion.stop().await?;
            }
        }
        failed.map_or(Ok(()), Err)
    }
}

/// Asks each until it is ready.
async fn probe(ops: ByName<SocketAddr>) -> Result<()> {
    let http = reqwest::Client::new();
    let deadline = Instant::now() + PATIENCE;
    for (name, address) in ops {
        let url = format!("http://{address}/readyz");
        loop {
            let body = match http.get(&url).send().await {
                Ok(answer) if answer.status().is_success() => break,
                Ok(answer) => answer.text().await.unwrap_or_default(),
                Err(error) => error.to_string(),
            };
            if Instant::now() > deadline {
                bail!("{name} is not ready after {} s: {body}", PATIENCE.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    Ok(())
}
