//! The SQL that devkit needs: making databases and clearing away those of forgotten tests.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use uuid::Uuid;

/// What the names of test databases begin with; a UUIDv7 follows, so that each tells its age.
pub(crate) const TEST_PREFIX: &str = "codementor_test_";

/// Connects once and asks the server for an answer.
pub(crate) async fn ping(url: &str) -> sqlx::Result<()> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::query("SELECT 1").execute(&mut connection).await?;
    connection.close().await
}

/// Makes an empty database. `name` may hold any characters.
pub(crate) async fn create_database(url: &str, name: &str) -> sqlx::Result<()> {
    let mut connection = PgConnection::connect(url).await?;
    let statement = format!("CREATE DATABASE {}", quoted(name));
    sqlx::query(AssertSqlSafe(statement))
        .execute(&mut connection)
        .await?;
    connection.close().await
}

/// Whether there is a database of that name.
pub(crate) async fn has_database(url: &str, name: &str) -> sqlx::Result<bool> {
    let mut connection = PgConnection::connect(url).await?;
    let found = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(name)
        .fetch_one(&mut connection)
        .await?;
    connection.close().await?;
    Ok(found)
}

/// Drops test databases that are older than `age` and that nobody uses.
pub(crate) async fn drop_old_test_databases(url: &str, age: Duration) -> sqlx::Result<()> {
    let mut connection = PgConnection::connect(url).await?;
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT datname::text FROM pg_database
         WHERE starts_with(datname::text, $1)
           AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE pg_stat_activity.datname = pg_database.datname)",
    )
    .bind(TEST_PREFIX)
    .fetch_all(&mut connection)
    .await?;
    for name in names
        .iter()
        .filter(|name| created(name).is_some_and(|then| then + age < now()))
    {
        // Another test program may be clearing at the same time.
        let statement = format!("DROP DATABASE IF EXISTS {}", quoted(name));
        if let Err(error) = sqlx::query(AssertSqlSafe(statement))
            .execute(&mut connection)
            .await
        {
            tracing::warn!(%error, database = %name, "cannot drop an old test database");
        }
    }
    connection.close().await
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Seconds since 1970 at which the test database was made.
fn created(name: &str) -> Option<Duration> {
    let (seconds, nanos) = Uuid::parse_str(name.strip_prefix(TEST_PREFIX)?)
        .ok()?
        .get_timestamp()?
        .to_unix();
    Some(Duration::new(seconds, nanos))
}

fn now() -> Duration {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_do_not_end_a_name() {
        assert_eq!(quoted(r#"a"; DROP TABLE b"#), r#""a""; DROP TABLE b""#);
    }

    #[test]
    fn a_test_database_tells_its_age() {
        let name = format!("{TEST_PREFIX}{}", Uuid::now_v7().simple());
        let then = created(&name).expect("a time in the name");
        assert!(now().abs_diff(then) < Duration::from_mins(1));
        assert_eq!(created("codementor_execute"), None);
    }
}
