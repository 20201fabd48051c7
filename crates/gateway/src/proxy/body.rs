//! Bodies on their way through: counted, timed, never held.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::{Body, BodyDataStream, HttpBody};
use bytes::Bytes;
use futures::Stream;
use hyper::body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep};
use tokio_util::sync::CancellationToken;

/// A client's body: ends with an error when it grows beyond its limit or pauses for too long.
pub(super) struct Upload {
    body: BodyDataStream,
    left: u64,
    progress: Progress,
    pause: Pause,
}

/// What became of an upload, for whoever waits for the answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Progress {
    sent: CancellationToken,
    exceeded: Arc<AtomicBool>,
    broke: Arc<AtomicBool>,
}

impl Upload {
    /// `None` when there is no body.
    pub(super) fn new(body: Body, limit: u64, patience: Duration) -> (Option<Self>, Progress) {
        let progress = Progress::default();
        if body.is_end_stream() {
            progress.sent.cancel();
            return (None, progress);
        }
        let upload = Self {
            body: body.into_data_stream(),
            left: limit,
            progress: progress.clone(),
            pause: Pause::new(patience),
        };
        (Some(upload), progress)
    }
}

impl Progress {
    /// Returns when all was sent, or nobody sends any more.
    pub(super) async fn sent(&self) {
        self.sent.cancelled().await;
    }

    /// Whether it was larger than its limit.
    pub(super) fn exceeded(&self) -> bool {
        self.exceeded.load(Ordering::Relaxed)
    }

    /// Whether the client broke it off.
    pub(super) fn broke(&self) -> bool {
        self.broke.load(Ordering::Relaxed)
    }
}

impl Stream for Upload {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let next = match Pin::new(&mut this.body).poll_next(context) {
            Poll::Ready(next) => next,
            Poll::Pending => {
                ready!(this.pause.poll(context));
                this.progress.broke.store(true, Ordering::Relaxed);
                return Poll::Ready(Some(Err(io::ErrorKind::TimedOut.into())));
            }
        };
        this.pause.over();
        Poll::Ready(match next {
            Some(Ok(data)) => {
                if let Some(left) = this.left.checked_sub(data.len() as u64) {
                    this.left = left;
                    Some(Ok(data))
                } else {
                    this.progress.exceeded.store(true, Ordering::Relaxed);
                    Some(Err(io::ErrorKind::FileTooLarge.into()))
                }
            }
            Some(Err(error)) => {
                this.progress.broke.store(true, Ordering::Relaxed);
                Some(Err(io::Error::other(error)))
            }
            None => {
                this.progress.sent.cancel();
                None
            }
        })
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.progress.sent.cancel();
    }
}

/// A service's body: ends with an error when it pauses for too long. Open streams of services say something every 15 s.
pub(super) struct Paced {
    body: reqwest::Body,
    pause: Pause,
}

impl Paced {
    pub(super) fn new(body: reqwest::Body, patience: Duration) -> Self {
        Self {
            body,
            pause: Pause::new(patience),
        }
    }
}

impl HttpBody for Paced {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = &mut *self;
        match Pin::new(&mut this.body).poll_frame(context) {
            Poll::Ready(frame) => {
                this.pause.over();
                Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
            }
            Poll::Pending => {
                ready!(this.pause.poll(context));
                Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::TimedOut).into())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Measures one pause. Made when the first one begins: most bodies have none.
struct Pause {
    patience: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    running: bool,
}

impl Pause {
    fn new(patience: Duration) -> Self {
        Self {
            patience,
            timer: None,
            running: false,
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let patience = self.patience;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(patience)));
        if !self.running {
            timer.as_mut().reset(Instant::now() + patience);
            self.running = true;
        }
        timer.as_mut().poll(context)
    }

    fn over(&mut self) {
        self.running = false;
    }
}
