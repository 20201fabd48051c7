//! A language model behind an OpenAI-compatible API: Chat Completions, streamed.
//!
//! ```text
//!   prepare ─► bytes to send, their hash ─► ask ─┬─ before the first byte: up to two retries with jitter, Retry-After obeyed
//!                                                └─ after it: no retry, ever; each finding is shown as soon as it is whole
//! ```
//! Every wait and every size is bounded. Redirects are not followed, so that the key goes nowhere else; neither key nor code
//! is ever logged.

mod answer;
mod breaker;
mod prompt;
mod wire;

use std::{fmt, time::Duration};

use bytes::Bytes;
use contract::{
    event::{Finding, ReviewDone, Tokens},
    job::ReviewJob,
};
use eventsource_stream::{EventStreamError, Eventsource as _};
use futures::{Stream, StreamExt as _};
use reqwest::{Response, StatusCode, header};
use sha2::{Digest as _, Sha256};
use tokio::time::timeout;

use self::{answer::Answer, breaker::Breaker, wire::Chunk};
use super::{Review, Skip};
use crate::{config::Secret, jitter::jittered};

/// Further tries before the first byte.
const RETRIES: u32 = 2;

/// The first pause between tries is about this long; the next one twice.
const PAUSE: Duration = Duration::from_millis(500);

/// A server that asks for more patience is done without.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// Longest answer on the wire, in bytes: a chunk for each token takes some hundred.
const LONGEST_STREAM: usize = 4 << 20;

/// Longest text of an answer, in bytes.
const LONGEST_TEXT: usize = 64 << 10;

/// Longest body of an error, in bytes.
const LONGEST_ERROR: usize = 16 << 10;

/// A server and its model.
pub(crate) struct OpenAi {
    http: reqwest::Client,
    url: String,
    key: Option<Secret>,
    model: String,
    max_tokens: u32,
    patience: Patience,
    breaker: Breaker,
}

/// Where the server is, and who we are there.
#[derive(Clone)]
pub(crate) struct Server {
    /// The base address, such as `https://api.openai.com/v1`.
    pub(crate) url: String,
    pub(crate) key: Option<Secret>,
    pub(crate) model: String,
    /// The model may write so many tokens.
    pub(crate) max_tokens: u32,
    pub(crate) patience: Patience,
}

/// How long is waited for what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// For the connection.
    pub(crate) connect: Duration,
    /// For the first piece of an answer.
    pub(crate) first_byte: Duration,
    /// For each next piece.
    pub(crate) next_byte: Duration,
    /// For all of it, retries included.
    pub(crate) total: Duration,
}

/// A question to the model, ready to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    body: Bytes,
    lines: u32,
}

impl Question {
    /// SHA-256 of exactly the bytes that are sent.
    pub(crate) fn hash(&self) -> [u8; 32] {
        Sha256::digest(&self.body).into()
    }
}

impl fmt::Debug for OpenAi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenAi")
            .field("url", &self.url)
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

