//! Whether a thread that polls Kafka still does.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Longer than any wait of a healthy thread by far.
const SILENCE: Duration = Duration::from_secs(10);

/// A consumer's sign of life, for the liveness probe. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Heartbeat {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    start: Instant,
    /// Milliseconds since `start`.
    last: AtomicU64,
    failed: AtomicBool,
    resting: AtomicBool,
}

impl Heartbeat {
    pub(crate) fn new() -> Self {
        Self {
            inner: Arc::new(Inner {
                start: Instant::now(),
                last: AtomicU64::new(0),
                failed: AtomicBool::new(false),
                resting: AtomicBool::new(false),
            }),
        }
    }

    pub(crate) fn tick(&self) {
        let now = u64::try_from(self.inner.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.inner.last.store(now, Ordering::Relaxed);
    }

    /// The client broke for good, or was thrown out for silence.
    pub(crate) fn fail(&self) {
        self.inner.failed.store(true, Ordering::Relaxed);
    }

    /// It ended as it was told to: from now on silence is right.
    pub(crate) fn rest(&self) {
        self.inner.resting.store(true, Ordering::Relaxed);
    }

    /// How long ago the thread last turned.
    pub fn age(&self) -> Duration {
        let last = Duration::from_millis(self.inner.last.load(Ordering::Relaxed));
        self.inner.start.elapsed().saturating_sub(last)
    }

    /// Whether it turned within 10 s, or ended as told, and has met no fatal error. An outage of Kafka is no reason to be
    /// killed.
    pub fn is_alive(&self) -> bool {
        let resting = self.inner.resting.load(Ordering::Relaxed);
        !self.inner.failed.load(Ordering::Relaxed) && (resting || self.age() < SILENCE)
    }
}
