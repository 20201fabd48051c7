//! Reading a stream frame by frame, as it is written.

use bytes::Bytes;
use futures::{Stream, StreamExt};
use reqwest::Response;
use std::pin::Pin;

use super::PATIENCE;

/// An open stream.
pub(crate) struct Sse {
    body: Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>,
    read: String,
}

/// One frame: an event, or a hint or comment whose `event` is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) event: String,
    pub(crate) id: String,
    pub(crate) data: String,
    pub(crate) text: String,
}

impl Sse {
    pub(crate) fn new(answer: Response) -> Self {
        assert_eq!(answer.status(), 200, "{answer:?}");
        for (name, value) in [
            ("content-type", "text/event-stream"),
            ("cache-control", "no-store, no-transform"),
            ("x-accel-buffering", "no"),
        ] {
            assert_eq!(answer.headers()[name], value);
        }
        Self {
            body: Box::pin(answer.bytes_stream()),
            read: String::new(),
        }
    }

    /// The next frame of any kind; `None` at a clean end.
    pub(crate) async fn frame(&mut self) -> Option<Frame> {
        loop {
            if let Some((text, rest)) = self.read.split_once("\n\n") {
                let field = |name: &str| {
                    let line = text.lines().find_map(|line| line.strip_prefix(name));
                    line.unwrap_or_default().to_owned()
                };
                let frame = Frame {
                    event: field("event: "),
                    id: field("id: "),
                    data: field("data: "),
                    text: text.to_owned(),
                };
                self.read = self.read.split_off(self.read.len() - rest.len());
                return Some(frame);
            }
            let next = tokio::time::timeout(PATIENCE, self.body.next())
                .await
                .expect("a frame in time");
            if let Some(bytes) = next {
                self.read
                    .push_str(std::str::from_utf8(&bytes.expect("a whole body")).expect("text"));
            } else {
                assert_eq!(self.read, "", "the stream ends between frames");
                return None;
            }
        }
    }

    /// The next event that has an id.
    pub(crate) async fn event(&mut self) -> Option<Frame> {
        loop {
            let frame = self.frame().await?;
            if !frame.id.is_empty() {
                return Some(frame);
            }
        }
    }

    /// The names and ids of all events to the end.
    pub(crate) async fn rest(&mut self) -> Vec<String> {
        let mut seen = Vec::new();
        while let Some(frame) = self.event().await {
            seen.push(format!("{} {}", frame.id, frame.event));
        }
        seen
    }
}
