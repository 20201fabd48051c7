//! Which languages the runners have: asked for at most twice a minute, and the last known answer outlives the runners.
//!
//! Never makes a submit wait for a runner once anything is known.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use contract::language::InstalledLanguage;
use service::Client;
use tokio::sync::Mutex;

/// How long an answer is as good as new.
const FRESH: Duration = Duration::from_secs(30);

/// How soon runners that did not answer are asked again.
const AGAIN: Duration = Duration::from_secs(2);

/// How long a runner may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// The languages that can be judged. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Languages {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    runners: Vec<Client>,
    known: RwLock<Option<Arc<[InstalledLanguage]>>>,
    /// When to ask next; held by the one who asks.
    next: Mutex<Option<Instant>>,
}

impl Languages {
    pub(crate) fn new(runners: Vec<Client>) -> Self {
        Self {
            inner: Arc::new(Inner {
                runners,
                known: RwLock::new(None),
                next: Mutex::new(None),
            }),
        }
    }

    /// What is known; `None` while no runner has ever answered.
    pub(crate) async fn known(&self) -> Option<Arc<[InstalledLanguage]>> {
        if let Some(known) = self.last() {
            let this = self.clone();
            if this.inner.next.try_lock().is_ok_and(|next| is_due(*next)) {
                tokio::spawn(async move { this.refresh().await });
            }
            return Some(known);
        }
        self.refresh().await;
        self.last()
    }

    fn last(&self) -> Option<Arc<[InstalledLanguage]>> {
        self.inner
            .known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Asks all runners, unless somebody just has.
    async fn refresh(&self) {
        let mut next = self.inner.next.lock().await;
        if !is_due(*next) {
            return;
        }
        let answers = futures::future::join_all(self.inner.runners.iter().map(ask)).await;
        let mut all = BTreeMap::new();
        for language in answers.into_iter().flatten().flatten() {
            all.entry(language.id).or_insert(language);
        }
        if all.is_empty() {
            *next = Some(Instant::now() + AGAIN);
            return;
        }
        let known: Arc<[InstalledLanguage]> = all.into_values().collect();
        *self
            .inner
            .known
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Some(known);
        *next = Some(Instant::now() + FRESH);
    }
}

fn is_due(next: Option<Instant>) -> bool {
    next.is_none_or(|next| Instant::now() >= next)
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
            tracing::warn!(%error, "a runner does not say which languages it has");
            None
        }
    }
}
