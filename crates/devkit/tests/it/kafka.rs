//! A private Kafka comes back on the same port, and leaves no process. What is stored in topics is for the queue's tests.

use devkit::{Kafka, config::Config, resolve_jars};
use tokio::net::TcpStream;

use crate::postgres::processes_in;

async fn jars() -> std::path::PathBuf {
    let cache = Config::from_env()
        .expect("the environment is readable")
        .cache()
        .expect("there is a home");
    resolve_jars(&cache)
        .await
        .expect("the jars are there or can be fetched")
}

#[tokio::test]
async fn comes_back_after_a_crash_and_an_orderly_end() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let jars = jars().await;
    let mut kafka = Kafka::start(folder.path(), &jars).await.expect("it starts");
    let brokers = kafka.brokers().to_owned();
    let identity = || {
        std::fs::read_to_string(folder.path().join("kafka/logs/meta.properties"))
            .expect("it is formatted")
    };
    let first = identity();

    kafka.kill().await.expect("it dies");
    TcpStream::connect(&brokers)
        .await
        .expect_err("nobody listens");
    kafka.restart().await.expect("it starts again");
    assert_eq!(kafka.brokers(), brokers);
    kafka.freeze();
    kafka.stop().await.expect("it ends although it was frozen");
    assert_eq!(processes_in(folder.path()), Vec::<String>::new());

    // The port is taken now: it must move, and still be the same node.
    let _taken = std::net::TcpListener::bind(&brokers).expect("the port is free");
    let kafka = Kafka::start(folder.path(), &jars)
        .await
        .expect("it starts in the same folder");
    assert_ne!(kafka.brokers(), brokers);
    assert_eq!(identity(), first);
    kafka.stop().await.expect("it ends");
    assert_eq!(processes_in(folder.path()), Vec::<String>::new());
}
