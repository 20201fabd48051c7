//! Which languages the runners have: asked for twice a minute, and the last known answer outlives the runners.
//!
//! Never makes a submit wait for a runner.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use contract::language::InstalledLanguage;
use service::{Client, Shutdown};

/// How long an answer is as good as new.
const FRESH: Duration = Duration::from_secs(30);

/// How soon runners that did not answer are asked again.
const AGAIN: Duration = Duration::from_secs(1);

/// How long a runner may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// The languages that can be judged. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Languages {
    runners: Arc<[Client]>,
    known: Arc<RwLock<Option<Arc<[InstalledLanguage]>>>>,
}

impl Languages {
    /// Asks the runners, and goes on asking until the soft end. Returns when they have answered or not.
    pub(crate) async fn start(runners: Vec<Client>, shutdown: &Shutdown) -> Self {
        let languages = Self {
            runners: runners.into(),
            known: Arc::default(),
        };
        let mut answered = languages.refresh().await;
        let (this, soft) = (languages.clone(), shutdown.soft().clone());
        shutdown.tracker().spawn(async move {
            loop {
                let pause = if answered { FRESH } else { AGAIN };
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = soft.cancelled() => return,
                }
                answered = this.refresh().await;
            }
        });
        languages
    }

    /// What is known; `None` while no runner has ever answered.
    pub(crate) fn known(&self) -> Option<Arc<[InstalledLanguage]>> {
        self.known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Whether a runner answered.
    async fn refresh(&self) -> bool {
        let answers = futures::future::join_all(self.runners.iter().map(ask)).await;
        let mut all = BTreeMap::new();
        for language in answers.into_iter().flatten().flatten() {
            all.entry(language.id).or_insert(language);
        }
        if all.is_empty() {
            return false;
        }
        let all: Arc<[InstalledLanguage]> = all.into_values().collect();
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(all);
        true
    }
}

async fn ask(runner: &Client) -> Option<Vec<InstalledLanguage>> {
    let answer = runner
        .get("/internal/languages")
        .timeout(PATIENCE)
        .json()
        .await;
    match answer {
        Ok(languages) => Some(languages),
        Err(error) => {
            tracing::debug!(%error, "a runner does not say which languages it has: {error}");
            None
        }
    }
}
