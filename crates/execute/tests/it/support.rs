//! One execute with its own database and topics, and what a gateway, a judge and the other services would say to it.

mod judge;
mod neighbours;

use std::{path::PathBuf, time::Duration};

use contract::{
    Account, AccountId, Locale, Role, SubmissionId,
    internal::{LogPart, LogRead, LogRequest, LogResponse},
};
use devkit::Stack;
use execute::{Config, config::Patience};
use http::{HeaderMap, Method, StatusCode};
use queue::{KafkaConfig, admin};
use serde_json::{Value, json};
use service::{
    Listeners, Shutdown,
    config::{DatabaseConfig, KeysConfig, ListenConfig, TrustedKeysConfig},
    database,
    token::{Minter, ServiceKey, make_keys},
};
use sqlx::PgPool;
use tempfile::TempDir;
use tokio::task::JoinHandle;

pub(crate) use judge::{Judge, event, verdict};
pub(crate) use neighbours::{Neighbours, SUM};

/// Longer than anything here takes.
const LONG: Duration = Duration::from_mins(2);

/// What execute stands on, and how patient it is.
pub(crate) struct Setup {
    pub(crate) database_url: String,
    pub(crate) database_patience: Duration,
    pub(crate) kafka: KafkaConfig,
    pub(crate) question_url: String,
    pub(crate) runner_url: String,
    pub(crate) patience: Patience,
    pub(crate) neighbours: Neighbours,
    keys: TempDir,
}

/// Where nobody listens.
pub(crate) const DEAD: &str = "127.0.0.1:9";

impl Setup {
    /// A database with execute's tables, and neighbours that answer; no Kafka.
    pub(crate) async fn without_kafka() -> Self {
        let stack = Stack::for_tests().expect("the environment is readable");
        let database_url = stack.fresh_database().await.expect("a database");
        let pool = database::connect(&DatabaseConfig::new(&database_url), "execute")
            .await
            .expect("it answers");
        database::migrate(&pool, &execute::MIGRATOR, "execute")
            .await
            .expect("the tables are made");
        pool.close().await;
        let keys = tempfile::tempdir().expect("a temporary folder");
        make_keys(
            keys.path(),
            &["gateway", "execute", "question", "evaluation"],
        )
        .expect("keys are made");
        let neighbours = Neighbours::start(&keys.path().join("trusted.json")).await;
        Self {
            database_url,
            database_patience: Duration::from_secs(35),
            kafka: KafkaConfig::new(DEAD, ""),
            question_url: neighbours.url.clone(),
            runner_url: neighbours.url.clone(),
            patience: Patience::default(),
            neighbours,
            keys,
        }
    }

    /// The same with all topics.
    pub(crate) async fn new() -> Self {
        let stack = Stack::for_tests().expect("the environment is readable");
        let brokers = stack.brokers().await.expect("kafka runs");
        let kafka = KafkaConfig::new(brokers, stack.topic_prefix());
        admin::create_topics(&kafka, admin::Profile::Dev)
            .await
            .expect("the topics are made");
        Self {
            kafka,
            ..Self::without_kafka().await
        }
    }

    /// The same with other patience.
    pub(crate) fn patient(mut self, change: impl FnOnce(&mut Patience)) -> Self {
        change(&mut self.patience);
        self
    }

    fn key(&self, name: &str) -> PathBuf {
        self.keys.path().join(format!("{name}.pem"))
    }

    fn config(&self) -> Config {
        let any = "127.0.0.1:0".parse().expect("an address");
        Config {
            listen: ListenConfig {
                listen: any,
                ops_listen: any,
            },
            database: DatabaseConfig {
                database_pool: 8,
                database_patience: self.database_patience,
                ..DatabaseConfig::new(&self.database_url)
            },
            keys: KeysConfig {
                service_key: self.key("execute"),
                trusted: TrustedKeysConfig {
                    trusted_keys: self.keys.path().join("trusted.json"),
                },
            },
            kafka: self.kafka.clone(),
            question_url: self.question_url.clone(),
            runner_urls: vec![self.runner_url.clone()],
            patience: self.patience.clone(),
        }
    }

    /// Starts execute on it.
    pub(crate) async fn start(&self) -> Execute {
        let listeners = Listeners::ephemeral().await.expect("free ports");
        let addresses = listeners.local_addrs().expect("they are bound");
        // Whoever was first has installed the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let shutdown = Shutdown::manual().with_grace(Duration::from_secs(5));
        let task = tokio::spawn(execute::run(self.config(), listeners, shutdown.clone()));
        let minter =
            |name: &str| Minter::new(ServiceKey::load(name, &self.key(name)).expect("its key"));
        let execute = Execute {
            url: format!("http://{}", addresses.api),
            ops: format!("http://{}", addresses.ops),
            http: reqwest::Client::builder()
                .no_proxy()
                .build()
                .expect("a client"),
            gateway: minter("gateway"),
            evaluation: minter("evaluation"),
            shutdown,
            task,
        };
        until("execute is ready", async || execute.is_ready().await).await;
        execute
    }

    /// The database, past execute.
    pub(crate) async fn database(&self) -> PgPool {
        database::connect(&DatabaseConfig::new(&self.database_url), "execute")
            .await
            .expect("it answers")
    }
}

