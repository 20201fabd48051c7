//! A client of the public API, as any program could be one: REST with a token, and streams that are followed to their end.
//!
//! Used by `submit`, `load` and `bench`. Knows nothing of the services behind the address.

use std::{pin::Pin, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use contract::{EventKey, Shown, Step, StreamEvent, SubmissionId, event::EventBody};
use eventsource_stream::{Event, Eventsource};
use futures::{Stream, StreamExt};
use reqwest::{Method, RequestBuilder, Response, header};
use serde::Deserialize;
use serde_json::{Value, json};

/// The public API at one address, for one account.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    url: String,
    token: String,
}

/// What a submission answers with.
#[derive(Debug, Deserialize)]
pub(crate) struct Receipt {
    /// Its id.
    pub(crate) id: SubmissionId,
}

impl Client {
    /// A client that shows `token` with every request.
    pub(crate) fn new(url: &str, token: &str) -> Result<Self> {
        Ok(Self {
            http: reqwest::Client::builder()
                .connect_timeout(Duration::from_secs(10))
                .tcp_nodelay(true)
                .build()
                .context("cannot make an HTTP client")?,
            url: url.trim_end_matches('/').to_owned(),
            token: token.to_owned(),
        })
    }

    /// Signs in with e-mail and password.
    pub(crate) async fn sign_in(url: &str, email: &str, password: &str) -> Result<Self> {
        let mut client = Self::new(url, "")?;
        let answer = client
            .http
            .post(format!("{}/api/v1/auth/login", client.url))
            .json(&json!({"email": email, "password": password}))
            .send()
            .await
            .context("the gateway does not answer")?;
        let body: Value = read(answer).await?.json().await?;
        body["access_token"]
            .as_str()
            .context("the gateway gave no token")?
            .clone_into(&mut client.token);
        Ok(client)
    }

    /// The token that it shows.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Asks for JSON; `path` begins below `/api/v1`.
    pub(crate) async fn json(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value> {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = read(
            request
                .send()
                .await
                .context("the gateway does not answer")?,
        )
        .await?;
        let bytes = answer.bytes().await.context("the answer was cut")?;
        if bytes.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&bytes).context("the answer is not JSON")
    }

    /// Sends a file as it is read; the answer is JSON.
    pub(crate) async fn upload(
        &self,
        path: &str,
        kind: &str,
        file: tokio::fs::File,
    ) -> Result<Value> {
        let body = reqwest::Body::wrap_stream(tokio_util::io::ReaderStream::new(file));
        let request = self.request(Method::POST, path);
        let request = request.header(header::CONTENT_TYPE, kind).body(body);
        let answer = request
            .send()
            .await
            .context("the gateway does not answer")?;
        Ok(read(answer).await?.json().await?)
    }

    /// A file, to be read as it comes.
    pub(crate) async fn download(&self, path: &str) -> Result<Response> {
        let request = self.request(Method::GET, path);
        read(
            request
                .send()
                .await
                .context("the gateway does not answer")?,
        )
        .await
    }

    /// Submits without waiting for the judge.
    pub(crate) async fn submit(&self, body: &Value) -> Result<Receipt> {
        let answer = self.json(Method::POST, "/submissions", Some(body)).await?;
        serde_json::from_value(answer).context("not a receipt")
    }

    /// Submits and follows the stream that the answer is.
    pub(crate) async fn submit_streaming(&self, body: &Value) -> Result<Events> {
        let request = self
            .request(Method::POST, "/submissions")
            .header(header::ACCEPT, "text/event-stream")
            .json(body);
        Events::open(request).await
    }

    /// Follows a submission, after the event `after` if one is given.
    pub(crate) async fn events(&self, id: SubmissionId, after: Option<EventKey>) -> Result<Events> {
        let mut request = self.request(Method::GET, &format!("/submissions/{id}/events"));
        if let Some(after) = after {
            request = request.header("last-event-id", after.to_string());
        }
        Events::open(request).await
    }

    /// Makes and publishes a stdio question; the answer is its id. Each test is its input and its output; the first is a sample.
    pub(crate) async fn publish(&self, slug: &str, tests: &[(String, String)]) -> Result<String> {
        let tests: Vec<Value> = (1..)
            .zip(tests)
            .map(|(number, (input, output))| {
                json!({"name": format!("{number:03}"), "input": input, "output": output, "sample": number == 1})
            })
            .collect();
        let document = json!({
            "slug": slug, "kind": "stdio", "titles": {"en": slug}, "statements": {"en": "For measuring."},
            "difficulty": 1, "tags": [], "limits": {"time_ms": 2000, "memory_kib": 262_144, "output_kib": 64},
            "checker": {"kind": "tokens"}, "tests": tests,
        });
        let made = self
            .json(Method::POST, "/questions", Some(&document))
            .await?;
        let id = made["id"]
            .as_str()
            .context("the question has no id")?
            .to_owned();
        let publish = format!("/questions/{id}/publish?unverified=true");
        self.json(Method::POST, &publish, None).await?;
        Ok(id)
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}/api/v1{path}", self.url))
            .bearer_auth(&self.token)
    }
}