impl OpenAi {
    pub(crate) fn new(server: Server) -> reqwest::Result<Self> {
        service::tls::install_once();
        let http = reqwest::Client::builder()
            .connect_timeout(server.patience.connect)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("codementor/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self {
            http,
            url: format!("{}/chat/completions", server.url.trim_end_matches('/')),
            key: server.key,
            model: server.model,
            max_tokens: server.max_tokens,
            patience: server.patience,
            breaker: Breaker::default(),
        })
    }

    pub(crate) fn model(&self) -> &str {
        &self.model
    }

    /// Whether the server has answered lately, or is due for a trial. Ask right before [`OpenAi::ask`].
    pub(crate) fn is_ready(&self) -> bool {
        self.breaker.allows()
    }

    /// Puts the question.
    pub(crate) fn prepare(&self, job: &ReviewJob) -> Question {
        let user = prompt::user(job);
        let body = serde_json::to_vec(&wire::Request {
            model: &self.model,
            messages: [
                wire::Message {
                    role: "system",
                    content: prompt::SYSTEM,
                },
                wire::Message {
                    role: "user",
                    content: &user,
                },
            ],
            stream: true,
            stream_options: wire::StreamOptions {
                include_usage: true,
            },
            max_completion_tokens: self.max_tokens,
        })
        .expect("strings and numbers become JSON");
        let lines = job
            .files
            .first()
            .map_or(0, |file| file.content.lines().count());
        Question {
            body: body.into(),
            lines: u32::try_from(lines).unwrap_or(u32::MAX),
        }
    }

    /// Asks, once. `shown` gets each finding as soon as it is whole and valid, also when the answer breaks off later.
    pub(crate) async fn ask(
        &self,
        question: &Question,
        shown: impl FnMut(&Finding),
    ) -> Result<Review, Skip> {
        let asked = timeout(self.patience.total, async {
            let response = self.open(question).await?;
            self.read(response, question.lines, shown).await
        });
        asked.await.unwrap_or(Err(Skip::Timeout))
    }

    /// Sends the question until somebody answers.
    async fn open(&self, question: &Question) -> Result<Response, Skip> {
        let mut tries = 0;
        loop {
            let Ok(sent) = timeout(self.patience.first_byte, self.send(question)).await else {
                // It may be writing already: asking again could be paid twice.
                self.breaker.failed();
                return Err(Skip::Timeout);
            };
            let pause = match sent {
                Ok(response) if response.status().is_success() => return Ok(response),
                Ok(response) => self.refusal(response).await?,
                Err(error) => {
                    tracing::warn!(error = %error.without_url(), "the review API cannot be reached");
                    None
                }
            };
            let pause = pause.unwrap_or_else(|| jittered(PAUSE, tries));
            if tries == RETRIES || pause > LONGEST_PAUSE {
                self.breaker.failed();
                return Err(Skip::Unavailable);
            }
            tries += 1;
            tokio::time::sleep(pause).await;
        }
    }

    async fn send(&self, question: &Question) -> reqwest::Result<Response> {
        let mut request = self
            .http
            .post(&self.url)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "text/event-stream")
            .body(question.body.clone());
        if let Some(key) = &self.key {
            request = request.bearer_auth(key.expose());
        }
        request.send().await
    }

    /// Whether another try makes sense, and after which pause if the server says.
    async fn refusal(&self, response: Response) -> Result<Option<Duration>, Skip> {
        let status = response.status();
        let after = response
            .headers()
            .get(header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.trim().parse().ok())
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let body = beginning(response).await;
        let out_of_credit = serde_json::from_slice::<wire::ErrorBody>(&body)
            .unwrap_or_default()
            .is_out_of_credit();
        tracing::warn!(%status, out_of_credit, "the review API refused a request");
        let transient = status.is_server_error()
            || matches!(
                status,
                StatusCode::REQUEST_TIMEOUT | StatusCode::CONFLICT | StatusCode::TOO_MANY_REQUESTS
            );
        if transient && !out_of_credit {
            Ok(after)
        } else {
            self.breaker.failed();
            Err(Skip::Unavailable)
        }
    }

    /// Reads the answer to its end.
    async fn read(
        &self,
        response: Response,
        lines: u32,
        mut shown: impl FnMut(&Finding),
    ) -> Result<Review, Skip> {
        let mut reading = Reading::new(lines);
        let mut events = std::pin::pin!(bounded(response.bytes_stream()).eventsource());
        let mut patience = self.patience.first_byte;
        let broke_off = loop {
            let Ok(event) = timeout(patience, events.next()).await else {
                if patience == self.patience.first_byte {
                    self.breaker.failed();
                }
                break Skip::Timeout;
            };
            let event = match event {
                Some(Ok(event)) => event,
                Some(Err(EventStreamError::Transport(Broken::Connection(error)))) => {
                    tracing::warn!(error = %error.without_url(), "the review API broke off");
                    break Skip::Unavailable;
                }
                Some(Err(_)) | None => break Skip::InvalidAnswer,
            };
            if patience == self.patience.first_byte {
                self.breaker.succeeded();
            }
            patience = self.patience.next_byte;
            match reading.take(&event.data) {
                Ok(findings) => findings.iter().for_each(&mut shown),
                Err(End::Done) => break Skip::InvalidAnswer,
                Err(End::Skip(skip)) => return Err(skip),
            }
        };
        // The summary is the last line: with it the answer is whole, however the stream ended.
        reading.into_review().ok_or(broke_off)
    }
}

