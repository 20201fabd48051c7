//! Schemas, migrations and a database that goes away, with a real Postgres.

use std::{borrow::Cow, time::Duration};

use devkit::{Cable, Stack};
use service::{
    Kind, Ops, Problem, Shutdown,
    config::DatabaseConfig,
    database::{self, DatabaseError},
};
use sqlx::{
    AssertSqlSafe, PgPool, SqlSafeStr, SqlStr,
    migrate::{Migration, MigrationType, Migrator},
};
use time::OffsetDateTime;

async fn fresh() -> DatabaseConfig {
    let stack = Stack::for_tests().expect("a stack");
    DatabaseConfig::new(stack.fresh_database().await.expect("a database"))
}

fn statement(text: &'static str) -> SqlStr {
    text.into_sql_str()
}

fn migrator(statements: &[&'static str]) -> Migrator {
    let migrations = statements.iter().zip(1..).map(|(text, version)| {
        let description = Cow::Owned(format!("step {version}"));
        Migration::new(
            version,
            description,
            MigrationType::Simple,
            statement(text),
            false,
        )
    });
    Migrator::with_migrations(migrations.collect())
}

const ONE: &str = "CREATE TABLE thing (id int)";
const TWO: &str = "ALTER TABLE thing ADD COLUMN name text";

async fn tables(pool: &PgPool) -> Vec<(String, String)> {
    sqlx::query_as(
        r"SELECT schemaname::text, tablename::text FROM pg_tables
        WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2",
    )
    .fetch_all(pool)
    .await
    .expect("tables")
}

#[tokio::test]
async fn each_service_has_its_tables_in_its_own_schema() {
    let config = fresh().await;
    for schema in ["question", "execute"] {
        let pool = database::connect(&config, schema)
            .await
            .expect("it connects");
        database::migrate(&pool, &migrator(&[ONE, TWO]), schema)
            .await
            .expect("it migrates");
        database::check(&pool, &migrator(&[ONE, TWO]), schema)
            .await
            .expect("it fits");
        // Unqualified names are those of the own schema.
        sqlx::query("INSERT INTO thing (name) VALUES ('a')")
            .execute(&pool)
            .await
            .expect("its own");
    }
    let pool = database::connect(&config, "question")
        .await
        .expect("it connects");
    let expected: Vec<_> = ["execute", "question"]
        .into_iter()
        .flat_map(|schema| {
            ["_sqlx_migrations", "thing"].map(|table| (schema.to_owned(), table.to_owned()))
        })
        .collect();
    assert_eq!(tables(&pool).await, expected);
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM thing")
        .fetch_one(&pool)
        .await
        .expect("a count");
    assert_eq!(count, 1);
}

#[tokio::test]
async fn migrations_run_once_even_when_many_begin_together() {
    let config = fresh().await;
    let pool = database::connect(&config, "question")
        .await
        .expect("it connects");
    let migrator = migrator(&[ONE, TWO]);
    let all = (0..4).map(|_| database::migrate(&pool, &migrator, "question"));
    for migrated in futures::future::join_all(all).await {
        migrated.expect("it migrates");
    }
}

#[tokio::test]
async fn tables_that_do_not_fit_are_named() {
    let config = fresh().await;
    let pool = database::connect(&config, "question")
        .await
        .expect("it connects");
    let check = async |statements: &[&'static str]| {
        database::check(&pool, &migrator(statements), "question")
            .await
            .expect_err("it does not fit")
    };
    assert!(
        matches!(
            check(&[ONE]).await,
            DatabaseError::Missing { version: 1, .. }
        ),
        "nothing is there"
    );
    database::migrate(&pool, &migrator(&[ONE]), "question")
        .await
        .expect("it migrates");
    let error = check(&[ONE, TWO]).await;
    assert!(
        matches!(error, DatabaseError::Missing { version: 2, .. }),
        "{error}"
    );
    assert!(error.to_string().contains("codementor setup"), "{error}");
    database::migrate(&pool, &migrator(&[ONE, TWO]), "question")
        .await
        .expect("it migrates");
    assert!(matches!(
        check(&[ONE]).await,
        DatabaseError::Newer { version: 2, .. }
    ));
    assert!(matches!(
        check(&[ONE, "SELECT 1"]).await,
        DatabaseError::Changed { version: 2, .. }
    ));
    let error = database::migrate(&pool, &migrator(&[ONE]), "question")
        .await
        .expect_err("it is older");
    assert!(
        matches!(error, DatabaseError::Newer { version: 2, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing_half_done() {
    let config = fresh().await;
    let pool = database::connect(&config, "question")
        .await
        .expect("it connects");
    let error = database::migrate(
        &pool,
        &migrator(&[ONE, "ALTER TABLE nothing ADD COLUMN a int"]),
        "question",
    )
    .await
    .expect_err("there is no such table");
    assert!(matches!(error, DatabaseError::Migrate { .. }), "{error}");
    database::migrate(&pool, &migrator(&[ONE, TWO]), "question")
        .await
        .expect("it can be repaired");
}

#[tokio::test]
async fn an_address_that_is_none_or_where_nobody_answers_is_explained() {
    let error = database::connect(&DatabaseConfig::new("mysql:nonsense"), "question")
        .await
        .expect_err("no address");
    assert!(matches!(error, DatabaseError::Address(_)), "{error}");
    let closed = devkit::free_port().expect("a free port");
    let config = DatabaseConfig::new(format!("postgres://u:secret@127.0.0.1:{closed}/d"));
    let error = database::connect(&config, "question")
        .await
        .expect_err("nobody answers");
    assert!(
        error.to_string().contains(&format!("127.0.0.1:{closed}")),
        "{error}"
    );
    assert!(!error.to_string().contains("secret"), "{error}");
    let error = database::connect(&config, "a; drop")
        .await
        .expect_err("no schema");
    assert!(matches!(error, DatabaseError::Schema(_)), "{error}");
}

#[tokio::test]
async fn a_full_pool_and_a_cut_connection_are_unavailable_and_a_wrong_statement_is_not() {
    let config = DatabaseConfig {
        database_pool: 1,
        ..fresh().await
    };
    let pool = database::connect(&config, "question")
        .await
        .expect("it connects");
    let held = pool.acquire().await.expect("the only one");
    let full = pool.acquire().await.expect_err("there is no other");
    assert_eq!(Problem::from(full).kind(), Kind::Unavailable);
    drop(held);

    let mut held = pool.acquire().await.expect("it is back");
    let pid: i32 = sqlx::query_scalar("SELECT pg_backend_pid()")
        .fetch_one(&mut *held)
        .await
        .expect("a pid");
    let other = database::connect(&config, "question")
        .await
        .expect("it connects");
    let kill = format!("SELECT pg_terminate_backend({pid})");
    sqlx::query(AssertSqlSafe(kill))
        .execute(&other)
        .await
        .expect("it may");
    let cut = sqlx::query("SELECT pg_sleep(10)")
        .execute(&mut *held)
        .await
        .expect_err("it is cut");
    let problem = Problem::from(cut);
    assert_eq!(
        (problem.kind(), problem.status().as_u16()),
        (Kind::Unavailable, 503)
    );
    assert!(problem.retry_after_seconds().is_some());

    let wrong = sqlx::query("SELECT nonsense")
        .execute(&other)
        .await
        .expect_err("it is wrong");
    let problem = Problem::from(wrong);
    assert_eq!(problem.kind(), Kind::Internal);
    assert!(!problem.detail().contains("nonsense"));
}

/// Who answers.
const PID: &str = "SELECT pg_backend_pid()";

#[tokio::test]
async fn a_connection_that_falls_silent_is_an_error_and_is_not_used_again() {
    let mut config = DatabaseConfig {
        database_pool: 1,
        database_patience: Duration::from_secs(1),
        ..fresh().await
    };
    let cable = Cable::into_url(&mut config.database_url)
        .await
        .expect("a way");
    let pool = database::connect(&config, "question")
        .await
        .expect("it connects");
    let who = || sqlx::query_scalar::<_, i32>(PID).fetch_one(&pool);

    // The second says more than any buffer of the system takes.
    for said in [vec![0_u8; 1], vec![0_u8; 64 << 20]] {
        let mut held = pool.acquire().await.expect("the only one");
        let statement = "SELECT length($1::bytea)";
        let first = sqlx::query(statement).bind(&b"x"[..]);
        first.execute(&mut *held).await.expect("it answers");
        let pid: i32 = sqlx::query_scalar(PID)
            .fetch_one(&mut *held)
            .await
            .expect("it answers");
        cable.fall_silent();
        let asked = sqlx::query(statement).bind(&said).execute(&mut *held);
        let error = database::within(config.database_patience, asked)
            .await
            .expect_err("nothing is heard");
        assert!(database::is_unavailable(&error), "{error}");
        drop(held);
        cable.mend();
        let other = async {
            loop {
                // Until its place is free again.
                if let Ok(other) = who().await {
                    return other;
                }
            }
        };
        let other = tokio::time::timeout(crate::support::PATIENCE, other)
            .await
            .expect("there is room for another connection");
        assert_ne!(other, pid);
    }

    // One that nobody uses is found out at once.
    let last = who().await.expect("it answers");
    cable.fall_silent();
    cable.mend();
    assert_ne!(who().await.expect("another connection"), last);
}

#[tokio::test]
async fn the_probe_follows_the_database() {
    let config = fresh().await;
    let pool = database::connect(&config, "question")
        .await
        .expect("it connects");
    let (ops, shutdown) = (Ops::new("question"), Shutdown::manual());
    let part = ops.part("database");
    database::watch(&pool, part.clone(), &shutdown);
    let wait_for = async |well: bool| {
        let waited = async {
            while part.is_ok() != well {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(crate::support::PATIENCE, waited)
            .await
            .expect("it is seen");
    };
    wait_for(true).await;
    pool.close().await;
    wait_for(false).await;
    assert!(!ops.is_ready());
    shutdown.finished().await;
}

#[tokio::test]
async fn a_clock_that_is_off_is_seen_and_a_slow_answer_is_not_taken_for_one() {
    let config = fresh().await;
    let pool = database::connect(&config, "question")
        .await
        .expect("it connects");
    let right = database::clock_off(&pool, OffsetDateTime::now_utc)
        .await
        .expect("an answer");
    assert_eq!(right, time::Duration::ZERO);
    for minutes in [-7, 7] {
        let wrong = || OffsetDateTime::now_utc() + time::Duration::minutes(minutes);
        let off = database::clock_off(&pool, wrong).await.expect("an answer");
        let expected = time::Duration::minutes(minutes);
        assert!((off - expected).abs() < time::Duration::minutes(1), "{off}");
    }
}