/// Turns a problem+json answer into an error that says what the problem says.
async fn read(answer: Response) -> Result<Response> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let problem: Value = answer.json().await.unwrap_or_default();
    let mut message = format!("{status}");
    for part in [&problem["detail"], &problem["errors"]] {
        match part {
            Value::Null => {}
            Value::String(text) => message = format!("{message}: {text}"),
            other => message = format!("{message}: {other}"),
        }
    }
    bail!(message)
}

type Frames = Pin<
    Box<
        dyn Stream<Item = Result<Event, eventsource_stream::EventStreamError<reqwest::Error>>>
            + Send,
    >,
>;

/// The events of one submission, each checked by the contract's fold as it comes.
pub(crate) struct Events {
    frames: Frames,
    shown: Shown,
    resumed: bool,
}

/// One thing that a stream says.
#[derive(Debug, Clone)]
pub(crate) enum Heard {
    /// It still waits; about so many are before it.
    Queued(u64),
    /// What happened.
    Event(Box<StreamEvent>),
}

impl Events {
    async fn open(request: RequestBuilder) -> Result<Self> {
        let answer = read(
            request
                .send()
                .await
                .context("the gateway does not answer")?,
        )
        .await?;
        Ok(Self {
            frames: Box::pin(answer.bytes_stream().eventsource()),
            shown: Shown::default(),
            resumed: false,
        })
    }

    /// Goes on where an earlier stream of the same submission was cut: what that one has shown is not shown again.
    pub(crate) fn resuming(mut self, before: &Self) -> Self {
        self.shown = before.shown;
        self.resumed = true;
        self
    }

    /// The last event shown, for `Last-Event-ID`.
    pub(crate) fn last(&self) -> Option<EventKey> {
        self.shown.last
    }

    /// Whether the terminal event has been shown.
    pub(crate) fn is_over(&self) -> bool {
        self.shown.terminal
    }

    /// The next thing said; `None` when the stream has ended. A doubled, missing or misplaced event is an error.
    pub(crate) async fn next(&mut self) -> Result<Option<Heard>> {
        while let Some(frame) = self.frames.next().await {
            let frame = frame.context("the stream was cut")?;
            if frame.event == "queued" {
                let data: Value = serde_json::from_str(&frame.data)?;
                return Ok(Some(Heard::Queued(data["position"].as_u64().unwrap_or(0))));
            }
            if frame.data.is_empty() {
                // A comment or a `retry:` hint.
                continue;
            }
            let event = self.decode(&frame)?;
            let step = self.shown.step(&event);
            ensure!(
                step == Step::Show,
                "the stream is not exact: {} {} came as a {step:?}",
                event.body.name(),
                event.key
            );
            return Ok(Some(Heard::Event(Box::new(event))));
        }
        Ok(None)
    }

    /// Reads to the end; the stream must end with the terminal event.
    pub(crate) async fn finish(&mut self) -> Result<Vec<StreamEvent>> {
        let mut events = vec![];
        while let Some(heard) = self.next().await? {
            if let Heard::Event(event) = heard {
                events.push(*event);
            }
        }
        ensure!(self.is_over(), "the stream ended before its terminal event");
        Ok(events)
    }

    fn decode(&self, frame: &Event) -> Result<StreamEvent> {
        let key: EventKey = frame
            .id
            .parse()
            .with_context(|| format!("{} has the id {:?}", frame.event, frame.id))?;
        let data: Value = serde_json::from_str(&frame.data)
            .with_context(|| format!("the data of {} is not JSON", frame.event))?;
        let body: EventBody = serde_json::from_value(json!({"event": frame.event, "data": data}))
            .with_context(|| {
            format!("{} has other data than the contract says", frame.event)
        })?;
        // The stream does not carry what an event follows: an attempt at a review follows the verdict shown.
        let begins_review = key.seq == 1 && frame.event.starts_with("review.");
        Ok(StreamEvent {
            submission: SubmissionId::default(),
            key,
            follows: if begins_review {
                self.shown.verdict
            } else {
                None
            },
            body,
        })
    }
}
