//! How a service asks another: with its token, in the trace of what it is doing, within a time.
//!
//! Every answer that is no success is an error with its problem. Never follows redirects, never uses a proxy, never repeats a
//! request: whether that is safe only the caller knows.

use std::{error::Error, sync::Arc, time::Duration};

use contract::Account;
use futures::Stream;
use http::{
    HeaderName, HeaderValue, Method,
    header::{CONTENT_TYPE, RETRY_AFTER},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Problem, ndjson,
    problem::{CONTENT_TYPE_PROBLEM, Kind},
    tls,
    token::{MintError, Minter},
    trace::{self, Traceparent},
};

/// A service that accepts no connection in this time is down.
const CONNECT: Duration = Duration::from_secs(2);

/// How long an answer may take, unless told.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Shorter than servers keep idle connections, so that no request meets one that is just being closed.
const IDLE: Duration = Duration::from_secs(20);

/// A problem is never larger.
const PROBLEM_LIMIT: usize = 64 * 1024;

/// Asks one service. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Arc<str>,
    audience: Arc<str>,
    minter: Option<Minter>,
}

/// A request that is being made.
#[derive(Debug)]
#[must_use]
pub struct Request {
    client: Client,
    builder: reqwest::RequestBuilder,
    url: String,
    account: Option<Account>,
    bearer: Option<String>,
    timeout: Duration,
}

/// Why there is no answer to go on with.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No connection, or it broke before the answer.
    #[error("cannot reach {url}")]
    Unreachable {
        /// What was asked.
        url: String,
        /// Why.
        source: reqwest::Error,
    },
    /// No answer in time.
    #[error("{url} did not answer within {} ms", after.as_millis())]
    Timeout {
        /// What was asked.
        url: String,
        /// How long it had.
        after: Duration,
    },
    /// The answer says what is wrong.
    #[error("{url} answers {problem}")]
    Problem {
        /// What was asked.
        url: String,
        /// What it says.
        problem: Problem,
    },
    /// The answer broke off, or is not what was agreed on.
    #[error("{url} does not answer as agreed")]
    Broken {
        /// What was asked.
        url: String,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The request could not be made.
    #[error("cannot ask {url}")]
    Request {
        /// What should be asked.
        url: String,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
    /// No token.
    #[error(transparent)]
    Token(#[from] MintError),
}

impl Client {
    /// Asks the service `audience` at `base_url`, in the name of the minter's service.
    pub fn new(base_url: &str, audience: &str, minter: Minter) -> Result<Self, ClientError> {
        Self::make(base_url, audience, Some(minter))
    }

    /// The same for a service without a key: its requests carry only the tokens that it was given ([`Request::bearer`]).
    pub fn without_key(base_url: &str, audience: &str) -> Result<Self, ClientError> {
        Self::make(base_url, audience, None)
    }

    fn make(base_url: &str, audience: &str, minter: Option<Minter>) -> Result<Self, ClientError> {
        tls::install_once();
        let base = base_url.trim_end_matches('/');
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .pool_idle_timeout(IDLE)
            .tcp_nodelay(true)
            .build()
            .map_err(|source| ClientError::Request {
                url: base.to_owned(),
                source: source.into(),
            })?;
        Ok(Self {
            http,
            base: base.into(),
            audience: audience.into(),
            minter,
        })
    }

    /// The address below which all paths lie.
    pub fn base_url(&self) -> &str {
        &self.base
    }

    /// `GET` of a path that begins with a slash.
    pub fn get(&self, path: &str) -> Request {
        self.request(Method::GET, path)
    }

    /// `POST` to a path that begins with a slash.
    pub fn post(&self, path: &str) -> Request {
        self.request(Method::POST, path)
    }

    /// A request of any method; the path begins with a slash and may have a query.
    pub fn request(&self, method: Method, path: &str) -> Request {
        let url = format!("{}{path}", self.base);
        Request {
            builder: self.http.request(method, &url),
            client: self.clone(),
            url,
            account: None,
            bearer: None,
            timeout: TIMEOUT,
        }
    }
}

impl Request {
    /// On behalf of this account.
    pub fn account(mut self, account: &Account) -> Self {
        self.account = Some(account.clone());
        self
    }

    /// With this token in place of an own one.
    pub fn bearer(mut self, token: impl Into<String>) -> Self {
        self.bearer = Some(token.into());
        self
    }

    /// How long the answer may take: the whole of it for [`json`](Self::json) and [`bytes`](Self::bytes), its head for the rest.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// With one more header.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.builder = self.builder.header(name, value);
        self
    }

    /// With these parameters behind the question mark.
    pub fn query<T: Serialize>(mut self, query: &T) -> Self {
        self.builder = self.builder.query(query);
        self
    }

    /// With a body in JSON.
    pub fn body<T: Serialize>(mut self, body: &T) -> Self {
        self.builder = self.builder.json(body);
        self
    }

    /// With a body as it is: bytes, or a stream by [`reqwest::Body::wrap_stream`].
    pub fn raw_body(mut self, body: impl Into<reqwest::Body>) -> Self {
        self.builder = self.builder.body(body);
        self
    }

    /// Sends it and reads the answer's JSON.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T, ClientError> {
        let url = self.url.clone();
        let bytes = self.bytes().await?;
        serde_json::from_slice(&bytes).map_err(|source| ClientError::broken(&url, source))
    }

    /// Sends it and reads the answer's bytes.
    pub async fn bytes(self) -> Result<bytes::Bytes, ClientError> {
        let (url, after) = (self.url.clone(), self.timeout);
        let whole = async {
            let answer = self.send().await?;
            let url = answer.url().to_string();
            answer
                .bytes()
                .await
                .map_err(|source| ClientError::broken(&url, source))
        };
        tokio::time::timeout(after, whole)
            .await
            .unwrap_or(Err(ClientError::Timeout { url, after }))
    }

    /// Sends it and reads the answer's JSON lines as they come.
    pub async fn lines<T: DeserializeOwned>(
        self,
    ) -> Result<impl Stream<Item = Result<T, ClientError>> + Send, ClientError> {
        Ok(ndjson::read(self.send().await?))
    }

    /// Sends it; the answer is a success, its body still to be read, in any time.
    pub async fn send(self) -> Result<reqwest::Response, ClientError> {
        let answer = self.send_raw().await?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let url = answer.url().to_string();
        let problem = read_problem(answer).await;
        Err(ClientError::Problem { url, problem })
    }

    /// Sends it; the answer is whatever it is, to be passed on.
    pub async fn send_raw(self) -> Result<reqwest::Response, ClientError> {
        let (url, after) = (self.url, self.timeout);
        let mut builder = self.builder;
        let mint = |minter: &Minter| match &self.account {
            Some(account) => minter.for_account(&self.client.audience, account),
            None => minter.service(&self.client.audience),
        };
        let token = match (self.bearer, &self.client.minter) {
            (Some(token), _) => Some(token.into()),
            (None, Some(minter)) => Some(mint(minter)?),
            (None, None) => None,
        };
        if let Some(token) = token {
            builder = builder.bearer_auth(token);
        }
        builder = builder.header(trace::HEADER, Traceparent::current().to_string());
        if let Some(id) = trace::current_request_id() {
            builder = builder.header(trace::REQUEST_ID_HEADER, id.to_string());
        }
        match tokio::time::timeout(after, builder.send()).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(source)) if source.is_builder() || source.is_request() && source.is_body() => {
                Err(ClientError::Request {
                    url,
                    source: source.into(),
                })
            }
            Ok(Err(source)) if source.is_timeout() && !source.is_connect() => {
                Err(ClientError::Timeout { url, after })
            }
            Ok(Err(source)) => Err(ClientError::Unreachable {
                url,
                source: source.without_url(),
            }),
            Err(_) => Err(ClientError::Timeout { url, after }),
        }
    }
}

