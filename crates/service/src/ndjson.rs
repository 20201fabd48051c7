//! Streams of JSON lines between services: written as they come, read one at a time.
//!
//! A line is bounded; a stream that breaks in the middle of a line is an error, never a shorter line.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt};
use http::header::CONTENT_TYPE;
use serde::{Serialize, de::DeserializeOwned};
use tokio_util::{
    codec::{FramedRead, LinesCodec},
    io::StreamReader,
};

use crate::ClientError;

/// The media type.
pub const CONTENT_TYPE_NDJSON: &str = "application/x-ndjson";

/// No line of ours is longer: what a run wrote is three texts of 64 KiB, in the worst case all control characters, each
/// escaped to six bytes.
const LINE_LIMIT: usize = 2 * 1024 * 1024;

/// An answer of one line for each item, sent as soon as the item comes. An item that cannot be written breaks it off.
pub fn response<T, S>(items: S) -> Response
where
    T: Serialize + 'static,
    S: Stream<Item = T> + Send + 'static,
{
    let lines = items.map(|item| {
        let mut line = serde_json::to_vec(&item)?;
        line.push(b'\n');
        Ok::<_, serde_json::Error>(Bytes::from(line))
    });
    let headers = [(CONTENT_TYPE, CONTENT_TYPE_NDJSON)];
    (headers, Body::from_stream(lines)).into_response()
}

/// The items of an answer, as they come.
pub fn read<T: DeserializeOwned>(
    answer: reqwest::Response,
) -> impl Stream<Item = Result<T, ClientError>> + Send {
    let url = answer.url().to_string();
    let bytes = answer.bytes_stream().map_err(std::io::Error::other);
    FramedRead::new(
        StreamReader::new(bytes),
        LinesCodec::new_with_max_length(LINE_LIMIT),
    )
    .map(move |line| {
        let line = line.map_err(|source| ClientError::broken(&url, source))?;
        serde_json::from_str(&line).map_err(|source| ClientError::broken(&url, source))
    })
}
