//! A service's pool of connections to its own schema, and whether the schema is the one that it was built for.
//!
//! Migrations are run by `codementor setup` alone; a service that starts only checks them. Never touches another schema: the
//! search path holds the own one, so that an unqualified name cannot meet a neighbour's table.

use std::{io, str::FromStr, time::Duration};

use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, PgPool, Row,
    migrate::{MigrateError, Migrator},
    postgres::{PgConnectOptions, PgPoolOptions},
};
use time::OffsetDateTime;
use tokio::time::{sleep, timeout};

use crate::{Part, Shutdown, config::DatabaseConfig};

/// How long a request waits for a free connection before it is answered with 503.
const ACQUIRE: Duration = Duration::from_secs(3);

/// No statement of a service takes as long unless something is very wrong.
const STATEMENT_TIMEOUT: &str = "30s";

/// Ends what a stuck task would otherwise hold locked.
const IDLE_IN_TRANSACTION: &str = "60s";

/// How often the probe asks the database, and how long it waits for an answer.
const PROBE: Duration = Duration::from_secs(2);
const PROBE_PATIENCE: Duration = Duration::from_secs(5);

/// How long an idle connection has to show that somebody is there; what is left of [`ACQUIRE`] is for another one.
const AWAKE: Duration = Duration::from_secs(1);

/// How long a connection that is given back may still be busy with what nobody waits for any more.
const RELEASE: Duration = Duration::from_secs(5);

/// How often the clock is compared.
const CLOCK: Duration = Duration::from_mins(1);

/// Two machines that are both off by as much still take each other's tokens, which have five seconds of leeway.
const CLOCK_LIMIT: time::Duration = time::Duration::seconds(2);

/// What keeps a service from using its database.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The address is no address.
    #[error("DATABASE_URL is not understood: give it as postgres://user:password@host:port/name")]
    Address(#[source] sqlx::Error),
    /// Nobody answers there, or not to us.
    #[error(
        "cannot connect to the database at {place}: check that it runs and that DATABASE_URL is right"
    )]
    Connect {
        /// Host and port.
        place: String,
        /// Why.
        source: sqlx::Error,
    },
    /// It answered, and then failed.
    #[error("the database failed")]
    Failed(#[from] sqlx::Error),
    /// Not a name for a schema.
    #[error("{0:?} is no name for a schema")]
    Schema(String),
    /// Tables are older than this program.
    #[error(
        "the tables of {schema} are not up to date (migration {version} is missing): run `codementor setup`"
    )]
    Missing {
        /// Whose.
        schema: String,
        /// The first that is missing.
        version: i64,
    },
    /// Tables are newer than this program.
    #[error(
        "the tables of {schema} are of a newer version of CodeMentor (migration {version}): update this program"
    )]
    Newer {
        /// Whose.
        schema: String,
        /// The one that is not known here.
        version: i64,
    },
    /// A migration that ran is not the one that this program has.
    #[error(
        "migration {version} of {schema} is not the one that was run: the program or the database was changed by hand"
    )]
    Changed {
        /// Whose.
        schema: String,
        /// Which.
        version: i64,
    },
    /// A migration failed.
    #[error("cannot bring the tables of {schema} up to date")]
    Migrate {
        /// Whose.
        schema: String,
        /// Why.
        source: MigrateError,
    },
}

/// Connects to the database, for the tables of one schema (which need not exist yet).
pub async fn connect(config: &DatabaseConfig, schema: &str) -> Result<PgPool, DatabaseError> {
    let schema = checked(schema)?;
    let options = address(&config.database_url)
        .map_err(DatabaseError::Address)?
        .application_name(&format!("codementor-{schema}"))
        .options([
            ("search_path", schema),
            ("statement_timeout", STATEMENT_TIMEOUT),
            ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION),
        ]);
    let place = format!("{}:{}", options.get_host(), options.get_port());
    let spare = options.clone();
    let release = RELEASE.min(config.database_patience);
    PgPoolOptions::new()
        .max_connections(config.database_pool)
        .acquire_timeout(ACQUIRE)
        // The same test with a bound: one that fell silent would take up the whole time. What was given back a moment ago
        // answered then, and is not asked again.
        .test_before_acquire(false)
        .before_acquire(|connection, pooled| {
            Box::pin(async move {
                Ok(pooled.idle_for < AWAKE || answers(connection, AWAKE).await.is_ok())
            })
        })
        // The pool waits until whatever was begun is answered, and for ever if it never is.
        .after_release(move |connection, _| {
            let spare = spare.clone();
            Box::pin(async move {
                match answers(connection, release).await {
                    Ok(()) => Ok(true),
                    Err(error) if is_silence(&error) => {
                        *connection = replacement(&spare).await;
                        Ok(true)
                    }
                    Err(error) => Err(error),
                }
            })
        })
        .connect_with(options)
        .await
        .map_err(|source| DatabaseError::Connect { place, source })
}

