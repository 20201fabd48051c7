//! What every handler has at hand.

use std::{ops::Deref, sync::Arc};

use service::Client;
use sqlx::PgPool;

use crate::{
    config::Registration, hub::Hub, keys::Keys, limits::Limits, password::Hasher, proxy::Proxy,
    signed_in::SignIns,
};

/// The parts of the gateway. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

pub struct Parts {
    pub(crate) db: PgPool,
    pub(crate) keys: Keys,
    pub(crate) hasher: Hasher,
    pub(crate) sign_ins: SignIns,
    pub(crate) limits: Limits,
    pub(crate) proxy: Proxy,
    /// For what we ask in our own name, or only we ask.
    pub(crate) execute: Client,
    pub(crate) hub: Hub,
    pub(crate) settings: Settings,
}

/// What the operator decided.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) registration: Registration,
    pub(crate) https: bool,
    pub(crate) trusted_proxies: usize,
}

impl App {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
