//! What every handler and task has at hand.

use std::{sync::Arc, time::Duration};

use axum::extract::FromRef;
use service::{Client, token::Verifier};
use sqlx::PgPool;

use crate::{accept::StoredManifests, config::Patience, languages::Languages, outbox::Outbox};

/// Execute's parts. Cheap to clone.
#[derive(Debug, Clone)]
pub struct State {
    pub(crate) pool: PgPool,
    /// How long tasks wait for Postgres; handlers have a bound of their own.
    pub(crate) database_patience: Duration,
    pub(crate) question: Client,
    pub(crate) languages: Languages,
    pub(crate) outbox: Outbox,
    pub(crate) manifests: Arc<StoredManifests>,
    pub(crate) patience: Arc<Patience>,
    pub(crate) verifier: Verifier,
}

impl FromRef<State> for Verifier {
    fn from_ref(state: &State) -> Self {
        state.verifier.clone()
    }
}
