//! The connection's side of an open stream: its body, its heartbeat, and what is given back when it ends.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::{Body, HttpBody},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use hyper::body::Frame;
use tokio::time::{Instant, Sleep, sleep};

use super::{End, Follower, Hub, frame};
use crate::limits::StreamPlace;

/// What a client waits before it comes back, unless it is told otherwise.
const RETRY_MS: u64 = 1_000;

/// An open stream. Dropped, it is forgotten by the hub, and its account may open another one.
pub(crate) struct Stream {
    hub: Hub,
    follower: Arc<Follower>,
    partition: Option<i32>,
    _place: StreamPlace,
}

impl Stream {
    pub(super) fn new(
        hub: Hub,
        follower: Arc<Follower>,
        partition: Option<i32>,
        place: StreamPlace,
    ) -> Self {
        metrics::gauge!("codementor_streams_open").increment(1);
        Self {
            hub,
            follower,
            partition,
            _place: place,
        }
    }

    pub(super) fn follower(&self) -> &Arc<Follower> {
        &self.follower
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let how = match self.follower.ended() {
            Some(End::Terminal) => "terminal",
            Some(End::Slow) => "slow",
            Some(End::Drained) => "drained",
            Some(End::Left) | None => "left",
        };
        metrics::gauge!("codementor_streams_open").decrement(1);
        metrics::counter!("codementor_streams_ended_total", "how" => how).increment(1);
        self.hub.leave(&self.follower, self.partition);
    }
}

impl IntoResponse for Stream {
    fn into_response(self) -> Response {
        let heartbeat = self.hub.0.heartbeat;
        let body = StreamBody {
            stream: self,
            hint: Some(frame::retry(RETRY_MS)),
            silence: Box::pin(sleep(heartbeat)),
        };
        frame::answer(Body::new(body))
    }
}

struct StreamBody {
    stream: Stream,
    hint: Option<Bytes>,
    silence: Pin<Box<Sleep>>,
}

impl HttpBody for StreamBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = &mut *self;
        let next = match this.hint.take() {
            Some(hint) => Poll::Ready(Some(hint)),
            None => this.stream.follower.poll_frame(context),
        };
        let frame = match next {
            Poll::Ready(Some(frame)) => frame,
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Pending => match this.silence.as_mut().poll(context) {
                Poll::Ready(()) => frame::COMMENT,
                Poll::Pending => return Poll::Pending,
            },
        };
        let heartbeat = this.stream.hub.0.heartbeat;
        this.silence.as_mut().reset(Instant::now() + heartbeat);
        Poll::Ready(Some(Ok(Frame::data(frame))))
    }
}
