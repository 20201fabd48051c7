//! One open stream: what it has shown, what it waits for, and what its connection has still to write.
//!
//! A state machine without clock and network. Live events come in any order and number; the log comes in order; what goes out
//! is what the one fold shows, once, from the client's `Last-Event-ID` on. It never blocks the one who offers an event: a
//! connection that does not keep up is cut off, and resumes from the log.
//!
//! ```text
//!   CatchingUp ──log read, nothing missing──► Live ──terminal event──► ended
//!       ▲  (live events wait in a line)        │
//!       └────────────── gap ───────────────────┘
//! ```

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    task::{Context, Poll, Waker},
    time::Instant,
};

use bytes::Bytes;
use contract::{
    EventBody, EventKey, LAST_ATTEMPT, Shown, Step, StreamEvent, SubmissionId, internal::LogRead,
};

use super::frame;

/// How much may wait for a connection that does not read. What is read from the log does not count: it is as long as it is.
pub(crate) const MAX_LIVE_FRAMES: usize = 512;
/// The same in bytes.
pub(crate) const MAX_LIVE_BYTES: usize = 2 << 20;
/// How many live events wait while the log is read; what comes later is found in the log.
const MAX_WAITING: usize = 256;

/// An event on its way to any number of streams, serialised once.
#[derive(Debug)]
pub(crate) struct Offered {
    event: StreamEvent,
    frame: OnceLock<Bytes>,
}

impl Offered {
    pub(crate) fn new(event: StreamEvent) -> Arc<Self> {
        Arc::new(Self {
            event,
            frame: OnceLock::new(),
        })
    }

    fn frame(&self) -> Bytes {
        self.frame.get_or_init(|| render(&self.event)).clone()
    }
}

fn render(event: &StreamEvent) -> Bytes {
    frame::event(event).unwrap_or_else(|error| {
        // Our own types always have a JSON form.
        tracing::error!(submission = %event.submission, %error, "cannot write an event");
        frame::COMMENT
    })
}

/// What is told of an event to somebody who may only know that it was received. The end comes as an attempt of its own, so that
/// nothing seems to be missing before it.
fn muted(event: &StreamEvent) -> Option<Bytes> {
    match &event.body {
        EventBody::Accepted(_) | EventBody::Failed(_) => Some(render(event)),
        EventBody::Done(done) => Some(render(&StreamEvent {
            submission: event.submission,
            key: EventKey {
                attempt: LAST_ATTEMPT,
                seq: 1,
                ..event.key
            },
            follows: None,
            body: EventBody::Done(*done),
        })),
        _ => None,
    }
}

/// What its hub has to do after an event was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    Nothing,
    /// Something is missing: read the log until it is there.
    Log,
    /// It has ended or was cut off: forget it.
    Forget,
}

/// Why the next frame is the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Everything was said.
    Terminal,
    /// The connection did not keep up.
    Slow,
    /// We are shutting down.
    Drained,
    /// The client has gone.
    Left,
}

/// One open stream.
#[derive(Debug)]
pub(crate) struct Follower {
    pub(crate) submission: SubmissionId,
    pub(crate) judgement: u32,
    /// The log holds all there will ever be.
    whole: bool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    shown: Shown,
    /// The client's last id, until it was found in the log, or cannot come there any more.
    resume: Option<EventKey>,
    catching_up: bool,
    waiting: VecDeque<Arc<Offered>>,
    out: VecDeque<Out>,
    live_frames: usize,
    live_bytes: usize,
    /// The client is told no more than that it was received, and that it is over.
    muted: bool,
    end: Option<End>,
    waker: Option<Waker>,
    heard_at: Instant,
}

#[derive(Debug)]
struct Out {
    frame: Bytes,
    live: bool,
}

impl Follower {
    /// A stream that has shown nothing here; its client has seen all up to `last_event_id`.
    pub(crate) fn new(
        submission: SubmissionId,
        judgement: u32,
        last_event_id: Option<EventKey>,
        now: Instant,
    ) -> Self {
        let state = State {
            shown: Shown::default(),
            resume: last_event_id.filter(|key| key.judgement == judgement),
            catching_up: true,
            waiting: VecDeque::new(),
            out: VecDeque::new(),
            live_frames: 0,
            live_bytes: 0,
            muted: false,
            end: None,
            waker: None,
            heard_at: now,
        };
        Self {
            submission,
            judgement,
            whole: false,
            state: Mutex::new(state),
        }
    }

    /// A stream of a judgement that has ended: it ends when the log was read once.
    pub(crate) fn of_whole_log(self) -> Self {
        Self {
            whole: true,
            ..self
        }
    }

    /// Tells no more than that it was received, and that it is over. To be said before anything is shown.
    pub(crate) fn mute(&self) {
        self.state().muted = true;
    }

    /// A live event came.
    pub(crate) fn offer(&self, offered: &Arc<Offered>, now: Instant) -> Need {
        let mut state = self.state();
        if state.end.is_some() {
            return Need::Forget;
        }
        if offered.event.key.judgement != self.judgement {
            return Need::Nothing;
        }
        state.heard_at = now;
        if state.catching_up {
            if state.waiting.len() < MAX_WAITING {
                state.waiting.push_back(Arc::clone(offered));
            }
            return Need::Nothing;
        }
        match state.step(&offered.event) {
            Step::Drop => Need::Nothing,
            Step::Show => {
                if let Some(frame) = state.frame(offered) {
                    state.push(frame, true);
                }
                state.end_if_terminal();
                if state.end.is_some() {
                    Need::Forget
                } else {
                    Need::Nothing
                }
            }
            Step::Gap => {
                state.catching_up = true;
                state.waiting.push_back(Arc::clone(offered));
                Need::Log
            }
        }
    }

