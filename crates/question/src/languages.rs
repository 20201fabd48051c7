//! Which languages the runners have, and in which version: execute knows, and is asked now and then.
//!
//! Never makes a reader wait, and never talks to a runner: the last known answer stands until there is a newer one.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use contract::{Language, language::InstalledLanguage};
use service::{Client, Shutdown};
use sha2::{Digest, Sha256};

/// How long an answer is as good as new.
const FRESH: Duration = Duration::from_secs(30);

/// How soon an execute that did not answer is asked again.
const AGAIN: Duration = Duration::from_secs(1);

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// The languages that can be judged. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Languages {
    known: Arc<RwLock<Option<Arc<Installed>>>>,
}

/// What execute said last.
#[derive(Debug)]
pub(crate) struct Installed {
    languages: Vec<InstalledLanguage>,
    /// Differs where they differ: part of the entity tags of what shows them.
    mark: String,
}

impl Languages {
    /// Goes on asking until the soft end.
    pub(crate) fn start(execute: Client, shutdown: &Shutdown) -> Self {
        let languages = Self::default();
        let (this, soft) = (languages.clone(), shutdown.soft().clone());
        shutdown.tracker().spawn(async move {
            loop {
                let pause = if this.refresh(&execute).await {
                    FRESH
                } else {
                    AGAIN
                };
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = soft.cancelled() => return,
                }
            }
        });
        languages
    }

    /// What is known; `None` while execute has never answered.
    pub(crate) fn known(&self) -> Option<Arc<Installed>> {
        self.known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Whether execute answered.
    async fn refresh(&self, execute: &Client) -> bool {
        let answer = execute
            .get("/api/v1/languages")
            .timeout(PATIENCE)
            .json::<Vec<InstalledLanguage>>()
            .await;
        let languages = match answer {
            Ok(languages) => languages,
            Err(error) => {
                tracing::debug!(%error, "execute does not say which languages there are: {error}");
                return false;
            }
        };
        let installed = Arc::new(Installed::new(languages));
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(installed);
        true
    }
}

impl Installed {
    fn new(languages: Vec<InstalledLanguage>) -> Self {
        let mut hash = Sha256::new();
        for language in &languages {
            hash.update(language.id.id());
            hash.update([0]);
            hash.update(&language.version);
            hash.update([0]);
        }
        let mark = hex::encode(&hash.finalize()[..4]);
        Self { languages, mark }
    }

    /// The version of a language; `None` where no runner has it.
    pub(crate) fn version(&self, language: Language) -> Option<&str> {
        let found = self.languages.iter().find(|known| known.id == language);
        found.map(|known| known.version.as_str())
    }

    /// Differs where the languages or their versions differ.
    pub(crate) fn mark(&self) -> &str {
        &self.mark
    }
}
