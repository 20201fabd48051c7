//! A private Postgres keeps what was committed, and leaves no process.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use devkit::{DevkitError, Postgres};
use sqlx::{Connection, PgConnection};

async fn connect(postgres: &Postgres) -> PgConnection {
    PgConnection::connect(&postgres.url("shop"))
        .await
        .expect("the database answers")
}

async fn write(postgres: &Postgres, id: i32) {
    let mut connection = connect(postgres).await;
    sqlx::query("CREATE TABLE IF NOT EXISTS item (id int)")
        .execute(&mut connection)
        .await
        .expect("the table is made");
    sqlx::query("INSERT INTO item VALUES ($1)")
        .bind(id)
        .execute(&mut connection)
        .await
        .expect("the row is written");
}

async fn read(postgres: &Postgres) -> Vec<i32> {
    let mut connection = connect(postgres).await;
    sqlx::query_scalar("SELECT id FROM item ORDER BY id")
        .fetch_all(&mut connection)
        .await
        .expect("the rows are there")
}

/// Every process that works in the folder, by the kernel's word.
pub(crate) fn processes_in(folder: &Path) -> Vec<String> {
    let folder = folder.canonicalize().expect("the folder is there");
    fs::read_dir("/proc")
        .expect("/proc is mounted")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|pid| {
            fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.starts_with(&folder))
        })
        .collect()
}

/// A data folder whose way is closed to everybody else, as root's home is.
fn closed_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700))
        .expect("the folder is ours");
    folder
}

#[tokio::test]
async fn keeps_its_data_through_a_crash_and_an_orderly_end() {
    let folder = closed_folder();
    let dir = folder.path().join("data");
    let mut postgres = Postgres::start(&dir).await.expect("it starts");
    postgres
        .create_database("shop")
        .await
        .expect("the database is made");
    postgres
        .create_database("shop")
        .await
        .expect("it may be there already");
    write(&postgres, 1).await;
    let url = postgres.url("shop");

    postgres.kill().await.expect("it dies");
    PgConnection::connect(&url)
        .await
        .expect_err("nobody listens");
    postgres.restart().await.expect("it starts again");
    assert_eq!(postgres.url("shop"), url);
    write(&postgres, 2).await;
    postgres.stop().await.expect("it ends");
    assert_eq!(processes_in(&dir), Vec::<String>::new());

    let postgres = Postgres::start(&dir)
        .await
        .expect("it starts in the same folder");
    assert_eq!(read(&postgres).await, [1, 2]);
    postgres.stop().await.expect("it ends");
}

#[tokio::test]
async fn a_folder_has_one_user() {
    let folder = closed_folder();
    let postgres = Postgres::start(folder.path()).await.expect("it starts");
    let second = Postgres::start(folder.path())
        .await
        .expect_err("the first one uses the folder");
    assert!(matches!(second, DevkitError::InUse { .. }), "{second}");
    postgres
        .create_database("shop")
        .await
        .expect("the first one still works");
    postgres.stop().await.expect("it ends");
}

#[tokio::test]
async fn refuses_whoever_does_not_know_the_password() {
    let folder = closed_folder();
    let postgres = Postgres::start(folder.path()).await.expect("it starts");
    let stranger = format!(
        "postgres://codementor:guess@127.0.0.1:{}/postgres",
        postgres.port()
    );
    let refused = PgConnection::connect(&stranger)
        .await
        .expect_err("the password is wrong");
    assert!(
        refused
            .to_string()
            .contains("password authentication failed"),
        "{refused}"
    );
    postgres.stop().await.expect("it ends");
}

#[tokio::test]
async fn a_frozen_server_can_be_thawed_and_ended() {
    let folder = closed_folder();
    let postgres = Postgres::start(folder.path()).await.expect("it starts");
    postgres
        .create_database("shop")
        .await
        .expect("the database is made");
    postgres.freeze().expect("it halts");
    postgres.thaw().expect("it goes on");
    write(&postgres, 1).await;
    postgres.freeze().expect("it halts");
    postgres
        .stop()
        .await
        .expect("it ends although it was frozen");
    assert_eq!(processes_in(folder.path()), Vec::<String>::new());
}

#[tokio::test]
async fn a_failed_start_shows_the_cause() {
    let folder = closed_folder();
    let postgres = Postgres::start(folder.path()).await.expect("it starts");
    postgres.stop().await.expect("it ends");
    let broken = folder.path().join("postgres/data/postgresql.conf");
    fs::write(&broken, "no_such_setting = on\n").expect("the file is ours");
    let error = Postgres::start(folder.path())
        .await
        .expect_err("the configuration is broken");
    assert!(error.to_string().contains("no_such_setting"), "{error}");
    assert_eq!(processes_in(folder.path()), Vec::<String>::new());
}
