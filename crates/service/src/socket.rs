//! A connection's socket as hyper sees it: makes problems of the few errors that hyper answers by itself, and closes gently.
//!
//! hyper answers a request that it cannot parse (400), whose address (414) or headers (431) are too large, before any service
//! sees it, with a bare status line. Such an answer is recognised here and replaced: it is what hyper writes although no
//! request was begun since all former answers went out. A closed socket with unread data makes the kernel reset the connection,
//! and the client may lose the answer; so what still comes is read and dropped for a moment first.
//!
//! HTTP/2 passes untouched. Never looks at what a handler answers.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::Body;
use http::StatusCode;
use hyper::body::{Body as HttpBody, Bytes, Frame, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};
use uuid::Uuid;

use crate::{Problem, problem::CONTENT_TYPE_PROBLEM, trace};

/// How long what still comes is read after an answer that ends the connection.
const LINGER: Duration = Duration::from_secs(2);

/// And how much of it.
const LINGER_BYTES: usize = 64 * 1024 * 1024;

/// What the two ends of a connection, socket and service, tell each other.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// Requests that reached the service.
    begun: AtomicU64,
    /// Of those, the ones whose answer's body has not been taken whole.
    open: AtomicU64,
    /// A request's body was left unread.
    unread: AtomicBool,
}

/// One request that is being answered.
#[derive(Debug)]
pub(crate) struct Open(Arc<Progress>);

impl Progress {
    /// A request has reached the service.
    pub(crate) fn begin(self: &Arc<Self>) -> Open {
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.open.fetch_add(1, Ordering::SeqCst);
        Open(self.clone())
    }

    /// Requests that ever reached the service.
    pub(crate) fn begun(&self) -> u64 {
        self.begun.load(Ordering::SeqCst)
    }

    /// A request's body that notes when it is left unread.
    pub(crate) fn request_body(self: &Arc<Self>, body: hyper::body::Incoming) -> Body {
        let watched = Watched {
            inner: body,
            progress: self.clone(),
        };
        Body::new(watched)
    }
}

