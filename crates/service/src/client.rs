//! How a service asks another: with its token, in the trace and under the request id of what it is doing, within a time.
//!
//! Every answer that is no success is an error, with its problem if it has one. Never follows redirects, never uses a proxy, never
//! repeats a request: whether that is safe only the caller knows.

use std::{error::Error, sync::Arc, time::Duration};

use bytes::Bytes;
use contract::Account;
use futures::Stream;
use reqwest::{
    Method, RequestBuilder, Response, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Problem, ndjson,
    problem::{CONTENT_TYPE_PROBLEM, Kind, chain},
    tls,
    token::Minter,
    trace::{self, Traceparent},
};

/// A service on this network that takes longer to accept a connection is away.
const CONNECT: Duration = Duration::from_secs(2);

/// How long an answer may take, unless told.
const PATIENCE: Duration = Duration::from_secs(10);

/// Shorter than servers keep idle connections, so that no request meets one that is just being closed.
const IDLE: Duration = Duration::from_secs(20);

/// One service that is asked. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Arc<str>,
    audience: Arc<str>,
    minter: Option<Minter>,
}

/// A request that is being put together.
#[derive(Debug)]
pub struct Request {
    builder: RequestBuilder,
    service: Arc<str>,
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
        problem: Box<Problem>,
    },
    /// It does not answer, not in time, or broke off.
    #[error("{service} does not answer")]
    Unreachable {
        /// Who was asked.
        service: Arc<str>,
        /// Why.
        source: reqwest::Error,
    },
    /// It answered with something that is not what was agreed on.
    #[error("{service} answered with something unexpected")]
    Answer {
        /// Who was asked.
        service: Arc<str>,
        /// What is wrong with it.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl Client {
    /// Asks the service `audience` at `base`, such as `http://question:8080`, in the name of the minter's service.
    pub fn new(base: &str, audience: &str, minter: Minter) -> Self {
        Self::make(base, audience, Some(minter))
    }

    /// The same for a service without a key: its requests carry only the tokens that it was given ([`Request::bearer`]).
    pub fn without_key(base: &str, audience: &str) -> Self {
        Self::make(base, audience, None)
    }

    fn make(base: &str, audience: &str, minter: Option<Minter>) -> Self {
        Self {
            http: http_client(),
            base: base.trim_end_matches('/').into(),
            audience: audience.into(),
            minter,
        }
    }

    /// Where it is.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// `GET` in the service's own name; the path begins with a slash.
    pub fn get(&self, path: &str) -> Request {
        self.request(Method::GET, path)
    }

    /// `POST` in the service's own name.
    pub fn post(&self, path: &str) -> Request {
        self.request(Method::POST, path)
    }

    /// Any request in the service's own name.
    pub fn request(&self, method: Method, path: &str) -> Request {
        let token = self
            .minter
            .as_ref()
            .map(|minter| minter.service(&self.audience));
        self.with_token(method, path, token.as_deref())
    }

    /// Any request on behalf of an account.
    pub fn request_for(&self, account: &Account, method: Method, path: &str) -> Request {
        let token = self
            .minter
            .as_ref()
            .map(|minter| minter.for_account(&self.audience, account));
        self.with_token(method, path, token.as_deref())
    }

    fn with_token(&self, method: Method, path: &str, token: Option<&str>) -> Request {
        let mut builder = self
            .http
            .request(method, format!("{}{path}", self.base))
            .timeout(PATIENCE);
        if let Some(token) = token {
            builder = builder.bearer_auth(token);
        }
        if let Some(context) = Traceparent::current() {
            builder = builder.header(trace::HEADER, context.child().to_string());
        }
        if let Some(id) = trace::current_request_id() {
            builder = builder.header(trace::REQUEST_ID_HEADER, id.to_string());
        }
        Request {
            builder,
            service: self.audience.clone(),
        }
    }
}

/// A client without proxies, redirects or surprises.
fn http_client() -> reqwest::Client {
    tls::install_once();
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT)
        .pool_idle_timeout(IDLE)
        .tcp_nodelay(true)
        .build()
        // Fails only where TLS cannot be set up; then the plain one would, too, and says so when it is used.
        .unwrap_or_default()
}

impl Request {
    /// Adds a JSON body.
    #[must_use]
    pub fn json<T: Serialize + ?Sized>(self, body: &T) -> Self {
        self.with(|builder| builder.json(body))
    }

    /// Adds a body as it is: bytes, or a stream by [`reqwest::Body::wrap_stream`].
    #[must_use]
    pub fn body(self, body: impl Into<reqwest::Body>) -> Self {
        self.with(|builder| builder.body(body))
    }

