//! What a service waits for before it serves: keys, database, tables. Said in `/readyz` and in the log, and looked at again every
//! two seconds, instead of ending and being started again and again.
//!
//! ```text
//! begin ─► probes answer, requests get 503 ─► wait_for keys ─► database ─► … ─► done ─► serve
//!                                               └─ not there: said at once, again when the reason changes and once a minute
//! ```
//! A setting that is wrong ends the service at once: waiting does not mend it. Never does by itself what `codementor setup` does.

use std::{
    error::Error,
    io,
    os::fd::AsFd,
    time::{Duration, Instant},
};

use axum::Router;
use sqlx::{PgPool, migrate::Migrator};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    Listeners, Ops, Part, Problem, Shutdown,
    config::DatabaseConfig,
    database::{self, DatabaseError},
    server,
};

/// How often something that was not there is looked at again.
const PAUSE: Duration = Duration::from_secs(2);

/// How often the same reason is said again.
const REMIND: Duration = Duration::from_mins(1);

/// What requests are told that come too early.
const RETRY_AFTER: u64 = 2;

/// A service that is starting. Dropped, its probes answer no more.
#[derive(Debug)]
pub struct Start {
    ops: Ops,
    shutdown: Shutdown,
    whole: Part,
    answering: [JoinHandle<()>; 2],
    end: DropGuard,
}

impl Start {
    /// From here on probes are answered, and requests with 503. Not ready until [`done`](Self::done).
    pub fn begin(ops: &Ops, listeners: &Listeners, shutdown: &Shutdown) -> io::Result<Self> {
        let end = CancellationToken::new();
        let api = Router::new().fallback(async || {
            Problem::unavailable("The service is starting; try again in a moment.")
                .retry_after(RETRY_AFTER)
        });
        let listeners = Listeners {
            api: second(&listeners.api)?,
            ops: second(&listeners.ops)?,
        };
        let answering = server::serve_start(listeners, api, ops, shutdown, &end);
        Ok(Self {
            ops: ops.clone(),
            shutdown: shutdown.clone(),
            whole: ops.part("start"),
            answering,
            end: end.drop_guard(),
        })
    }

    /// Tries until it succeeds, and says at `part` what is in the way. The error is the last one, when the service is told to end
    /// meanwhile.
    pub async fn wait_for<T, E: Error, Attempt>(
        &self,
        part: &Part,
        mut attempt: impl FnMut() -> Attempt,
    ) -> Result<T, E>
    where
        Attempt: Future<Output = Result<T, E>>,
    {
        let mut said: Option<(String, Instant)> = None;
        loop {
            let error = match attempt().await {
                Ok(made) => {
                    part.ok();
                    return Ok(made);
                }
                Err(error) => error,
            };
            let why = sentence(&error);
            part.waiting(&why);
            let is_news = said
                .as_ref()
                .is_none_or(|(before, at)| *before != why || at.elapsed() >= REMIND);
            if is_news {
                let (service, part) = (self.ops.service(), part.name());
                tracing::error!(service, part, "{service} cannot start yet: {why}");
                said = Some((why, Instant::now()));
            }
            tokio::select! {
                () = self.shutdown.soft().cancelled() => return Err(error),
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }

    /// Waits for the files of keys, as part `keys`.
    pub async fn keys<T, E: Error>(&self, load: impl Fn() -> Result<T, E>) -> Result<T, E> {
        let part = self.ops.part("keys");
        self.wait_for(&part, || std::future::ready(load())).await
    }

    /// Waits for a database whose tables are those that this program was built for, as part `database`, and watches it from
    /// then on. What this machine's clock says is compared with the database's, as part `clock`.
    pub async fn database(
        &self,
        config: &DatabaseConfig,
        schema: &str,
        migrator: &Migrator,
    ) -> Result<PgPool, DatabaseError> {
        database::check_address(config)?;
        let (part, clock) = (self.ops.part("database"), self.ops.part("clock"));
        let opened = self
            .wait_for(&part, || database::open(config, schema, migrator))
            .await?;
        database::watch(&opened, part, &self.shutdown);
        database::watch_clock(&opened, clock, &self.shutdown);
        Ok(opened)
    }

    /// Everything is there: serve. When this returns, nobody is told any more that the service is starting.
    pub async fn done(self) {
        drop(self.end);
        for answering in self.answering {
            // A panic in it would have been logged; the service starts all the same.
            answering.await.ok();
        }
        self.whole.ok();
    }
}

/// An error with its causes, as one sentence.
fn sentence(error: &dyn Error) -> String {
    let mut sentence = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        // Some show their cause by themselves.
        if !sentence.contains(&text) {
            sentence = format!("{sentence}: {text}");
        }
        cause = error.source();
    }
    sentence.replace('\n', " ")
}

/// The same socket once more.
fn second(listener: &TcpListener) -> io::Result<TcpListener> {
    let descriptor = listener.as_fd().try_clone_to_owned()?;
    TcpListener::from_std(descriptor.into())
}
