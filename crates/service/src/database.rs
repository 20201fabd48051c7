//! The pool of a service's own schema, its migrations, and whether both fit.
//!
//! A service never migrates by itself: `codementor setup` does, once, before new ones start. A service that finds other tables
//! than it was built for says which.

use std::time::Duration;

use sqlx::{
    Executor, PgPool,
    migrate::{Migrate, MigrateError, Migrator},
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::{Part, Shutdown, config::DatabaseConfig};

/// A request that waits longer for a connection is answered `unavailable`.
const ACQUIRE: Duration = Duration::from_secs(3);

/// How often the database is asked whether it is there.
const PULSE: Duration = Duration::from_secs(2);

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The address is none.
    #[error(
        "DATABASE_URL is no address of a Postgres database, such as postgres://user:password@host:5432/name"
    )]
    Address(#[source] sqlx::Error),
    /// It does not answer, or refuses.
    #[error("the database refuses")]
    Sql(#[from] sqlx::Error),
    /// A migration failed.
    #[error("a migration of {schema} failed")]
    Migrate {
        /// Whose tables.
        schema: String,
        /// Why.
        #[source]
        source: MigrateError,
    },
    /// Tables are missing or old.
    #[error("the tables of {schema} are older than this program: run `codementor setup` first")]
    Older {
        /// Whose tables.
        schema: String,
    },
    /// A newer program has been here.
    #[error(
        "the tables of {schema} are newer than this program: use the version that made them, or a later one"
    )]
    Newer {
        /// Whose tables.
        schema: String,
    },
}

/// A pool whose connections see `schema` first. Connects when it is first used, so that a service can start before its database.
pub fn connect(config: &DatabaseConfig, schema: &str) -> Result<PgPool, DatabaseError> {
    let options: PgConnectOptions = config
        .database_url
        .parse()
        .map_err(DatabaseError::Address)?;
    let options = options
        .application_name(&format!("codementor {schema}"))
        .options([("search_path", schema)]);
    Ok(PgPoolOptions::new()
        .max_connections(config.database_pool)
        .acquire_timeout(ACQUIRE)
        .connect_lazy_with(options))
}

/// Makes the schema and brings its tables up to date.
pub async fn migrate(
    pool: &PgPool,
    migrator: &Migrator,
    schema: &str,
) -> Result<(), DatabaseError> {
    let mut connection = pool.acquire().await?;
    // The names of our own services are plain words.
    let create = sqlx::AssertSqlSafe(format!("create schema if not exists {schema}"));
    match connection.execute(create).await {
        Ok(_) => {}
        // Two at once: the other one made it.
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("23505") => {}
        Err(error) => return Err(error.into()),
    }
    migrator
        .run(&mut *connection)
        .await
        .map_err(|source| match source {
            MigrateError::VersionMissing(_) => DatabaseError::Newer {
                schema: schema.to_owned(),
            },
            source => DatabaseError::Migrate {
                schema: schema.to_owned(),
                source,
            },
        })
}

/// Whether the tables are those that this program was built for.
pub async fn check(pool: &PgPool, migrator: &Migrator, schema: &str) -> Result<(), DatabaseError> {
    let mut connection = pool.acquire().await?;
    let table: Option<String> =
        sqlx::query_scalar("select to_regclass($1 || '._sqlx_migrations')::text")
            .bind(schema)
            .fetch_one(&mut *connection)
            .await?;
    let older = || DatabaseError::Older {
        schema: schema.to_owned(),
    };
    if table.is_none() {
        return Err(older());
    }
    let applied = connection
        .list_applied_migrations("_sqlx_migrations")
        .await
        .map_err(|source| DatabaseError::Migrate {
            schema: schema.to_owned(),
            source,
        })?;
    let newest = migrator.iter().map(|migration| migration.version).max();
    let newest = newest.unwrap_or_default();
    let reached = applied.iter().map(|migration| migration.version).max();
    match reached.unwrap_or_default() {
        reached if reached < newest => Err(older()),
        reached if reached > newest => Err(DatabaseError::Newer {
            schema: schema.to_owned(),
        }),
        _ => Ok(()),
    }
}

/// Watches the database and says through `part` how it is, until the end.
pub fn watch(
    pool: PgPool,
    migrator: &'static Migrator,
    schema: &'static str,
    part: Part,
    shutdown: &Shutdown,
) {
    let soft = shutdown.soft().clone();
    tokio::spawn(async move {
        let mut checked = false;
        loop {
            let state = if checked {
                ping(&pool).await.map_err(|error| error.to_string())
            } else {
                let found = check(&pool, migrator, schema).await;
                checked = found.is_ok();
                found.map_err(|error| error.to_string())
            };
            match state {
                Ok(()) => part.ok(),
                Err(why) => part.failing(why),
            }
            let pause = if checked {
                PULSE
            } else {
                Duration::from_millis(200)
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = soft.cancelled() => return,
            }
        }
    });
}

async fn ping(pool: &PgPool) -> Result<(), sqlx::Error> {
    pool.execute("select 1").await.map(|_| ())
}
