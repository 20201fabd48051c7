//! Asking another service: its address, our token, the trace and request id that we are answering.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use contract::Account;
use reqwest::{Method, RequestBuilder, Response, StatusCode, header};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    layers::{REQUEST_ID, current_request},
    problem::Problem,
    token::Minter,
    trace::{self, Traceparent},
};

/// A service on this network that takes longer to accept a connection is away.
const CONNECT: Duration = Duration::from_secs(2);

/// How long an ordinary answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// One service that is asked. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Arc<str>,
    audience: Arc<str>,
    minter: Minter,
}

/// Why there is no answer, or not the one that was hoped for.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// It answered with a problem.
    #[error("{service} answered: {problem}")]
    Problem {
        /// Who was asked.
        service: Arc<str>,
        /// What it said.
        #[source]
        problem: Box<Problem>,
    },
    /// It does not answer.
    #[error("{service} does not answer")]
    Unreachable {
        /// Who was asked.
        service: Arc<str>,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// It answered with something that is not what it should be.
    #[error("{service} answered with something unexpected")]
    Answer {
        /// Who was asked.
        service: Arc<str>,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl ClientError {
    /// The problem that the service answered with, if it did.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem { problem, .. } => Some(problem),
            _ => None,
        }
    }
}

impl From<ClientError> for Problem {
    /// What the client of ours is told: the other's problem as it is, or that a part is away.
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Problem { problem, service } => match problem.status {
                // Our own token was refused, or it failed: not the client's doing.
                401 | 403 | 500 => {
                    tracing::error!(%problem, "{service} refused us: {problem}");
                    Self::unavailable(
                        "A part of CodeMentor does not work just now. Try again in a moment.",
                    )
                }
                _ => *problem,
            },
            ClientError::Unreachable { service, source } => {
                tracing::warn!(error = ?source, "{service} does not answer");
                Self::unavailable(format!(
                    "The {service} service does not answer just now. Try again in a moment."
                ))
            }
            error @ ClientError::Answer { .. } => Self::internal(&error),
        }
    }
}

impl Client {
    /// For the service `audience` at `base`, such as `http://question:8080`.
    pub fn new(base: &str, audience: &str, minter: Minter) -> Self {
        Self {
            http: http_client(),
            base: base.trim_end_matches('/').into(),
            audience: audience.into(),
            minter,
        }
    }

    /// GET in the service's own name; `path` begins with a slash.
    pub fn get(&self, path: &str) -> Request {
        self.request(Method::GET, path)
    }

    /// POST in the service's own name.
    pub fn post(&self, path: &str) -> Request {
        self.request(Method::POST, path)
    }

    /// Any request in the service's own name.
    pub fn request(&self, method: Method, path: &str) -> Request {
        let token = self.minter.service(&self.audience);
        self.with_token(method, path, &token)
    }

    /// Any request on behalf of an account.
    pub fn request_for(&self, account: &Account, method: Method, path: &str) -> Request {
        let token = self.minter.for_account(&self.audience, account);
        self.with_token(method, path, &token)
    }

    /// Where it is.
    pub fn base(&self) -> &str {
        &self.base
    }

    fn with_token(&self, method: Method, path: &str, token: &str) -> Request {
        let mut builder = self
            .http
            .request(method, format!("{}{path}", self.base))
            .bearer_auth(token)
            .timeout(PATIENCE);
        if let Some(context) = Traceparent::current() {
            builder = builder.header(trace::HEADER, context.child().to_string());
        }
        if let Some(id) = current_request() {
            builder = builder.header(REQUEST_ID, id.to_string());
        }
        Request {
            builder,
            service: Arc::clone(&self.audience),
        }
    }
}

/// A client without proxies, redirects or surprises. TLS where the address says so.
fn http_client() -> reqwest::Client {
    // A second installation changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .connect_timeout(CONNECT)
        .tcp_nodelay(true)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(64)
        .build()
        .unwrap_or_default()
}

/// A request that is being put together.
#[derive(Debug)]
pub struct Request {
    builder: RequestBuilder,
    service: Arc<str>,
}

impl Request {
    /// Adds a JSON body.
    #[must_use]
    pub fn json<T: Serialize + ?Sized>(self, body: &T) -> Self {
        Self {
            builder: self.builder.json(body),
            ..self
        }
    }

    /// Adds query parameters.
    #[must_use]
    pub fn query<T: Serialize + ?Sized>(self, query: &T) -> Self {
        Self {
            builder: self.builder.query(query),
            ..self
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(self, name: &str, value: &str) -> Self {
        Self {
            builder: self.builder.header(name, value),
            ..self
        }
    }

    /// Another time limit for the whole answer; streams need a long one.
    #[must_use]
    pub fn timeout(self, limit: Duration) -> Self {
        Self {
            builder: self.builder.timeout(limit),
            ..self
        }
    }

    /// The answer, when it is a good one.
    pub async fn send(self) -> Result<Response, ClientError> {
        let service = self.service;
        let answer = match self.builder.send().await {
            Ok(answer) => answer,
            Err(source) => return Err(ClientError::Unreachable { service, source }),
        };
        if answer.status().is_success() || answer.status() == StatusCode::NOT_MODIFIED {
            return Ok(answer);
        }
        let status = answer.status();
        let retry_after = answer
            .headers()
            .get(header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse().ok());
        let problem = match answer.json::<Problem>().await {
            Ok(problem) => problem,
            Err(error) => {
                let source = format!("status {status}, and no problem: {error}").into();
                return Err(ClientError::Answer { service, source });
            }
        };
        let problem = Box::new(Problem {
            retry_after,
            ..problem
        });
        Err(ClientError::Problem { service, problem })
    }

    /// The answer's JSON.
    pub async fn receive<T: DeserializeOwned>(self) -> Result<T, ClientError> {
        let service = Arc::clone(&self.service);
        let body = self.bytes().await?;
        serde_json::from_slice(&body).map_err(|error| ClientError::Answer {
            service,
            source: error.into(),
        })
    }

    /// The answer's bytes.
    pub async fn bytes(self) -> Result<Bytes, ClientError> {
        let service = Arc::clone(&self.service);
        let answer = self.send().await?;
        let body = answer.bytes().await;
        body.map_err(|source| ClientError::Unreachable { service, source })
    }
}
