//! A gateway on free ports, stand-ins for the services behind it, and a client.

pub(crate) mod behind;
pub(crate) mod sse;
pub(crate) mod submissions;

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use behind::Behind;
use clap::Parser;
use contract::{AccountId, Role, StreamEvent, Topic};
use devkit::Stack;
use gateway::{Config, setup::demo_account};
use queue::{KafkaConfig, Message, Producer, admin};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use service::{Listeners, Shutdown, config::DatabaseConfig, database, token};
use sqlx::PgPool;
use tempfile::TempDir;
use uuid::Uuid;

/// Long enough for anything that is waited for; reached only by a failing test.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const PASSWORD: &str = "correct horse battery";

/// A running gateway and what it talks to.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) url: String,
    pub(crate) ops: SocketAddr,
    pub(crate) db: PgPool,
    pub(crate) execute: Behind,
    pub(crate) question: Behind,
    pub(crate) shutdown: Shutdown,
    pub(crate) kafka: KafkaConfig,
    pub(crate) database_url: String,
    pub(crate) keys: Arc<TempDir>,
    pub(crate) client: Client,
}

#[derive(Parser)]
#[command(args_override_self = true)]
struct Line {
    #[command(flatten)]
    config: Config,
}

impl World {
    /// One for all tests that do not mind each other: each has accounts of its own. Its connections are the test's own, since
    /// each test has a runtime of its own.
    pub(crate) async fn shared() -> Self {
        static SHARED: OnceLock<World> = OnceLock::new();
        let shared = SHARED.get_or_init(|| {
            let (ready, is_ready) = std::sync::mpsc::channel();
            // On a runtime that no test ends.
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Runtime::new().expect("a runtime");
                runtime.block_on(async {
                    let limits = ["--sign-ins-per-minute=0", "--streams-per-account=20"];
                    let world = Self::start(&limits).await;
                    ready.send(world).expect("somebody waits");
                    std::future::pending::<()>().await;
                });
            });
            is_ready.recv().expect("it starts")
        });
        Self {
            db: connect(&shared.database_url).await,
            client: client(),
            ..shared.clone()
        }
    }

    /// One of this test's own, with these flags.
    pub(crate) async fn start(flags: &[&str]) -> Self {
        Self::start_behind(flags, |url| url).await
    }

    /// The same; the gateway gets another address of the database than the test.
    pub(crate) async fn start_behind(flags: &[&str], seen: impl FnOnce(String) -> String) -> Self {
        let stack = Stack::for_tests().expect("the environment is readable");
        let database_url = stack.fresh_database().await.expect("a database");
        let kafka = topics(&stack).await;
        let db = connect(&database_url).await;
        database::migrate(&db, &gateway::MIGRATOR, "gateway")
            .await
            .expect("tables");
        let keys = tempfile::tempdir().expect("a folder");
        token::make_keys(keys.path(), &["gateway", "execute", "question"]).expect("keys");
        let (execute, question) = (
            Behind::start("execute", keys.path()).await,
            Behind::start("question", keys.path()).await,
        );
        service::tls::install_once();
        let client = Client::builder().no_proxy().build().expect("a client");
        let database_url = seen(database_url);
        let mut world = Self {
            url: String::new(),
            ops: SocketAddr::from(([127, 0, 0, 1], 0)),
            db,
            execute,
            question,
            shutdown: Shutdown::manual(),
            kafka,
            database_url,
            keys: Arc::new(keys),
            client,
        };
        let (url, ops, shutdown) = world.another(flags).await;
        (world.url, world.ops, world.shutdown) = (url, ops, shutdown);
        world
    }

    /// One more replica.
    pub(crate) async fn another(&self, flags: &[&str]) -> (String, SocketAddr, Shutdown) {
        let key = self.keys.path().join("gateway.pem").display().to_string();
        let trusted = self.keys.path().join("trusted.json").display().to_string();
        let mut line = vec!["gateway".to_owned()];
        for (flag, value) in [
            ("database-url", &self.database_url),
            ("kafka-brokers", &self.kafka.kafka_brokers),
            ("topic-prefix", &self.kafka.topic_prefix),
            ("service-key", &key),
            ("trusted-keys", &trusted),
            ("execute-url", &self.execute.url),
            ("question-url", &self.question.url),
        ] {
            line.push(format!("--{flag}={value}"));
        }
        line.extend(flags.iter().map(|&flag| flag.to_owned()));
        let config = Line::try_parse_from(line).expect("a command line").config;
        let listeners = Listeners::ephemeral().await.expect("free ports");
        let addresses = listeners.local_addrs().expect("addresses");
        let shutdown = Shutdown::manual();
        let running = gateway::run(config, listeners, shutdown.clone());
        tokio::spawn(async move { running.await.expect("the gateway runs") });
        let ready = format!("http://{}/readyz", addresses.ops);
        until("the gateway is ready", async || {
            let answer = self.client.get(&ready).send().await.ok()?;
            (answer.status() == StatusCode::OK).then_some(())
        })
        .await;
        (format!("http://{}", addresses.api), addresses.ops, shutdown)
    }

    /// A request to the public interface.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.request(Method::POST, path)
    }

    /// A new account of a role, signed in.
    pub(crate) async fn sign_in_as(&self, role: Role) -> Person {
        let email = fresh_email();
        let id = demo_account(&self.db, &email, PASSWORD, role)
            .await
            .expect("an account");
        let answer = self.log_in(&email, PASSWORD).await;
        assert_eq!(answer.status(), StatusCode::OK);
        let refresh = refresh_cookie(&answer).expect("a cookie");
        let token = access_token(answer).await;
        Person {
            id,
            email,
            token,
            refresh,
        }
    }

    pub(crate) async fn log_in(&self, email: &str, password: &str) -> Response {
        let body = json!({ "email": email, "password": password });
        send(self.post("/api/v1/auth/login").json(&body)).await
    }

    /// Sends an event as a worker does.
    pub(crate) async fn produce(&self, producer: &Producer, partition: i32, event: &StreamEvent) {
        let id = format!("{}/{}", event.submission, event.key);
        let message = Message {
            topic: Topic::Events,
            key: event.submission.to_string(),
            partition: Some(partition),
            headers: contract::Headers::new(id, "stream-event"),
            payload: serde_json::to_vec(event).expect("json"),
        };
        producer.send(message).await.expect("it is stored");
    }

    pub(crate) fn producer(&self) -> Producer {
        Producer::start(&self.kafka, "test").expect("a producer")
    }
}