/// Waits for what was asked of the database, but not for ever: silence is an error, as that of a broken connection.
///
/// The server ends a statement that takes too long; a server that is not heard any more ends nothing. Whatever holds its
/// connection on is dropped here, and the pool puts another one in its place.
pub async fn within<T>(
    patience: Duration,
    asked: impl Future<Output = sqlx::Result<T>>,
) -> sqlx::Result<T> {
    match timeout(patience, asked).await {
        Ok(answer) => answer,
        Err(_) => Err(sqlx::Error::Io(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("the database has not answered for {patience:?}"),
        ))),
    }
}

/// Whether a connection is in order: what was begun on it is over, and the server answers.
async fn answers(connection: &mut PgConnection, patience: Duration) -> sqlx::Result<()> {
    within(patience, connection.ping()).await
}

fn is_silence(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(error) if error.kind() == io::ErrorKind::TimedOut)
}

/// Another connection in place of one that fell silent, as soon as there is one to be had. It cannot be closed in order: that
/// would wait until the server takes what was to be said.
async fn replacement(options: &PgConnectOptions) -> PgConnection {
    tracing::warn!("a connection to the database fell silent and is replaced");
    loop {
        match within(ACQUIRE, options.connect()).await {
            Ok(connection) => return connection,
            Err(error) => tracing::debug!(%error, "cannot replace a connection yet"),
        }
        sleep(PROBE).await;
    }
}

/// Whether the address can be one.
pub(crate) fn check_address(config: &DatabaseConfig) -> Result<(), DatabaseError> {
    address(&config.database_url).map_err(DatabaseError::Address)?;
    Ok(())
}

/// Brings the tables of a schema up to date, and makes the schema if it is not there. Several at once wait for each other.
pub async fn migrate(
    pool: &PgPool,
    migrator: &Migrator,
    schema: &str,
) -> Result<(), DatabaseError> {
    let schema = checked(schema)?;
    let mut connection = pool.acquire().await?.detach();
    // A migration may well take longer than any statement of a service.
    sqlx::raw_sql("SET statement_timeout = 0")
        .execute(&mut connection)
        .await?;
    create_schema(&mut connection, schema).await?;
    migrator
        .run(&mut connection)
        .await
        .map_err(|source| explained(schema, source))
}

/// Whether the tables of a schema are those that this program was built for; changes nothing.
pub async fn check(pool: &PgPool, migrator: &Migrator, schema: &str) -> Result<(), DatabaseError> {
    let schema = checked(schema)?;
    let applied = applied(pool, schema).await?;
    for migration in migrator
        .iter()
        .filter(|migration| migration.migration_type.is_up_migration())
    {
        let version = migration.version;
        match applied.iter().find(|one| one.0 == version) {
            None => {
                return Err(DatabaseError::Missing {
                    schema: schema.to_owned(),
                    version,
                });
            }
            Some((_, checksum)) if *checksum != *migration.checksum => {
                return Err(DatabaseError::Changed {
                    schema: schema.to_owned(),
                    version,
                });
            }
            Some(_) => {}
        }
    }
    match applied.iter().find(|one| !migrator.version_exists(one.0)) {
        Some((version, _)) => Err(DatabaseError::Newer {
            schema: schema.to_owned(),
            version: *version,
        }),
        None => Ok(()),
    }
}

/// Connects to a database whose tables are those that this program was built for.
pub async fn open(
    config: &DatabaseConfig,
    schema: &str,
    migrator: &Migrator,
) -> Result<PgPool, DatabaseError> {
    let pool = connect(config, schema).await?;
    if let Err(error) = check(&pool, migrator, schema).await {
        pool.close().await;
        return Err(error);
    }
    Ok(pool)
}

/// How many tables a schema has; none where there is no such schema.
pub async fn count_tables(pool: &PgPool, schema: &str) -> Result<i64, DatabaseError> {
    let query = "SELECT count(*) FROM pg_tables WHERE schemaname = $1";
    Ok(sqlx::query_scalar(query)
        .bind(checked(schema)?)
        .fetch_one(pool)
        .await?)
}

/// Asks the database every two seconds and tells the probe, until the soft end.
pub fn watch(pool: &PgPool, part: Part, shutdown: &Shutdown) {
    let (pool, soft) = (pool.clone(), shutdown.soft().clone());
    shutdown.tracker().spawn(async move {
        loop {
            let asked = sqlx::query("SELECT 1").execute(&pool);
            match within(PROBE_PATIENCE, asked).await {
                Ok(_) => part.ok(),
                Err(error) => part.failing(error.to_string()),
            }
            tokio::select! {
                () = soft.cancelled() => return,
                () = sleep(PROBE) => {}
            }
        }
    });
}

