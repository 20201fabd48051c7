//! Passing a request on to the service that it belongs to, and its answer back; bodies flow through and are never held.
//!
//! A user's credential ends here: the service gets a token of ours that says who asks. What a client claims in our own headers
//! is removed.

mod body;

use std::time::Duration;

use axum::{
    body::Body,
    extract::{FromRequestParts, Request, State},
    response::Response,
};
use contract::{
    Account, SubmissionId,
    internal::{MUTED_HEADER, REPLY_PARTITION_HEADER, SUBMISSION_HEADER},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use service::{Client, ClientError, Problem, problem::Kind, trace};

use crate::{
    config::Config,
    signed_in::SignedIn,
    state::App,
    upstream::{self, Upstream},
};
use body::Upload;

/// Headers that are for one hop only (RFC 9110, 7.6.1), and those that we write ourselves.
const NOT_PASSED_ON: [HeaderName; 12] = [
    header::CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::EXPECT,
    header::HOST,
    header::AUTHORIZATION,
    header::COOKIE,
    header::FORWARDED,
];

/// What only we say to services, and what proxies in front of us say to us.
const OURS_OR_PROXIES: [&str; 3] = ["x-codementor-", "x-forwarded-", "proxy-"];

/// What is said anew at each hop, or was said to us only.
const SAID_ANEW: [&str; 4] = [
    trace::HEADER,
    trace::REQUEST_ID_HEADER,
    "keep-alive",
    "x-real-ip",
];

/// The layers around our routes end a request that has no answer by then.
const LONGEST_UPLOAD: Duration = Duration::from_mins(2);

/// A submission's id, and the partition that its events go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) submission: SubmissionId,
    pub(crate) partition: i32,
}

/// What execute said to a submission.
#[derive(Debug)]
pub(crate) struct Submitted {
    /// For the client.
    pub(crate) answer: Response,
    /// What execute decided, if it says so.
    pub(crate) decided: Option<Place>,
    /// Whether the client is told no more than that it was received.
    pub(crate) muted: bool,
}

/// Asks services on behalf of others.
#[derive(Debug, Clone)]
pub(crate) struct Proxy {
    execute: Client,
    question: Client,
    timeout: Duration,
    max_body: u64,
    max_upload: u64,
}

impl Proxy {
    pub(crate) fn new(config: &Config, execute: Client, question: Client) -> Self {
        Self {
            execute,
            question,
            timeout: config.upstream_timeout(),
            max_body: config.max_body,
            max_upload: config.max_upload.max(config.max_body),
        }
    }

    /// Passes a request on and its answer back; `account` is who asks.
    pub(crate) async fn pass_on(
        &self,
        upstream: Upstream,
        request: Request,
        account: Option<&Account>,
    ) -> Result<Response, Problem> {
        let answer = self.ask(upstream, request, account, &[]).await?;
        Ok(self.pass_back(answer))
    }

    /// Passes a submission on with what we propose for it.
    pub(crate) async fn submit(
        &self,
        request: Request,
        account: &Account,
        proposed: Place,
    ) -> Result<Submitted, Problem> {
        let ours = [
            (SUBMISSION_HEADER, proposed.submission.to_string()),
            (REPLY_PARTITION_HEADER, proposed.partition.to_string()),
        ];
        let answer = self
            .ask(Upstream::Execute, request, Some(account), &ours)
            .await?;
        let submission = header_of(answer.headers(), SUBMISSION_HEADER);
        let partition = header_of(answer.headers(), REPLY_PARTITION_HEADER);
        let decided = submission
            .zip(partition)
            .map(|(submission, partition)| Place {
                submission,
                partition,
            });
        Ok(Submitted {
            muted: answer.headers().contains_key(MUTED_HEADER),
            answer: self.pass_back(answer),
            decided,
        })
    }