    /// What to read of the log; `None` once the stream has ended.
    pub(crate) fn read(&self) -> Option<LogRead> {
        let state = self.state();
        state.end.is_none().then_some(LogRead {
            submission: self.submission,
            judgement: self.judgement,
            after: state.shown.last,
        })
    }

    /// What the log holds after [`Self::read`].
    pub(crate) fn fill(&self, events: &[StreamEvent], now: Instant) -> Need {
        let mut state = self.state();
        if state.end.is_some() {
            return Need::Forget;
        }
        let mut seen = None;
        if let Some(id) = state.resume {
            let found = events.iter().any(|event| event.key == id);
            let last = events.last();
            let complete = self.whole || last.is_some_and(|event| event.body.is_terminal());
            if !found && !complete && last.is_none_or(|event| event.key < id) {
                // What was shown live comes into the log, however far the log writer is behind: to replay before would
                // show it twice.
                return Need::Log;
            }
            // It is found, or is no id of this stream: then all is replayed.
            state.resume = None;
            seen = found.then_some(id);
        }
        state.show_log(events, seen, now);
        if self.whole && state.end.is_none() {
            state.close(End::Terminal);
        }
        state.show_waiting()
    }

    /// What waits in the queue before it, while nothing was judged yet and nothing else is to be written.
    pub(crate) fn tell_position(&self, position: u64) {
        let mut state = self.state();
        if state.end.is_none() && state.out.is_empty() && !state.catching_up {
            state.push(frame::queued(position), false);
        }
    }

    /// Whether nothing came since `then`, and nothing is being read for it.
    pub(crate) fn is_quiet_since(&self, then: Instant) -> bool {
        let state = self.state();
        state.end.is_none() && !state.catching_up && state.heard_at <= then
    }

    /// Says when to come back and ends.
    pub(crate) fn drain(&self, retry_ms: u64) {
        let mut state = self.state();
        if state.end.is_none() {
            state.push(frame::retry(retry_ms), false);
            state.close(End::Drained);
        }
    }

    /// The end that was decided, perhaps before all was written.
    pub(crate) fn ended(&self) -> Option<End> {
        self.state().end
    }

    /// Ends it, unless it has ended.
    pub(crate) fn close(&self, end: End) {
        let mut state = self.state();
        if state.end.is_none() {
            state.close(end);
        }
    }

    /// The next frame for the connection; `None` at the end.
    pub(crate) fn poll_frame(&self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let mut state = self.state();
        if let Some(out) = state.out.pop_front() {
            if out.live {
                state.live_frames -= 1;
                state.live_bytes -= out.frame.len();
            }
            if state.out.is_empty() {
                // Idle streams are many: an empty queue keeps no room.
                state.out.shrink_to(4);
            }
            return Poll::Ready(Some(out.frame));
        }
        if state.end.is_some() {
            return Poll::Ready(None);
        }
        match &mut state.waker {
            Some(waker) => waker.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
        Poll::Pending
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn show_log(&mut self, events: &[StreamEvent], seen: Option<EventKey>, now: Instant) {
        for event in events {
            if self.shown.step(event) != Step::Show {
                continue;
            }
            self.heard_at = now;
            if seen.is_none_or(|seen| event.key > seen) {
                let told = if self.muted {
                    muted(event)
                } else {
                    Some(render(event))
                };
                if let Some(frame) = told {
                    self.push(frame, false);
                }
            }
        }
        self.end_if_terminal();
    }

    /// Decides about a live event. An end without a worker follows nothing, but a verdict that was produced before we listened
    /// makes it void: whether one was, only the log can tell.
    fn step(&mut self, event: &StreamEvent) -> Step {
        let mut after = self.shown;
        let step = after.step(event);
        let (key, follows) = (event.key, event.follows);
        let is_without_worker = key.attempt == LAST_ATTEMPT && key.seq == 1 && follows.is_none();
        if step == Step::Show && is_without_worker {
            return Step::Gap;
        }
        self.shown = after;
        step
    }

    /// Offers again what waited, in its order, up to what still lacks a past.
    fn show_waiting(&mut self) -> Need {
        while self.end.is_none() {
            let Some(next) = self.waiting.front().cloned() else {
                self.waiting = VecDeque::new();
                self.catching_up = false;
                return Need::Nothing;
            };
            match self.step(&next.event) {
                Step::Gap => {
                    self.catching_up = true;
                    return Need::Log;
                }
                // As much as came during one read of the log: no sign of a slow connection.
                Step::Show => {
                    if let Some(frame) = self.frame(&next) {
                        self.push(frame, false);
                    }
                }
                Step::Drop => {}
            }
            self.waiting.pop_front();
            self.end_if_terminal();
        }
        Need::Forget
    }

    fn frame(&self, offered: &Offered) -> Option<Bytes> {
        if self.muted {
            muted(&offered.event)
        } else {
            Some(offered.frame())
        }
    }

    fn push(&mut self, frame: Bytes, live: bool) {
        if live {
            self.live_frames += 1;
            self.live_bytes += frame.len();
        }
        self.out.push_back(Out { frame, live });
        if self.live_frames > MAX_LIVE_FRAMES || self.live_bytes > MAX_LIVE_BYTES {
            // What is queued is whole and in order; the client resumes behind it.
            self.close(End::Slow);
        }
        self.wake();
    }

    fn end_if_terminal(&mut self) {
        if self.shown.terminal && self.end.is_none() {
            self.close(End::Terminal);
        }
    }

    fn close(&mut self, end: End) {
        self.end = Some(end);
        self.waiting = VecDeque::new();
        self.wake();
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests;
