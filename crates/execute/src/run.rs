//! Starting and ending the service.

use std::{sync::Arc, time::Duration};

use contract::{Topic, topic::group};
use queue::{Consumer, KafkaConfig, Producer, Stop, admin::Admin, ordered};
use service::{
    Client, Listeners, Ops, Shutdown, Start, database,
    token::{Minter, Verifier},
};

use crate::{
    accept::StoredManifests, audit, config::Config, dead_letters, error::Error,
    languages::Languages, log_writer, outbox::Outbox, routes, state::State, store::MIGRATOR, watch,
};

/// The service's name in tokens and keys.
const NAME: &str = "execute";

/// How long batches may go on being written after the soft end.
const CONSUMER_GRACE: Duration = Duration::from_secs(5);

/// Runs until `shutdown`.
pub async fn run(config: Config, listeners: Listeners, shutdown: Shutdown) -> Result<(), Error> {
    let ops = Ops::new(NAME);
    let start = Start::begin(&ops, &listeners, &shutdown)?;
    let (key, trusted) = start.keys(|| config.keys.load(NAME)).await?;
    // Kafka is no part of it: without Kafka things are accepted all the same.
    let pool = start.database(&config.database, NAME, &MIGRATOR).await?;
    let database_patience = config.database.database_patience;
    let minter = Minter::new(key);
    let mut runners = vec![];
    for url in &config.runner_urls {
        runners.push(Client::new(url, "runner", minter.clone())?);
    }
    let producer = Producer::start(&config.kafka, NAME)?;
    let admin = Admin::new(&config.kafka)?;
    let topics = ops.optional_part("topics");
    shutdown.tracker().spawn(
        admin
            .clone()
            .watch_topics(shutdown.soft().clone(), move |found| topics.tell(found)),
    );
    let patience = Arc::new(config.patience);
    let state = State {
        question: Client::new(&config.question_url, "question", minter)?,
        languages: Languages::start(runners, &shutdown).await,
        outbox: Outbox::start(
            pool.clone(),
            database_patience,
            producer.clone(),
            &patience,
            &shutdown,
        ),
        manifests: Arc::new(StoredManifests::default()),
        patience,
        verifier: Verifier::new(NAME, trusted),
        pool: pool.clone(),
        database_patience,
    };

    let consumers = start_consumers(&config.kafka, &producer, &state, &ops, &shutdown)?;
    let measuring = audit::measure(pool.clone(), database_patience, shutdown.clone());
    shutdown.tracker().spawn(measuring);
    shutdown
        .tracker()
        .spawn(watch::watch(state.clone(), admin, shutdown.clone()));

    start.done().await;
    let attended = consumers
        .iter()
        .map(|consumer| consumer.attended(|| shutdown.stop()));
    let serving = async {
        let served = service::serve(listeners, routes::router(state), ops, shutdown.clone()).await;
        shutdown.stop();
        served
    };
    let (served, ended) = tokio::join!(serving, futures::future::join_all(attended));
    served?;
    for ended in ended {
        ended?;
    }
    Ok(())
}

fn start_consumers(
    kafka: &KafkaConfig,
    producer: &Producer,
    state: &State,
    ops: &Ops,
    shutdown: &Shutdown,
) -> Result<[Consumer; 2], Error> {
    let stop = || {
        Stop::new(
            shutdown.soft().clone(),
            shutdown.hard().clone(),
            CONSUMER_GRACE,
        )
    };
    // A batch that Postgres does not answer comes again, over another connection.
    let patience = state.database_patience;
    let (pool, outbox) = (state.pool.clone(), state.outbox.clone());
    let log = ordered::start(
        kafka,
        producer,
        group::LOG,
        &[Topic::Events],
        ordered::Batches::default(),
        stop(),
        move |batch| {
            let (pool, outbox) = (pool.clone(), outbox.clone());
            async move {
                let written = log_writer::write(&pool, &outbox, &batch.deliveries);
                database::within(patience, written).await
            }
        },
    )?;
    let (pool, outbox) = (state.pool.clone(), state.outbox.clone());
    let letters = ordered::start(
        kafka,
        producer,
        group::DEAD_LETTERS,
        &[Topic::DeadLetters],
        ordered::Batches::default(),
        stop(),
        move |batch| {
            let (pool, outbox) = (pool.clone(), outbox.clone());
            async move {
                let written = dead_letters::keep(&pool, &outbox, &batch.deliveries);
                database::within(patience, written).await
            }
        },
    )?;
    for (name, consumer) in [("log writer", &log), ("dead letters", &letters)] {
        let heartbeat = consumer.heartbeat();
        ops.alive(name, move || heartbeat.is_alive());
    }
    Ok([log, letters])
}