/// Compares this machine's clock with the database's every minute and tells the probe, until the soft end.
pub(crate) fn watch_clock(pool: &PgPool, part: Part, shutdown: &Shutdown) {
    let (pool, soft) = (pool.clone(), shutdown.soft().clone());
    shutdown.tracker().spawn(async move {
        loop {
            // Without an answer nothing is known; that the database is away, its own part says.
            let asked = clock_off(&pool, OffsetDateTime::now_utc);
            if let Ok(off) = within(PROBE_PATIENCE, asked).await {
                match complaint(off) {
                    None => part.ok(),
                    Some(why) => part.failing(why),
                }
            }
            let pause = if part.is_ok() { CLOCK } else { PROBE };
            tokio::select! {
                () = soft.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    });
}

/// How far this machine's clock is certainly ahead of the database's (below zero: behind), however long the question took.
pub async fn clock_off(
    pool: &PgPool,
    now: impl Fn() -> OffsetDateTime,
) -> sqlx::Result<time::Duration> {
    let mut connection = pool.acquire().await?;
    let before = now();
    let theirs: OffsetDateTime = sqlx::query_scalar("SELECT clock_timestamp()")
        .fetch_one(&mut *connection)
        .await?;
    let after = now();
    Ok(if theirs < before {
        before - theirs
    } else if theirs > after {
        after - theirs
    } else {
        time::Duration::ZERO
    })
}

/// What is wrong with a clock that is so far ahead.
fn complaint(off: time::Duration) -> Option<String> {
    let seconds = off.abs().as_seconds_f64();
    let direction = if off.is_negative() {
        "behind"
    } else {
        "ahead of"
    };
    (off.abs() > CLOCK_LIMIT).then(|| {
        format!(
            "this machine's clock is {seconds:.1} s {direction} the database's: set one of them right (NTP), for other services \
             refuse tokens that are more than 5 s off"
        )
    })
}

/// Whether this error says that the database is down or full, and not that something was asked wrongly.
pub fn is_unavailable(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        // A proxy that accepts and hangs up, because the database behind it is away.
        | sqlx::Error::Protocol(_) => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            // Connection exceptions, insufficient resources, shutting or starting up, read-only stand-by.
            code.starts_with("08")
                || code.starts_with("53")
                || code.starts_with("57P0")
                || code == "25006"
        }),
        _ => false,
    }
}

/// Versions and checksums of what was run; none where nothing ever was.
async fn applied(pool: &PgPool, schema: &str) -> Result<Vec<(i64, Vec<u8>)>, DatabaseError> {
    let query = format!(
        "SELECT version, checksum FROM {schema}._sqlx_migrations WHERE success ORDER BY version"
    );
    match sqlx::query(AssertSqlSafe(query)).fetch_all(pool).await {
        Ok(rows) => rows
            .iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .collect(),
        // No such table, no such schema.
        Err(sqlx::Error::Database(error))
            if matches!(error.code().as_deref(), Some("42P01" | "3F000")) =>
        {
            Ok(Vec::new())
        }
        Err(error) => Err(error.into()),
    }
}

async fn create_schema(
    connection: &mut sqlx::PgConnection,
    schema: &str,
) -> Result<(), DatabaseError> {
    // "IF NOT EXISTS" alone lets two at once fail; and it asks for the right to create even if there is nothing to do.
    let exists: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)")
            .bind(schema)
            .fetch_one(&mut *connection)
            .await?;
    if exists {
        return Ok(());
    }
    match sqlx::raw_sql(AssertSqlSafe(format!("CREATE SCHEMA {schema}")))
        .execute(&mut *connection)
        .await
    {
        Ok(_) => Ok(()),
        Err(sqlx::Error::Database(error))
            if matches!(error.code().as_deref(), Some("42P06" | "23505")) =>
        {
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

fn explained(schema: &str, source: MigrateError) -> DatabaseError {
    let schema = schema.to_owned();
    match source {
        MigrateError::VersionMissing(version) => DatabaseError::Newer { schema, version },
        MigrateError::VersionMismatch(version) => DatabaseError::Changed { schema, version },
        source => DatabaseError::Migrate { schema, source },
    }
}

/// sqlx itself takes any scheme for Postgres.
fn address(url: &str) -> Result<PgConnectOptions, sqlx::Error> {
    if !["postgres://", "postgresql://"]
        .iter()
        .any(|scheme| url.starts_with(scheme))
    {
        return Err(sqlx::Error::Configuration(
            "it is not an address of Postgres".into(),
        ));
    }
    PgConnectOptions::from_str(url)
}

/// Schemas are named in statements: nothing but a plain identifier may stand there.
fn checked(schema: &str) -> Result<&str, DatabaseError> {
    let plain = schema
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if plain && !schema.is_empty() {
        Ok(schema)
    } else {
        Err(DatabaseError::Schema(schema.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_how_far_a_clock_is_off() {
        assert_eq!(complaint(time::Duration::milliseconds(-1_900)), None);
        let ahead = complaint(time::Duration::seconds(37)).expect("it is off");
        assert!(ahead.contains("37.0 s ahead of the database's"), "{ahead}");
        let behind = complaint(time::Duration::seconds(-9)).expect("it is off");
        assert!(behind.contains("9.0 s behind the database's"), "{behind}");
    }

    #[test]
    fn takes_no_schema_but_a_plain_name() {
        assert!(checked("question").is_ok());
        for name in ["", "a b", "a;drop", "A", "\"a\"", "public.a"] {
            assert!(checked(name).is_err(), "{name}");
        }
    }
}
