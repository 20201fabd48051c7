//! The signing keys in force, read from the database now and then.
//!
//! A token that names an unknown key makes them be read again, but not more often than once a second: whoever sends
//! rubbish must not make us ask the database for each.

use std::{
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::{Duration, Instant},
};

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::{
    access_token::{Claims, KeyRing, Refused},
    setup::{self, SetupError},
    store,
};

/// How often they are read although nobody asked.
const REFRESH: Duration = Duration::from_mins(1);
const LEAST_PAUSE: Duration = Duration::from_secs(1);

/// The keys of this moment.
#[derive(Clone)]
pub(crate) struct Keys {
    db: PgPool,
    ring: Arc<RwLock<Arc<KeyRing>>>,
    read_at: Arc<Mutex<Instant>>,
}

impl Keys {
    /// Reads them for the first time; makes the first one if set-up has not.
    pub(crate) async fn load(db: PgPool) -> Result<Self, SetupError> {
        setup::ensure_signing_key(&db).await?;
        let ring = read(&db).await?;
        Ok(Self {
            db,
            ring: Arc::new(RwLock::new(Arc::new(ring))),
            read_at: Arc::new(Mutex::new(Instant::now())),
        })
    }

    /// Reads them now and then, until the end.
    pub(crate) async fn keep_fresh(self, end: CancellationToken) {
        let keeping = async {
            loop {
                tokio::time::sleep(REFRESH).await;
                if let Err(error) = self.refresh().await {
                    tracing::warn!(%error, "cannot read the signing keys again");
                }
            }
        };
        end.run_until_cancelled(keeping).await;
    }

    /// All of them.
    pub(crate) fn ring(&self) -> Arc<KeyRing> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads them again.
    async fn refresh(&self) -> Result<(), SetupError> {
        let ring = read(&self.db).await?;
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
        Ok(())
    }

    /// What a token says, when it is good; a key that was made a moment ago is looked for.
    pub(crate) async fn verify(&self, token: &str) -> Result<Claims, Refused> {
        match self.ring().verify(token) {
            Err(Refused::UnknownKey) if self.may_read_again() => {
                if let Err(error) = self.refresh().await {
                    tracing::warn!(%error, "cannot look for a newer signing key");
                }
                self.ring().verify(token)
            }
            verified => verified,
        }
    }

    fn may_read_again(&self) -> bool {
        let mut read_at = self.read_at.lock().unwrap_or_else(PoisonError::into_inner);
        let may = read_at.elapsed() >= LEAST_PAUSE;
        if may {
            *read_at = Instant::now();
        }
        may
    }
}

async fn read(db: &PgPool) -> Result<KeyRing, SetupError> {
    let (signing, public) = store::key::load(db).await?;
    Ok(KeyRing::new(signing.as_ref(), &public)?)
}
