//! gateway: the one door of CodeMentor.
//!
//! It knows who asks (accounts, sessions, API tokens, signing keys), passes each request on to the service that its path
//! belongs to, and holds the streams on which people watch their submissions. It owns the schema `gateway`.
//!
//! It never judges, never reads another service's tables, never passes a user's credential on, and never routes `/internal`.
//!
//! In reading order: [`Config`] and `routes`; who asks: `email`, `password`, `secret`, `session`, `access_token`, `scope`,
//! `signed_in`; what is passed on: `upstream`, `proxy`; the streams: `hub`; [`setup`] for the operator; `store` for all SQL.

pub mod setup;

mod access_token;
mod config;
mod cookie;
mod email;
mod error;
mod fields;
mod hub;
mod keys;
mod limits;
mod password;
mod proxy;
mod routes;
mod scope;
mod secret;
mod session;
mod signed_in;
mod state;
mod store;
mod upstream;
mod visitor;

use std::{io, time::Duration};

use service::{Client, Listeners, Ops, Shutdown, Start, token::Minter};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use hub::Hub;
use keys::Keys;
use limits::Limits;
use password::Hasher;
use proxy::Proxy;
use signed_in::SignIns;
use state::{Parts, Settings};

pub use config::{Config, Registration};
pub use error::GatewayError;
pub use routes::{document_streams, openapi, router};
pub use setup::{DemoAccount, Owner, ensure_demo_accounts, mint_access_token, setup};
pub use state::App;
pub use store::{MIGRATOR, SCHEMA};

/// The name by which other services know it.
const NAME: &str = "gateway";

/// How often those who asked for nothing of late are forgotten, and what has expired is removed.
const UPKEEP: Duration = Duration::from_mins(1);

/// Serves until the end.
pub async fn run(
    config: Config,
    listeners: Listeners,
    shutdown: Shutdown,
) -> Result<(), GatewayError> {
    let ops = Ops::new(NAME);
    let start = Start::begin(&ops, &listeners, &shutdown)?;
    let (key, _) = start.keys(|| config.keys.load(NAME)).await?;
    let db = start.database(&config.database, SCHEMA, &MIGRATOR).await?;
    let signing_keys = ops.part("signing keys");
    let keys = start
        .wait_for(&signing_keys, || Keys::load(db.clone()))
        .await?;
    shutdown
        .tracker()
        .spawn(keys.clone().keep_fresh(shutdown.soft().clone()));

    let minter = Minter::new(key);
    let execute = Client::new(&config.execute_url, "execute", minter.clone())?;
    let question = Client::new(&config.question_url, "question", minter)?;
    let readers_end = CancellationToken::new();
    let _readers_end_with_this = readers_end.clone().drop_guard();
    let hub = Hub::start(&config, execute.clone(), &ops, &shutdown, &readers_end).await?;
    let app = App::new(Parts {
        db,
        keys,
        hasher: Hasher::new(config.passwords_at_once)?,
        sign_ins: SignIns::default(),
        limits: Limits::new(config.rates()),
        proxy: Proxy::new(&config, execute.clone(), question),
        execute,
        hub,
        settings: Settings {
            registration: config.registration,
            https: config.is_https(),
            trusted_proxies: config.trusted_proxies,
        },
    });
    shutdown
        .tracker()
        .spawn(upkeep(app.clone(), shutdown.soft().clone()));
    give_up_on_dead_readers(&listeners.api)?;
    start.done().await;
    service::serve(listeners, router(app), ops, shutdown).await?;
    Ok(())
}

/// A connection that takes nothing for a minute is closed by the kernel: its stream was cut off long ago, but hyper waits for
/// it. Connections inherit this from their listener.
fn give_up_on_dead_readers(listener: &TcpListener) -> io::Result<()> {
    const MILLISECONDS: u32 = 60_000;
    Ok(rustix::net::sockopt::set_tcp_user_timeout(
        listener,
        MILLISECONDS,
    )?)
}

async fn upkeep(app: App, end: CancellationToken) {
    let keeping = async {
        loop {
            tokio::time::sleep(UPKEEP).await;
            app.limits.forget_idle();
            if let Err(error) = store::session::sweep(&app.db).await {
                tracing::warn!(%error, "cannot remove what has expired");
            }
        }
    };
    end.run_until_cancelled(keeping).await;
}
