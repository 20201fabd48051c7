//! Streams that are made of what execute says is new, asked for again and again: those of batches, and the feed.
//!
//! They are read by few and for long, and may be a second late: nothing of them goes through Kafka.

use std::time::Duration;

use axum::{
    body::Body,
    extract::{FromRequestParts, Request, State},
    response::Response,
};
use bytes::Bytes;
use contract::{
    Account, BatchId,
    batch::{PartEvent, StreamPart},
};
use futures::TryStreamExt;
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use service::{Client, ClientError, Problem, extract::Path};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::streams::{ServerSentEvent, wants_stream};
use crate::{
    hub::frame, limits::StreamPlace, proxy::header_of, proxy::pass_on, signed_in::SignedIn,
    state::App,
};

/// How long after an answer execute is asked again.
const PAUSE: Duration = Duration::from_secs(1);

/// How long a client may take nothing.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a client waits before it comes back.
const RETRY_MS: u64 = 1_000;

/// Frames that may wait for a client.
const WAITING: usize = 64;

/// What is followed.
#[derive(Debug, Clone)]
enum Followed {
    Batch(BatchId),
    Feed,
}

/// Asks for what is new.
struct Source {
    execute: Client,
    account: Account,
    followed: Followed,
    after: Option<String>,
}

impl Source {
    /// What is new, and goes on behind it the next time.
    async fn next(&mut self) -> Result<StreamPart, ClientError> {
        let path = match &self.followed {
            Followed::Batch(id) => format!("/internal/batches/{id}/events"),
            Followed::Feed => "/api/v1/feed".to_owned(),
        };
        let query: Vec<(&str, &str)> = self.after.iter().map(|after| ("after", &**after)).collect();
        let asking = self.execute.get(&path).query(&query).account(&self.account);
        let part = match &self.followed {
            Followed::Batch(_) => asking.json().await?,
            Followed::Feed => {
                let lines: Vec<Value> = asking.lines().await?.try_collect().await?;
                StreamPart {
                    events: lines.into_iter().map(result).collect(),
                    end: false,
                }
            }
        };
        if let Some(id) = part.events.iter().rev().find_map(|event| event.id.clone()) {
            self.after = Some(id);
        }
        Ok(part)
    }
}

fn result(line: Value) -> PartEvent {
    PartEvent {
        id: line["position"].as_str().map(str::to_owned),
        event: "result".to_owned(),
        data: line,
    }
}

/// The events of a batch, as server-sent events.
///
/// `progress`, without an id, whenever there is some; of a rejudge `changed` for each verdict that would change, of a
/// verification all events of the solutions' judging, one solution after the other, each with its `solution`; at the end `done`
/// with the figures. With `Last-Event-ID` the stream goes on behind that event.
#[utoipa::path(
    get, path = "/api/v1/batches/{id}/events", tag = "batches", operation_id = "batch_events",
    params(
        ("id" = uuid::Uuid, Path),
        ("Last-Event-ID" = Option<String>, Header, description = "the id of the last event seen"),
    ),
    responses(
        (status = 200, description = "events, one JSON object a line of data", body = ServerSentEvent, content_type = "text/event-stream"),
        Problem,
    ),
)]
pub(crate) async fn batch_events(
    State(app): State<App>,
    signed_in: SignedIn,
    Path(id): Path<BatchId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let after = header_of(&headers, "last-event-id");
    open(&app, &signed_in, Followed::Batch(id), after).await
}

/// `GET /feed`: a page is execute's own answer, the stream is ours.
pub(crate) async fn feed(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    if !wants_stream(request.headers()) {
        return pass_on(State(app), request).await;
    }
    let (mut parts, _) = request.into_parts();
    let signed_in = SignedIn::from_request_parts(&mut parts, &app).await?;
    let after = header_of(&parts.headers, "last-event-id").or_else(|| {
        let query = parts.uri.query().unwrap_or_default();
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs
            .find(|(name, _)| *name == "after")
            .map(|(_, after)| after.to_owned())
    });
    open(&app, &signed_in, Followed::Feed, after).await
}

/// Asks once, so that a refusal is an answer of its own, and goes on in the stream.
async fn open(
    app: &App,
    signed_in: &SignedIn,
    followed: Followed,
    after: Option<String>,
) -> Result<Response, Problem> {
    let place = app.limits.stream(signed_in.id())?;
    let mut source = Source {
        execute: app.execute.clone(),
        account: signed_in.account(),
        followed,
        // What could not be an id of ours is none.
        after: after.filter(|after| {
            after.len() <= 64
                && after
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
        }),
    };
    let first = source.next().await?;
    let (sender, receiver) = mpsc::channel(WAITING);
    let writer = Writer {
        sender,
        said: None,
        heartbeat: app.hub.heartbeat(),
        end: app.hub.soft_end(),
        _place: place,
    };
    tokio::spawn(writer.write(first, source));
    let frames = futures::stream::unfold(receiver, async |mut receiver: mpsc::Receiver<Bytes>| {
        let frame = receiver.recv().await?;
        Some((Ok::<_, std::convert::Infallible>(frame), receiver))
    });
    Ok(frame::answer(Body::from_stream(frames)))
}

fn is_refusal(problem: &Problem) -> bool {
    [StatusCode::FORBIDDEN, StatusCode::NOT_FOUND].contains(&problem.status())
}

struct Writer {
    sender: mpsc::Sender<Bytes>,
    /// The last thing without an id: it is not said twice.
    said: Option<Bytes>,
    heartbeat: Duration,
    end: CancellationToken,
    _place: StreamPlace,
}

/// Whoever listened has gone, or takes nothing.
struct Left;

impl Writer {
    async fn write(mut self, first: StreamPart, mut source: Source) {
        let (mut part, mut spoken) = (Some(first), Instant::now());
        if self.say(frame::retry(RETRY_MS)).await.is_err() {
            return;
        }
        loop {
            if let Some(part) = part.take() {
                match self.tell(&part).await {
                    Ok(true) => spoken = Instant::now(),
                    Ok(false) => {}
                    Err(Left) => return,
                }
                if part.end {
                    return;
                }
            }
            tokio::select! {
                () = sleep(PAUSE) => {}
                () = self.end.cancelled() => return,
                () = self.sender.closed() => return,
            }
            if Instant::now() >= spoken + self.heartbeat {
                if self.say(frame::COMMENT).await.is_err() {
                    return;
                }
                spoken = Instant::now();
            }
            // Nothing of the heartbeat waits for execute.
            let next = tokio::select! {
                next = source.next() => next,
                () = sleep_until(spoken + self.heartbeat) => continue,
                () = self.end.cancelled() => return,
                () = self.sender.closed() => return,
            };
            match next {
                Ok(next) => part = Some(next),
                // It is no longer theirs to see, or there is no such thing any more.
                Err(error) if error.problem().is_some_and(is_refusal) => return,
                Err(error) => tracing::debug!(%error, "a stream waits for execute: {error}"),
            }
        }
    }

    /// Whether there was anything to tell.
    async fn tell(&mut self, part: &StreamPart) -> Result<bool, Left> {
        let mut told = false;
        for event in &part.events {
            let frame = frame::named(event.id.as_deref(), &event.event, &event.data);
            if event.id.is_none() {
                if self.said.as_ref() == Some(&frame) {
                    continue;
                }
                self.said = Some(frame.clone());
            }
            self.say(frame).await?;
            told = true;
        }
        Ok(told)
    }

    async fn say(&self, frame: Bytes) -> Result<(), Left> {
        let sent = self.sender.send_timeout(frame, PATIENCE).await;
        sent.map_err(|_| Left)
    }
}