/// The topics of this test program: events of different tests have different submissions, and do not meet.
async fn topics(stack: &Stack) -> KafkaConfig {
    static TOPICS: tokio::sync::OnceCell<KafkaConfig> = tokio::sync::OnceCell::const_new();
    let making = TOPICS.get_or_init(async || {
        let brokers = stack.brokers().await.expect("kafka runs");
        let kafka = KafkaConfig::new(brokers, stack.topic_prefix());
        admin::create_topics(&kafka, admin::Profile::Dev)
            .await
            .expect("topics");
        kafka
    });
    making.await.clone()
}

/// A few connections: many tests run at once.
async fn connect(database_url: &str) -> PgPool {
    let config = DatabaseConfig {
        database_pool: 2,
        ..DatabaseConfig::new(database_url)
    };
    database::connect(&config, "gateway").await.expect("a pool")
}

fn client() -> Client {
    service::tls::install_once();
    Client::builder().no_proxy().build().expect("a client")
}

/// Somebody who has signed in.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) id: AccountId,
    pub(crate) email: String,
    pub(crate) token: String,
    pub(crate) refresh: String,
}

pub(crate) fn fresh_email() -> String {
    format!("{}@test.example", Uuid::now_v7().simple())
}

pub(crate) async fn send(request: RequestBuilder) -> Response {
    tokio::time::timeout(PATIENCE, request.send())
        .await
        .expect("an answer in time")
        .expect("an answer")
}

pub(crate) async fn text(answer: Response) -> String {
    tokio::time::timeout(PATIENCE, answer.text())
        .await
        .expect("a body in time")
        .expect("a body")
}

pub(crate) async fn body(answer: Response) -> Value {
    let text = text(answer).await;
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

pub(crate) async fn access_token(answer: Response) -> String {
    body(answer).await["access_token"]
        .as_str()
        .expect("a token")
        .to_owned()
}

/// The value of the refresh cookie that an answer sets; empty when it takes it away.
pub(crate) fn refresh_cookie(answer: &Response) -> Option<String> {
    let cookie = answer.headers().get("set-cookie")?.to_str().expect("text");
    let value = cookie
        .strip_prefix("codementor_refresh=")
        .expect("our cookie");
    Some(value.split(';').next().expect("a value").to_owned())
}

/// Checks that an answer is a problem as api.md has them.
pub(crate) async fn problem(answer: Response, status: u16, word: &str) -> Value {
    assert_eq!(
        answer.headers()["content-type"],
        "application/problem+json",
        "{answer:?}"
    );
    let (got, path) = (answer.status(), answer.url().path().to_owned());
    let id = answer.headers()["x-request-id"]
        .to_str()
        .expect("text")
        .to_owned();
    let problem = body(answer).await;
    assert_eq!(got, status, "{problem}");
    assert_eq!(problem["status"], status);
    assert_eq!(
        problem["type"],
        format!("https://codementor.dev/problems/{word}"),
        "{problem}"
    );
    assert_eq!(problem["instance"], path);
    assert_eq!(problem["request_id"], id);
    problem
}

/// Asks again and again until there is an answer.
pub(crate) async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, asking)
        .await
        .unwrap_or_else(|_| panic!("it never came true that {what}"))
}