impl ClientError {
    pub(crate) fn broken(url: &str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Broken {
            url: url.to_owned(),
            source: source.into(),
        }
    }

    /// What the answer said, if it came and said something.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem { problem, .. } => Some(problem),
            _ => None,
        }
    }

    /// Whether the same request may well succeed later: nothing of it is wrong.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Timeout { .. } | Self::Broken { .. } => true,
            Self::Problem { problem, .. } => matches!(
                problem.kind(),
                Kind::Unavailable | Kind::Overloaded | Kind::RateLimited | Kind::Internal
            ),
            Self::Request { .. } | Self::Token(_) => false,
        }
    }
}

/// What the called service says of the person's request goes on to the person; that it is down, too; the rest is our fault.
impl From<ClientError> for Problem {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Problem { problem, .. }
                if !matches!(problem.kind(), Kind::Internal | Kind::Unauthenticated) =>
            {
                problem
            }
            ClientError::Unreachable { .. }
            | ClientError::Timeout { .. }
            | ClientError::Broken { .. } => {
                let cause = crate::problem::chain(&error);
                tracing::warn!(cause, "a service cannot be asked: {cause}");
                Self::unavailable(
                    "A part of CodeMentor does not answer just now. Try again in a moment.",
                )
            }
            other => Self::internal(&other),
        }
    }
}

/// The problem of an answer that is no success; one for its status if its body holds none.
async fn read_problem(mut answer: reqwest::Response) -> Problem {
    let status = answer.status();
    let is_problem =
        header(&answer, &CONTENT_TYPE).is_some_and(|value| value.starts_with(CONTENT_TYPE_PROBLEM));
    let retry_after = header(&answer, &RETRY_AFTER).and_then(|seconds| seconds.parse().ok());
    let mut body = Vec::new();
    while is_problem && body.len() <= PROBLEM_LIMIT {
        match tokio::time::timeout(TIMEOUT, answer.chunk()).await {
            Ok(Ok(Some(chunk))) => body.extend_from_slice(&chunk),
            _ => break,
        }
    }
    let problem = serde_json::from_slice(&body)
        .ok()
        .or_else(|| Problem::for_status(status, None))
        .unwrap_or_else(|| {
            Problem::new(
                Kind::Internal,
                format!("It answered with {status}, which was not agreed on."),
            )
        });
    match retry_after {
        Some(seconds) => problem.retry_after(seconds),
        None => problem,
    }
}

fn header<'a>(answer: &'a reqwest::Response, name: &HeaderName) -> Option<&'a str> {
    answer.headers().get(name)?.to_str().ok()
}
