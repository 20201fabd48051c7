//! A service of each test's own, and the people who use it.

use std::{path::Path, time::Duration};

use contract::{Account, AccountId, Locale, Role};
use queue::KafkaConfig;
use reqwest::{Method, RequestBuilder, header::HeaderMap};
use serde_json::{Value, json};
use service::{
    Listeners, Shutdown,
    config::{DatabaseConfig, KeysConfig, ListenConfig, TrustedKeysConfig},
    token::{Minter, ServiceKey},
};
use sqlx::PgPool;
use tempfile::TempDir;

const SERVICES: [&str; 5] = ["gateway", "execute", "question", "evaluation", "runner"];

/// A running question service. It ends with the test.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) pool: PgPool,
    pub(crate) folder: TempDir,
    http: reqwest::Client,
    shutdown: Shutdown,
}

/// Somebody with a token; or nobody.
pub(crate) struct Person {
    pub(crate) account: Account,
    token: Option<String>,
    url: String,
    http: reqwest::Client,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Server {
    /// On a database of the shared Postgres.
    pub(crate) async fn start() -> Self {
        let stack = devkit::Stack::for_tests().expect("the environment is readable");
        Self::start_on(stack.fresh_database().await.expect("postgres runs")).await
    }

    /// Where no Kafka is: everything works all the same.
    pub(crate) async fn start_on(database_url: String) -> Self {
        Self::start_with(database_url, KafkaConfig::new("127.0.0.1:9", "")).await
    }

    pub(crate) async fn start_with(database_url: String, kafka: KafkaConfig) -> Self {
        Self::start_beside(database_url, kafka, "http://127.0.0.1:9").await
    }

    /// Beside an execute at this address.
    pub(crate) async fn start_beside(
        database_url: String,
        kafka: KafkaConfig,
        execute_url: &str,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let keys = folder.path().join("keys");
        service::token::make_keys(&keys, &SERVICES).expect("the folder is writable");
        let database = DatabaseConfig::new(database_url);
        let pool = service::database::connect(&database, question::NAME)
            .await
            .expect("the address is right");
        service::database::migrate(&pool, &question::MIGRATOR, question::NAME)
            .await
            .expect("the migrations are right");
        let listeners = Listeners::ephemeral().await.expect("there are free ports");
        let listen = listeners.api.local_addr().expect("it is bound");
        let ops_listen = listeners.ops.local_addr().expect("it is bound");
        let config = question::Config {
            listen: ListenConfig { listen, ops_listen },
            database,
            keys: KeysConfig {
                service_key: keys.join("question.pem"),
                trusted: TrustedKeysConfig {
                    trusted_keys: keys.join("trusted.json"),
                },
            },
            kafka,
            execute_url: execute_url.to_owned(),
            blobs: folder.path().join("blobs"),
        };
        let shutdown = Shutdown::manual();
        tokio::spawn(question::run(config, listeners, shutdown.clone()));
        let server = Self {
            url: format!("http://{listen}"),
            pool,
            folder,
            http: client(),
            shutdown,
        };
        let probe = format!("http://{ops_listen}/readyz");
        let ready = tokio::time::timeout(Duration::from_mins(1), server.until_ready(&probe));
        ready.await.expect("it starts");
        server
    }

    async fn until_ready(&self, probe: &str) {
        while !matches!(self.http.get(probe).send().await, Ok(answer) if answer.status() == 200) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Signs as that service.
    pub(crate) fn minter(&self, service: &str) -> Minter {
        minter(&self.folder.path().join("keys"), service)
    }

    /// A new account, as the gateway sends it.
    pub(crate) fn person(&self, role: Role, locale: Locale) -> Person {
        let account = Account {
            id: AccountId::new(),
            role,
            locale,
            name: format!("a {}", role.as_str()),
        };
        let token = self.minter("gateway").for_account(question::NAME, &account);
        let token = token.expect("it can be signed").to_string();
        self.with_token(account, Some(token))
    }

    pub(crate) fn teacher(&self) -> Person {
        self.person(Role::Teacher, Locale::En)
    }

    pub(crate) fn learner(&self) -> Person {
        self.person(Role::Learner, Locale::En)
    }

    pub(crate) fn admin(&self) -> Person {
        self.person(Role::Admin, Locale::En)
    }

    /// Somebody without a token.
    pub(crate) fn nobody(&self) -> Person {
        let account = self.learner().account;
        self.with_token(account, None)
    }

    /// Whoever has this token.
    pub(crate) fn bearer(&self, token: impl AsRef<str>) -> Person {
        let account = self.learner().account;
        self.with_token(account, Some(token.as_ref().to_owned()))
    }

    fn with_token(&self, account: Account, token: Option<String>) -> Person {
        Person {
            account,
            token,
            url: self.url.clone(),
            http: self.http.clone(),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shutdown.stop();
    }
}

impl Person {
    /// A request with this person's token; `path` is under `/api/v1` or begins with `/internal`.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let prefix = if path.starts_with("/internal") {
            ""
        } else {
            "/api/v1"
        };
        let request = self
            .http
            .request(method, format!("{}{prefix}{path}", self.url));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        send(self.request(Method::POST, path).json(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Reply {
        send(self.request(Method::PUT, path).json(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, tag: &str, body: &Value) -> Reply {
        let request = self.request(Method::PATCH, path).header("if-match", tag);
        send(request.json(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        send(self.request(Method::DELETE, path)).await
    }

    /// Makes this question; the answer is its path.
    pub(crate) async fn make(&self, document: &Value) -> String {
        let reply = self.post("/questions", document).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        format!("/questions/{}", reply.json()["id"].as_str().expect("an id"))
    }

    /// Publishes it; the answer is the version.
    pub(crate) async fn publish(&self, path: &str) -> i64 {
        let reply = self
            .post(&format!("{path}/publish?unverified=true"), &json!(null))
            .await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        reply.json()["version"].as_i64().expect("a number")
    }

    /// The entity tag of what is there.
    pub(crate) async fn tag(&self, path: &str) -> String {
        let reply = self.get(path).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.tag()
    }
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self
            .headers
            .get(name)
            .unwrap_or_else(|| panic!("{name} is missing"));
        value.to_str().expect("the header is text")
    }

    pub(crate) fn tag(&self) -> String {
        self.header("etag").to_owned()
    }

    /// The status, and the word and places of a problem.
    #[track_caller]
    pub(crate) fn problem(&self) -> (u16, String, Vec<String>) {
        let problem = self.json();
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(problem["status"], self.status);
        for field in ["title", "detail", "request_id", "instance"] {
            assert!(problem[field].is_string(), "{field} in {problem}");
        }
        let kind = problem["type"].as_str().expect("a type");
        let errors = problem["errors"].as_array().cloned().unwrap_or_default();
        let pointers = errors.iter().map(|error| {
            let pointer = error["pointer"].as_str();
            pointer.expect("a pointer").to_owned()
        });
        let word = kind.rsplit('/').next().unwrap_or_default();
        (self.status, word.to_owned(), pointers.collect())
    }
}

pub(crate) async fn send(request: RequestBuilder) -> Reply {
    let response = request.send().await.expect("the service answers");
    Reply {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: response.bytes().await.expect("the body is whole").to_vec(),
    }
}

/// A question that asks for the sum of two numbers: one sample, one hidden test.
pub(crate) fn sum(slug: &str) -> Value {
    json!({
        "slug": slug, "kind": "stdio", "difficulty": 1, "tags": ["maths"],
        "titles": {"ko": "두 수의 합", "en": "Sum of two"},
        "statements": {"ko": "두 수를 **더하시오**.", "en": "Add *two* numbers."},
        "limits": {"time_ms": 1500},
        "tests": [
            {"name": "sample-1", "input": "1 2\n", "output": "3\n", "sample": true},
            {"name": "hidden-1", "input": "40 2\n", "output": "42\n"},
        ],
    })
}

fn minter(keys: &Path, service: &str) -> Minter {
    let key = ServiceKey::load(service, &keys.join(format!("{service}.pem")));
    Minter::new(key.expect("the key was made"))
}

fn client() -> reqwest::Client {
    service::tls::install_once();
    reqwest::Client::builder()
        .no_proxy()
        .build()
        .expect("a client can be made")
}
