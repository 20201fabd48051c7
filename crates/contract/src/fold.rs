//! The one fold: which event of a submission may be shown, and when something is missing.
//!
//! Log writer, hub, page and checkers all use it, over the order of the submission's reply partition. Deliveries may be
//! doubled, workers may be superseded in the middle, readers may begin anywhere: what is shown is the same everywhere.
//! Pure; it never looks at a clock.
//!
//! ```text
//!            shown ──seq+1──► Show                    attempt above, first event:
//!   last ──┬ at or below ───► Drop                      follows nothing   ► Show (voids the lower attempts), unless a
//!          ├ same attempt, further on ► Gap                                 verdict was shown: then Drop
//!          └ lower attempt ─► Drop                      follows a key     ► Show if that key was shown, else Gap
//!                                                     attempt above, later event ► Gap
//! ```

use serde::{Deserialize, Serialize};

use crate::event::{EventBody, EventKey, StreamEvent};

/// What a reader of one judgement has shown so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Shown {
    /// The last event shown.
    pub last: Option<EventKey>,
    /// The verdict shown.
    pub verdict: Option<EventKey>,
    /// Whether the terminal event was shown.
    pub terminal: bool,
}

/// What to do with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// It is next: show it.
    Show,
    /// It was shown, or is void: say nothing.
    Drop,
    /// Something before it has not been seen: read the log, then offer it again.
    Gap,
}

impl Shown {
    /// Decides about `event` and, when it is to be shown, remembers it.
    pub fn step(&mut self, event: &StreamEvent) -> Step {
        let step = self.decide(event.key, event.follows, &event.body);
        if step == Step::Show {
            self.last = Some(event.key);
            if matches!(event.body, EventBody::Verdict(_)) {
                self.verdict = Some(event.key);
            }
            self.terminal = event.body.is_terminal();
        }
        step
    }

    fn decide(&self, key: EventKey, follows: Option<EventKey>, body: &EventBody) -> Step {
        let Some(last) = self.last else {
            // Only the receipt, or the first attempt of a rejudge, begins a stream; everything else has a past.
            let begins = matches!(body, EventBody::Accepted(_))
                || (key.judgement > 1 && key.seq == 1 && follows.is_none());
            return if begins { Step::Show } else { Step::Gap };
        };
        if self.terminal || key.judgement != last.judgement || key <= last {
            return Step::Drop;
        }
        if key.attempt == last.attempt {
            return if key.seq == last.seq + 1 {
                Step::Show
            } else {
                Step::Gap
            };
        }
        if key.seq != 1 {
            return Step::Gap;
        }
        match follows {
            None if self.verdict.is_some() => Step::Drop,
            None => Step::Show,
            Some(before) if self.verdict == Some(before) => Step::Show,
            // Another verdict was shown than the one that this attempt follows: it can never be shown.
            Some(_) if self.verdict.is_some() => Step::Drop,
            Some(_) => Step::Gap,
        }
    }
}
