//! Postgres and Kafka for an `up`: those whose addresses are given, or private ones.

use std::path::Path;

use anyhow::{Context, Result};
use devkit::{DevkitError, Kafka, Postgres, config::Config, resolve_jars};

use crate::cli::Servers;

/// The database that private servers hold everything in.
const DATABASE: &str = "codementor";

/// The servers in use.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) database_url: String,
    pub(crate) kafka_brokers: String,
    postgres: Option<Postgres>,
    kafka: Option<Kafka>,
}

impl Servers {
    /// Starts, in `data`, what is not given.
    pub(crate) async fn start(&self, data: &Path) -> Result<Started> {
        let (postgres, kafka) = tokio::join!(self.start_postgres(data), self.start_kafka(data));
        let (postgres, kafka) = match (postgres, kafka) {
            (Ok(postgres), Ok(kafka)) => (postgres, kafka),
            (Err(error), other) => {
                if let Ok(Some(kafka)) = other {
                    kafka.stop().await?;
                }
                return Err(error).context("cannot start Postgres");
            }
            (Ok(postgres), Err(error)) => {
                if let Some(postgres) = postgres {
                    postgres.stop().await?;
                }
                return Err(error).context("cannot start Kafka");
            }
        };
        let given = |address: &Option<String>| address.clone().unwrap_or_default();
        Ok(Started {
            database_url: match &postgres {
                Some(postgres) => postgres.url(DATABASE),
                None => given(&self.database_url),
            },
            kafka_brokers: match &kafka {
                Some(kafka) => kafka.brokers().to_owned(),
                None => given(&self.kafka_brokers),
            },
            postgres,
            kafka,
        })
    }

    /// Ends the private servers that run in `data`, whoever started them.
    pub(crate) async fn end_leftovers(data: &Path) -> Result<(), DevkitError> {
        let (postgres, kafka) =
            tokio::join!(Postgres::end_leftovers(data), Kafka::end_leftovers(data));
        postgres.and(kafka)
    }

    /// Starts, in `data`, a private Postgres with an empty database, and nothing else.
    pub(crate) async fn start_postgres_alone(&self, data: &Path) -> Result<Started> {
        let postgres = self.start_postgres(data).await;
        let postgres = postgres.context("cannot start Postgres")?;
        Ok(Started {
            database_url: postgres
                .as_ref()
                .map_or_else(String::new, |one| one.url(DATABASE)),
            kafka_brokers: String::new(),
            postgres,
            kafka: None,
        })
    }

    async fn start_postgres(&self, data: &Path) -> Result<Option<Postgres>, DevkitError> {
        if self.database_url.is_some() {
            return Ok(None);
        }
        let postgres = Postgres::start(data).await?;
        postgres.create_database(DATABASE).await?;
        Ok(Some(postgres))
    }

    async fn start_kafka(&self, data: &Path) -> Result<Option<Kafka>, DevkitError> {
        if self.kafka_brokers.is_some() {
            return Ok(None);
        }
        let jars = resolve_jars(&Config::from_env()?.cache()?).await?;
        Kafka::start(data, &jars).await.map(Some)
    }
}

impl Started {
    /// Returns when one of the private servers has ended by itself, with its name.
    pub(crate) async fn ended(&self) -> &'static str {
        let postgres = async {
            match &self.postgres {
                Some(postgres) => postgres.ended().await,
                None => std::future::pending().await,
            }
        };
        let kafka = async {
            match &self.kafka {
                Some(kafka) => kafka.ended().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = postgres => "Postgres",
            _ = kafka => "Kafka",
        }
    }

    /// Ends the private ones.
    pub(crate) async fn stop(self) -> Result<()> {
        let kafka = async {
            match self.kafka {
                Some(kafka) => kafka.stop().await,
                None => Ok(()),
            }
        };
        let postgres = async {
            match self.postgres {
                Some(postgres) => postgres.stop().await,
                None => Ok(()),
            }
        };
        let (kafka, postgres) = tokio::join!(kafka, postgres);
        kafka.context("cannot end Kafka")?;
        postgres.context("cannot end Postgres")
    }
}