/// A running execute.
pub(crate) struct Execute {
    pub(crate) url: String,
    ops: String,
    http: reqwest::Client,
    pub(crate) gateway: Minter,
    pub(crate) evaluation: Minter,
    shutdown: Shutdown,
    task: JoinHandle<Result<(), execute::Error>>,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The submission's id.
    pub(crate) fn id(&self) -> SubmissionId {
        assert_eq!(self.status, StatusCode::ACCEPTED, "{self:?}");
        serde_json::from_value(self.body["id"].clone()).expect("an id")
    }

    /// The stable word of a problem, and where it points.
    pub(crate) fn problem(&self) -> (u16, &str, &str) {
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{self:?}"
        );
        let kind = self.body["type"].as_str().unwrap_or_default();
        let pointer = self.body["errors"][0]["pointer"]
            .as_str()
            .unwrap_or_default();
        (
            self.status.as_u16(),
            kind.rsplit('/').next().unwrap_or_default(),
            pointer,
        )
    }
}

impl Execute {
    pub(crate) async fn is_ready(&self) -> bool {
        assert!(!self.task.is_finished(), "execute ended while it started");
        let asked = self.http.get(format!("{}/readyz", self.ops)).send().await;
        asked.is_ok_and(|answer| answer.status().is_success())
    }

    /// One request in the gateway's name, on behalf of the account if there is one.
    pub(crate) async fn ask(
        &self,
        account: Option<&Account>,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Answer {
        let token = match account {
            Some(account) => self.gateway.for_account("execute", account),
            None => self.gateway.service("execute"),
        };
        self.ask_with(
            &token.expect("a token"),
            method,
            path,
            headers,
            body.map(Value::to_string),
        )
        .await
    }

    pub(crate) async fn ask_with(
        &self,
        token: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Answer {
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.url))
            .bearer_auth(token);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body);
        }
        let answer = request.send().await.expect("execute answers");
        let (status, headers) = (answer.status(), answer.headers().clone());
        let bytes = answer.bytes().await.expect("the answer is whole");
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes).unwrap_or_else(|_| panic!("not JSON: {bytes:?}"))
        };
        Answer {
            status,
            headers,
            body,
        }
    }

    pub(crate) async fn get(&self, account: &Account, path: &str) -> Answer {
        self.ask(Some(account), Method::GET, path, &[], None).await
    }

    pub(crate) async fn post(&self, account: &Account, path: &str, body: &Value) -> Answer {
        self.ask(Some(account), Method::POST, path, &[], Some(body))
            .await
    }

    /// Submits to the question that is always there.
    pub(crate) async fn submit(&self, account: &Account) -> SubmissionId {
        self.post(account, "/api/v1/submissions", &submission())
            .await
            .id()
    }

    /// Submits with a reply partition.
    pub(crate) async fn submit_to(&self, account: &Account, partition: i32) -> SubmissionId {
        let headers = [("x-codementor-reply-partition", partition.to_string())];
        let headers: Vec<(&str, &str)> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let path = "/api/v1/submissions";
        self.ask(
            Some(account),
            Method::POST,
            path,
            &headers,
            Some(&submission()),
        )
        .await
        .id()
    }

    /// Reads one log from its beginning.
    pub(crate) async fn log(&self, submission: SubmissionId, judgement: u32) -> LogPart {
        let read = LogRead {
            submission,
            judgement,
            after: None,
        };
        self.logs(vec![read])
            .await
            .pop()
            .expect("an answer to each read")
    }

    pub(crate) async fn logs(&self, reads: Vec<LogRead>) -> Vec<LogPart> {
        let request = json!(LogRequest { reads });
        let answer = self
            .ask(None, Method::POST, "/internal/log", &[], Some(&request))
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let response: LogResponse = serde_json::from_value(answer.body).expect("logs");
        response.reads
    }

    /// The names of the events in a log.
    pub(crate) async fn names(&self, submission: SubmissionId) -> Vec<&'static str> {
        let log = self.log(submission, 1).await;
        log.events.iter().map(|event| event.body.name()).collect()
    }

    /// Waits until the log ends with a terminal event; the names of its events.
    pub(crate) async fn until_over(&self, submission: SubmissionId) -> Vec<&'static str> {
        let ended = async || {
            self.log(submission, 1)
                .await
                .events
                .last()
                .is_some_and(|last| last.body.is_terminal())
        };
        until("the submission is over", ended).await;
        self.names(submission).await
    }

    /// The operator's metrics.
    pub(crate) async fn metrics(&self) -> String {
        let answer = self
            .http
            .get(format!("{}/metrics", self.ops))
            .send()
            .await
            .expect("it answers");
        answer.text().await.expect("text")
    }

    /// Waits until it has ended by itself.
    pub(crate) async fn ended(self) -> Result<(), execute::Error> {
        tokio::time::timeout(LONG, self.task)
            .await
            .expect("it ends")
            .expect("it does not panic")
    }

    /// Ends it softly.
    pub(crate) async fn stop(self) {
        self.shutdown.stop();
        self.task
            .await
            .expect("it does not panic")
            .expect("it ends well");
    }
}

/// A body that is in order.
pub(crate) fn submission() -> Value {
    json!({"question": SUM, "language": "python", "code": "print(1)\n"})
}

pub(crate) fn account(role: Role, name: &str) -> Account {
    Account {
        id: AccountId::new(),
        role,
        locale: Locale::En,
        name: name.to_owned(),
    }
}

pub(crate) fn learner() -> Account {
    account(Role::Learner, "Kim")
}

/// Polls until the condition holds.
pub(crate) async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let polling = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(
        tokio::time::timeout(LONG, polling).await.is_ok(),
        "waited in vain: {what}"
    );
}