impl Open {
    /// The answer's body, which ends this request when it is dropped.
    pub(crate) fn until_end_of(self, body: Body) -> Body {
        Body::new(Answer {
            inner: body,
            _open: self,
        })
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

/// An answer's body.
struct Answer {
    inner: Body,
    _open: Open,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// A request's body.
struct Watched {
    inner: hyper::body::Incoming,
    progress: Arc<Progress>,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if !self.inner.is_end_stream() {
            self.progress.unread.store(true, Ordering::SeqCst);
        }
    }
}

/// The socket.
pub(crate) struct Socket<S> {
    stream: S,
    progress: Arc<Progress>,
    /// How many requests had begun when the last answer was out.
    settled: u64,
    replacing: Option<Replacement>,
    lingering: Option<Lingering>,
    replaced: bool,
}

/// An answer in place of hyper's own.
struct Replacement {
    bytes: Vec<u8>,
    sent: usize,
    /// How many bytes hyper believes to write.
    stands_for: usize,
}

struct Lingering {
    until: Pin<Box<Sleep>>,
    read: usize,
}

impl<S: AsyncWrite + Unpin> Socket<S> {
    pub(crate) fn new(stream: S, progress: Arc<Progress>) -> Self {
        Self {
            stream,
            progress,
            settled: 0,
            replacing: None,
            lingering: None,
            replaced: false,
        }
    }

    /// Whether what hyper writes now is its own: every answer is out, and no request has begun since.
    fn is_idle(&self) -> bool {
        self.progress.begun() == self.settled
    }

    fn poll_replace(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        while let Some(replacement) = &mut self.replacing {
            let rest = &replacement.bytes[replacement.sent..];
            if rest.is_empty() {
                let stands_for = replacement.stands_for;
                self.replacing = None;
                return Poll::Ready(Ok(stands_for));
            }
            replacement.sent += ready!(Pin::new(&mut self.stream).poll_write(cx, rest))?;
        }
        Poll::Ready(Ok(0))
    }

    /// Begins to replace an answer of hyper's own.
    fn intercept(&mut self, written: &[u8]) -> bool {
        if !self.is_idle() {
            return false;
        }
        let Some(bytes) = refusal(written).and_then(answer_to_unparsed) else {
            return false;
        };
        self.replaced = true;
        self.replacing = Some(Replacement {
            bytes,
            sent: 0,
            stands_for: written.len(),
        });
        true
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Socket<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Socket<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.replacing.is_some() || self.intercept(buf) {
            return self.poll_replace(cx);
        }
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = bufs.iter().find(|buf| !buf.is_empty());
        if self.replacing.is_some() || first.is_some_and(|first| self.intercept(first)) {
            return self.poll_replace(cx);
        }
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper flushes when it has nothing left to write.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let begun = self.progress.begun();
        if self.progress.open.load(Ordering::SeqCst) == 0 {
            self.settled = begun;
        }
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.lingering.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
            if !this.replaced && !this.progress.unread.load(Ordering::SeqCst) {
                return Poll::Ready(Ok(()));
            }
        }
        let lingering = this.lingering.get_or_insert_with(|| Lingering {
            until: Box::pin(sleep(LINGER)),
            read: 0,
        });
        let mut room = [0; 16 * 1024];
        loop {
            if lingering.until.as_mut().poll(cx).is_ready() || lingering.read > LINGER_BYTES {
                return Poll::Ready(Ok(()));
            }
            let mut buf = ReadBuf::new(&mut room);
            match ready!(Pin::new(&mut this.stream).poll_read(cx, &mut buf)) {
                Ok(()) if !buf.filled().is_empty() => lingering.read += buf.filled().len(),
                // The client has gone: so may we.
                _ => return Poll::Ready(Ok(())),
            }
        }
    }
}

/// The status of a bare refusal by hyper: a head without a body, with a status that says that the request is not HTTP.
fn refusal(written: &[u8]) -> Option<StatusCode> {
    let head = written.strip_suffix(b"\r\n\r\n")?;
    let head = std::str::from_utf8(head).ok()?;
    let (line, fields) = head.split_once("\r\n")?;
    let status = line.strip_prefix("HTTP/1.")?.get(2..5)?;
    let is_bare = fields
        .split("\r\n")
        .any(|field| field.eq_ignore_ascii_case("content-length: 0"));
    match status {
        "400" if is_bare => Some(StatusCode::BAD_REQUEST),
        "414" if is_bare => Some(StatusCode::URI_TOO_LONG),
        "431" if is_bare => Some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
        _ => None,
    }
}

/// A whole HTTP/1 answer to a request that could not be read.
fn answer_to_unparsed(status: StatusCode) -> Option<Vec<u8>> {
    let detail = (status == StatusCode::BAD_REQUEST)
        .then(|| "This is not a well-formed HTTP request.".to_owned());
    let request_id = Uuid::now_v7().to_string();
    // Neither method nor path are known.
    let problem = Problem::for_status(status, detail)?.about("/", &request_id);
    let body = problem.to_json();
    tracing::info!(
        request_id,
        status = status.as_u16(),
        "refused a request that cannot be parsed"
    );
    let mut bytes = format!(
        "HTTP/1.1 {} {}\r\ncontent-type: {CONTENT_TYPE_PROBLEM}\r\ncache-control: no-store\r\n{}: {request_id}\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        status.as_u16(),
        status.canonical_reason().unwrap_or_default(),
        trace::REQUEST_ID_HEADER,
        body.len(),
    )
    .into_bytes();
    bytes.extend_from_slice(&body);
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_bare_refusals_of_hyper() {
        let bare = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\ndate: now\r\n\r\n";
        assert_eq!(
            refusal(bare),
            Some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)
        );
    }

    #[test]
    fn takes_nothing_else_for_one() {
        for written in [
            &b""[..],
            b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 5\r\n\r\nhello",
            b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 5\r\n\r\n",
            b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            b"HTTP/1.\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"\xff\xff\r\n\r\n",
        ] {
            assert_eq!(
                refusal(written),
                None,
                "{}",
                String::from_utf8_lossy(written)
            );
        }
    }
}
