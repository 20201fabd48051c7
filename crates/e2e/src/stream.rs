//! Streams as they come over the wire, and what must hold of each.

use std::time::Duration;

use eventsource_stream::Eventsource;
use futures::{Stream, StreamExt};
use reqwest::Response;
use serde_json::Value;

/// Far longer than any submission of these tests takes.
const PATIENCE: Duration = Duration::from_mins(3);

/// One event of a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Its name.
    pub event: String,
    /// Its id; empty for `queued`.
    pub id: String,
    /// Its data.
    pub data: Value,
}

/// A stream from where it was taken up to its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Transcript {
    /// In the order of the wire, `queued` left out.
    pub frames: Vec<Frame>,
}

impl Transcript {
    /// Reads to the end of the stream and checks that it is exact.
    pub async fn read(answer: Response) -> Self {
        let reading = frames(answer).collect::<Vec<Frame>>();
        let mut frames = tokio::time::timeout(PATIENCE, reading)
            .await
            .expect("the stream ends");
        frames.retain(|frame| frame.event != "queued");
        let transcript = Self { frames };
        transcript.check();
        transcript
    }

    /// Reads the stream of a batch to its end: its ids are others.
    pub async fn of_batch(answer: Response) -> Self {
        assert_eq!(answer.status(), 200);
        let reading = frames(answer).collect::<Vec<Frame>>();
        let frames = tokio::time::timeout(PATIENCE, reading)
            .await
            .expect("the stream ends");
        Self { frames }
    }

    /// Ids grow, attempts have no gap, nothing comes after the end, and there is an end.
    fn check(&self) {
        let keys: Vec<[u32; 3]> = self.frames.iter().map(|frame| key(&frame.id)).collect();
        assert!(
            keys.is_sorted_by(|before, after| before < after),
            "ids do not grow: {keys:?}"
        );
        for pair in keys.windows(2) {
            let (before, after) = (pair[0], pair[1]);
            assert!(
                after[2] == 1 || (before[..2] == after[..2] && after[2] == before[2] + 1),
                "a gap between {before:?} and {after:?}"
            );
        }
        let terminal = |frame: &&Frame| ["done", "failed"].contains(&frame.event.as_str());
        assert_eq!(
            self.frames.iter().filter(terminal).count(),
            1,
            "{:?}",
            self.names()
        );
        assert!(
            self.frames.last().as_ref().is_some_and(terminal),
            "{:?}",
            self.names()
        );
    }

    /// The events' names.
    pub fn names(&self) -> Vec<&str> {
        self.frames
            .iter()
            .map(|frame| frame.event.as_str())
            .collect()
    }

    /// The data of the last event of that name.
    pub fn data(&self, event: &str) -> &Value {
        let frame = self.frames.iter().rfind(|frame| frame.event == event);
        &frame
            .unwrap_or_else(|| panic!("no {event} in {:?}", self.names()))
            .data
    }

    /// All events of that name.
    pub fn all(&self, event: &str) -> Vec<&Value> {
        let named = self.frames.iter().filter(|frame| frame.event == event);
        named.map(|frame| &frame.data).collect()
    }

    /// The verdict's abbreviation.
    pub fn verdict(&self) -> &str {
        self.data("verdict")["verdict"].as_str().expect("a verdict")
    }
}

/// The numbers that an id is made of.
fn key(id: &str) -> [u32; 3] {
    let numbers: Vec<u32> = id.split('.').filter_map(|part| part.parse().ok()).collect();
    numbers
        .try_into()
        .unwrap_or_else(|_| panic!("{id:?} is no id"))
}

/// The frames of a stream as they come; a cut stream just ends.
pub fn frames(answer: Response) -> impl Stream<Item = Frame> {
    answer
        .bytes_stream()
        .eventsource()
        .filter_map(async |frame| {
            let frame = frame.ok()?;
            // A frame without data is a comment or a hint.
            let data = serde_json::from_str(&frame.data).ok()?;
            // The parser remembers the last id; only what has one of its own is replayed.
            let id = if frame.event == "queued" {
                String::new()
            } else {
                frame.id
            };
            Some(Frame {
                event: frame.event,
                id,
                data,
            })
        })
}

/// The first frames that have an id; then the stream is dropped.
pub async fn first(answer: Response, count: usize) -> Vec<Frame> {
    let named = frames(answer).filter(|frame| futures::future::ready(!frame.id.is_empty()));
    let reading = named.take(count).collect();
    tokio::time::timeout(PATIENCE, reading)
        .await
        .expect("the stream says something")
}
