//! The bytes of a stream: what one event, hint or comment looks like on the wire (WHATWG server-sent events).
//!
//! Built from whole numbers, fixed names and one line of JSON, so that nothing a learner writes can begin a line of its own.

use std::fmt::Write;

use axum::{body::Body, response::Response};
use bytes::Bytes;
use contract::{EventBody, StreamEvent};
use http::{HeaderValue, header};
use serde::Serialize;

/// Sent when nothing else was for a while, so that no proxy takes the stream for dead.
pub(crate) const COMMENT: Bytes = Bytes::from_static(b":\n\n");

/// The answer that a stream of frames is: kept by nobody, held back by no proxy.
pub(crate) fn answer(frames: Body) -> Response {
    let mut response = Response::new(frames);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream"),
    );
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("no-store, no-transform"),
    );
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// One event with its id.
pub(crate) fn event(event: &StreamEvent) -> serde_json::Result<Bytes> {
    let data = data(&event.body)?;
    let mut frame = String::with_capacity(data.len() + 64);
    let _ = write!(
        frame,
        "event: {}\nid: {}\ndata: {data}\n\n",
        event.body.name(),
        event.key
    );
    Ok(frame.into())
}

/// One event of a stream that is no submission's; `id` and `name` are ours.
pub(crate) fn named(id: Option<&str>, name: &str, data: &serde_json::Value) -> Bytes {
    let id = id.map_or_else(String::new, |id| format!("id: {id}\n"));
    format!("event: {name}\n{id}data: {data}\n\n").into()
}

/// About how many are before it. Without an id: it is never replayed.
pub(crate) fn queued(position: u64) -> Bytes {
    format!("event: queued\ndata: {{\"position\":{position}}}\n\n").into()
}

/// How long to wait before coming back, should the stream end.
pub(crate) fn retry(milliseconds: u64) -> Bytes {
    format!("retry: {milliseconds}\n\n").into()
}

/// The data alone: the name goes into the frame's own field.
fn data(body: &EventBody) -> serde_json::Result<String> {
    fn json(data: &impl Serialize) -> serde_json::Result<String> {
        serde_json::to_string(data)
    }
    match body {
        EventBody::Accepted(data) => json(data),
        EventBody::Judging(data) => json(data),
        EventBody::Compiled(data) => json(data),
        EventBody::Test(data) => json(data),
        EventBody::Output(data) => json(data),
        EventBody::Verdict(data) => json(data),
        EventBody::ReviewStarted(data) => json(data),
        EventBody::ReviewFinding(data) => json(data),
        EventBody::ReviewDone(data) => json(data),
        EventBody::ReviewSkipped(data) => json(data),
        EventBody::Done(data) => json(data),
        EventBody::Failed(data) => json(data),
    }
}

#[cfg(test)]
mod tests {
    use contract::{
        EventKey, SubmissionId,
        event::{Compiled, Done},
    };

    use super::*;

    fn text(body: EventBody) -> String {
        let key = EventKey {
            judgement: 1,
            attempt: 2,
            seq: 3,
        };
        let event = StreamEvent {
            submission: SubmissionId::new(),
            key,
            follows: None,
            body,
        };
        String::from_utf8(super::event(&event).expect("a frame").to_vec()).expect("text")
    }

    #[test]
    fn an_event_is_three_lines() {
        assert_eq!(
            text(EventBody::Done(Done {})),
            "event: done\nid: 1.2.3\ndata: {}\n\n"
        );
    }

    #[test]
    fn nothing_in_the_data_begins_a_line() {
        let log = "a\r\nevent: verdict\n\ndata: {\u{85}\u{2028}\0".to_owned();
        let frame = text(EventBody::Compiled(Compiled {
            ok: false,
            cached: false,
            time_ms: 1,
            log,
        }));
        assert_eq!(frame.matches(['\n', '\r']).count(), 4, "{frame}");
        assert!(frame.ends_with("\n\n"));
    }

    #[test]
    fn data_is_what_the_contract_says() {
        let body = EventBody::Done(Done {});
        let whole = serde_json::to_value(&body).expect("json");
        assert_eq!(data(&body).expect("json"), whole["data"].to_string());
    }
}