    /// Adds query parameters.
    #[must_use]
    pub fn query<T: Serialize + ?Sized>(self, query: &T) -> Self {
        self.with(|builder| builder.query(query))
    }

    /// Adds a header.
    #[must_use]
    pub fn header(self, name: &str, value: &str) -> Self {
        self.with(|builder| builder.header(name, value))
    }

    /// Shows this token; for a client without a key.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.with(|builder| builder.bearer_auth(token))
    }

    /// Another time limit for the whole answer, its body included; streams need a long one.
    #[must_use]
    pub fn timeout(self, limit: Duration) -> Self {
        self.with(|builder| builder.timeout(limit))
    }

    fn with(self, change: impl FnOnce(RequestBuilder) -> RequestBuilder) -> Self {
        Self {
            builder: change(self.builder),
            service: self.service,
        }
    }

    /// The answer, when it is a good one; its body is still to be read.
    pub async fn send(self) -> Result<Response, ClientError> {
        let service = self.service.clone();
        let answer = self.send_raw().await?;
        if answer.status().is_success() || answer.status() == StatusCode::NOT_MODIFIED {
            return Ok(answer);
        }
        Err(refusal(service, answer).await)
    }

    /// The answer, whatever it says: to be passed on.
    pub async fn send_raw(self) -> Result<Response, ClientError> {
        let service = self.service;
        self.builder
            .send()
            .await
            .map_err(|source| ClientError::Unreachable { service, source })
    }

    /// The answer's JSON.
    pub async fn receive<T: DeserializeOwned>(self) -> Result<T, ClientError> {
        let service = self.service.clone();
        let body = self.bytes().await?;
        serde_json::from_slice(&body).map_err(|source| ClientError::answer(&service, source))
    }

    /// The answer's bytes.
    pub async fn bytes(self) -> Result<Bytes, ClientError> {
        let service = self.service.clone();
        let answer = self.send().await?;
        answer
            .bytes()
            .await
            .map_err(|source| ClientError::Unreachable { service, source })
    }

    /// The answer's JSON lines, as they come.
    pub async fn lines<T: DeserializeOwned>(
        self,
    ) -> Result<impl Stream<Item = Result<T, ClientError>> + Send + use<T>, ClientError> {
        let service = self.service.clone();
        Ok(ndjson::read(&service, self.send().await?))
    }
}

impl ClientError {
    pub(crate) fn answer(
        service: &Arc<str>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self::Answer {
            service: service.clone(),
            source: source.into(),
        }
    }

    /// The problem that the service answered with, if it did.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem { problem, .. } => Some(problem),
            _ => None,
        }
    }
}

/// What our client is told: what the other says of the request, or that a part is away, or that the fault is ours.
impl From<ClientError> for Problem {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Problem { problem, service } => match problem.status {
                // Our own token was refused, or it failed: nothing that our client could do.
                401 | 500 => {
                    tracing::error!(%problem, "{service} refused us: {problem}");
                    Self::unavailable(
                        "A part of CodeMentor does not work just now. Try again in a moment.",
                    )
                }
                _ => *problem,
            },
            ClientError::Unreachable {
                ref service,
                ref source,
            } => {
                let (cause, late) = (chain(&error), source.is_timeout() && !source.is_connect());
                tracing::warn!(cause, "{cause}");
                if late {
                    Self::new(
                        Kind::TimedOut,
                        format!(
                            "The {service} service takes too long just now. Try again in a moment."
                        ),
                    )
                    .retry_after(2)
                } else {
                    Self::unavailable(format!(
                        "The {service} service does not answer just now. Try again in a moment."
                    ))
                }
            }
            ClientError::Answer { .. } => Self::internal(&error),
        }
    }
}

/// The error for an answer that is no success.
async fn refusal(service: Arc<str>, answer: Response) -> ClientError {
    let status = answer.status();
    let header = |name| {
        answer
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let is_problem =
        header(CONTENT_TYPE).is_some_and(|media| media.starts_with(CONTENT_TYPE_PROBLEM));
    let retry_after = header(RETRY_AFTER).and_then(|seconds| seconds.parse().ok());
    if !is_problem {
        return ClientError::answer(&service, format!("status {status}, and no problem"));
    }
    match answer.json::<Problem>().await {
        Ok(problem) => ClientError::Problem {
            service,
            problem: Box::new(Problem {
                retry_after,
                ..problem
            }),
        },
        Err(source) if source.is_decode() => ClientError::answer(&service, source),
        Err(source) => ClientError::Unreachable { service, source },
    }
}