/// An answer while it is being read.
#[derive(Debug)]
struct Reading {
    answer: Answer,
    findings: Vec<Finding>,
    tokens: Option<Tokens>,
    length: usize,
}

/// Why reading ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The server says that this is all.
    Done,
    /// There will be no review.
    Skip(Skip),
}

impl Reading {
    fn new(lines: u32) -> Self {
        Self {
            answer: Answer::new(lines),
            findings: Vec::new(),
            tokens: None,
            length: 0,
        }
    }

    /// Takes one `data:`; the answer is the findings that it completed.
    fn take(&mut self, data: &str) -> Result<&[Finding], End> {
        if data.trim() == "[DONE]" {
            return Err(End::Done);
        }
        let Ok(chunk) = serde_json::from_str::<Chunk>(data) else {
            return Err(End::Skip(Skip::InvalidAnswer));
        };
        if chunk.error.is_some() {
            tracing::warn!("the review API reported an error in the middle of an answer");
            return Err(End::Skip(Skip::Unavailable));
        }
        if let Some(usage) = chunk.usage {
            self.tokens = Some(usage.into());
        }
        let before = self.findings.len();
        if let Some(choice) = chunk.choices.into_iter().next() {
            let refuses = choice.delta.refusal.is_some_and(|text| !text.is_empty());
            if refuses || choice.finish_reason.as_deref() == Some("content_filter") {
                return Err(End::Skip(Skip::Refused));
            }
            let text = choice.delta.content.unwrap_or_default();
            self.length += text.len();
            if self.length > LONGEST_TEXT {
                return Err(End::Skip(Skip::InvalidAnswer));
            }
            self.findings.extend(self.answer.push(&text));
        }
        Ok(&self.findings[before..])
    }

    fn into_review(self) -> Option<Review> {
        if self.answer.dropped() > 0 {
            metrics::counter!("codementor_ai_dropped_findings_total")
                .increment(self.answer.dropped() as u64);
        }
        let summary = self.answer.summary()?.clone();
        Some(Review {
            done: ReviewDone {
                summary: summary.text,
                complexity: summary.complexity,
                next_step: summary.next_step,
                findings: u32::try_from(self.findings.len()).unwrap_or(0),
                tokens: self.tokens,
            },
            findings: self.findings,
        })
    }
}

/// Why a body could not be read to its end.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("the connection broke: {0}")]
    Connection(#[from] reqwest::Error),
    #[error("the answer has no end")]
    TooLong,
}

/// The body, broken off where it becomes too long.
fn bounded(
    body: impl Stream<Item = reqwest::Result<Bytes>>,
) -> impl Stream<Item = Result<Bytes, Broken>> {
    body.scan(0_usize, |length, piece| {
        let piece = piece.map_err(Broken::from).and_then(|piece| {
            *length += piece.len();
            if *length > LONGEST_STREAM {
                Err(Broken::TooLong)
            } else {
                Ok(piece)
            }
        });
        std::future::ready(Some(piece))
    })
}

/// The first bytes of a body; whatever cannot be read is left out.
async fn beginning(response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    let mut pieces = response.bytes_stream();
    let read = async {
        while let Some(Ok(piece)) = pieces.next().await {
            body.extend_from_slice(&piece[..piece.len().min(LONGEST_ERROR - body.len())]);
            if body.len() == LONGEST_ERROR {
                break;
            }
        }
    };
    let _ = timeout(Duration::from_secs(2), read).await;
    body
}