    async fn ask(
        &self,
        upstream: Upstream,
        request: Request,
        account: Option<&Account>,
        ours: &[(&'static str, String)],
    ) -> Result<reqwest::Response, Problem> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path();
        let limit = if upstream::takes_uploads(path) {
            self.max_upload
        } else {
            self.max_body
        };
        if content_length(&parts.headers).is_some_and(|length| length > limit) {
            return Err(too_large(limit));
        }
        let client = match upstream {
            Upstream::Execute => &self.execute,
            Upstream::Question => &self.question,
        };
        let path_and_query = parts
            .uri
            .path_and_query()
            .map_or(path, |whole| whole.as_str());
        let mut asking = client
            .request(parts.method, path_and_query)
            .timeout(LONGEST_UPLOAD);
        if let Some(account) = account {
            asking = asking.account(account);
        }
        for (name, value) in passed_on(&parts.headers) {
            asking = asking.header(name, value);
        }
        for (name, value) in ours {
            let value = HeaderValue::try_from(value).map_err(|error| Problem::internal(&error))?;
            asking = asking.header(HeaderName::from_static(name), value);
        }
        let (upload, progress) = Upload::new(body, limit, self.timeout);
        if let Some(upload) = upload {
            asking = asking.raw_body(reqwest::Body::wrap_stream(upload));
        }
        let answer = tokio::select! {
            answer = asking.send_raw() => answer,
            // The service's time begins when it has the whole request.
            () = async { progress.sent().await; tokio::time::sleep(self.timeout).await } => {
                return Err(timed_out(upstream));
            }
        };
        let answer = answer.map_err(|error| {
            if progress.exceeded() {
                return too_large(limit);
            }
            if progress.broke() {
                return Problem::malformed("the body was cut off before its end: send it again");
            }
            metrics::counter!("codementor_upstream_errors_total", "upstream" => upstream.name())
                .increment(1);
            match error {
                ClientError::Timeout { .. } => timed_out(upstream),
                ClientError::Unreachable { .. } | ClientError::Broken { .. } => {
                    let (name, error): (_, &dyn std::error::Error) = (upstream.name(), &error);
                    tracing::warn!(error, "{name} cannot be reached");
                    away(upstream)
                }
                other => other.into(),
            }
        })?;
        if answer.status() == StatusCode::UNAUTHORIZED {
            // The person was signed in: it is our own token that was refused.
            return Err(Problem::unexpected(&format!(
                "{} refused our token",
                upstream.name()
            )));
        }
        Ok(answer)
    }

    fn pass_back(&self, answer: reqwest::Response) -> Response {
        let answer: http::Response<reqwest::Body> = answer.into();
        let (parts, body) = answer.into_parts();
        let mut response = Response::new(Body::new(body::Paced::new(body, self.timeout)));
        *response.status_mut() = parts.status;
        for (name, value) in passed_on(&parts.headers) {
            if name != header::SET_COOKIE {
                response.headers_mut().append(name, value);
            }
        }
        response
    }
}

/// Any route that is a service's own.
pub(crate) async fn pass_on(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    let path = request.uri().path();
    let upstream = upstream::of(path).ok_or_else(|| nothing_at(path))?;
    if upstream::is_public(path) {
        return app.proxy.pass_on(upstream, request, None).await;
    }
    let (mut parts, body) = request.into_parts();
    let account = SignedIn::from_request_parts(&mut parts, &app)
        .await?
        .account();
    app.proxy
        .pass_on(upstream, Request::from_parts(parts, body), Some(&account))
        .await
}

/// What is at no address of ours.
pub(crate) fn nothing_at(path: &str) -> Problem {
    let detail = format!("there is nothing at {path}: see the API's description for what there is");
    Problem::new(Kind::NotFound, detail)
}

/// A header's value, when it is there and can be read.
pub(crate) fn header_of<T: std::str::FromStr>(headers: &HeaderMap, name: &str) -> Option<T> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

/// What a client says that a service may hear.
fn passed_on(headers: &HeaderMap) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let named = named_in_connection(headers);
    let passes = move |name: &HeaderName| {
        let text = name.as_str();
        !(NOT_PASSED_ON.contains(name)
            || named.contains(name)
            || OURS_OR_PROXIES
                .iter()
                .any(|prefix| text.starts_with(prefix))
            || SAID_ANEW.contains(&text))
    };
    let pairs = headers.iter().filter(move |(name, _)| passes(name));
    pairs.map(|(name, value)| (name.clone(), value.clone()))
}

/// `Connection` names headers that are for this hop only. Those that say what the message is are not given up for it.
fn named_in_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .filter(|name| {
            ![header::CONTENT_LENGTH, header::CONTENT_TYPE, header::ACCEPT].contains(name)
        })
        .collect()
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

fn too_large(limit: u64) -> Problem {
    Problem::payload_too_large(format!(
        "the body is larger than the {limit} bytes that this address takes: send less"
    ))
}

fn away(upstream: Upstream) -> Problem {
    let what = match upstream {
        Upstream::Execute => "Submissions are",
        Upstream::Question => "Questions are",
    };
    Problem::unavailable(format!(
        "{what} not available just now: try again in a moment"
    ))
}

fn timed_out(upstream: Upstream) -> Problem {
    metrics::counter!("codementor_upstream_timeouts_total", "upstream" => upstream.name())
        .increment(1);
    let detail = "this took too long, and may still be done: try again in a moment, with the same Idempotency-Key if you sent one";
    Problem::unavailable(detail).with_status(StatusCode::GATEWAY_TIMEOUT)
}
