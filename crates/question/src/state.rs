//! What every request handler has at hand.

use axum::extract::FromRef;
use contract::Account;
use service::{Client, token::Verifier};
use sqlx::PgPool;

use crate::{blobs::Blobs, languages::Languages, store::Viewer};

/// The service's parts. Cheap to clone.
#[derive(Debug, Clone)]
pub struct AppState {
    /// Schema `question`.
    pub pool: PgPool,
    /// The bodies of tests.
    pub blobs: Blobs,
    /// Who judges solutions.
    pub(crate) execute: Client,
    /// What the runners have.
    pub(crate) languages: Languages,
    /// Tells true service tokens.
    pub verifier: Verifier,
}

impl FromRef<AppState> for Verifier {
    fn from_ref(state: &AppState) -> Self {
        state.verifier.clone()
    }
}

impl From<&Account> for Viewer {
    fn from(account: &Account) -> Self {
        Self {
            account: account.id,
            role: account.role,
        }
    }
}
