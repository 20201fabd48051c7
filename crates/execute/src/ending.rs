//! How execute ends what no worker ends: after the deadline, after the last try, or at its owner's wish.
//!
//! Before a verdict that is `failed`; after one only `done` may end it, with the review skipped. The events stand in the
//! attempt that only execute writes, and go through the reply partition like any other: the fold there decides, so that a
//! verdict that was faster wins, everywhere alike. Pure.

use contract::{
    EventBody, EventKey, LAST_ATTEMPT, Locale, Shown, StreamEvent, SubmissionId,
    event::{Done, Failed, ReviewSkipped},
};

/// Why execute ends something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Ending {
    /// Its owner wished so.
    Cancelled,
    /// It was not done in time.
    Deadline,
    /// It was lost once too often.
    Retries,
}

impl Ending {
    /// The word in JSON and SQL.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled",
            Self::Deadline => "deadline",
            Self::Retries => "retries",
        }
    }

    /// The ending of that word.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        [Self::Cancelled, Self::Deadline, Self::Retries]
            .into_iter()
            .find(|ending| ending.as_str() == word)
    }

    /// Whether the operator should hear of it.
    pub(crate) fn is_ours(self) -> bool {
        self != Self::Cancelled
    }

    fn message(self, locale: Locale) -> &'static str {
        match (self, locale) {
            (Self::Cancelled, Locale::En) => "You cancelled it before it was judged.",
            (Self::Cancelled, Locale::Ko) => "채점 전에 제출을 취소했습니다.",
            (Self::Deadline, Locale::En) => {
                "It could not be judged in time. This is not your code's fault: submit it again."
            }
            (Self::Deadline, Locale::Ko) => {
                "제한 시간 안에 채점하지 못했습니다. 코드의 문제가 아니니 다시 제출해 주세요."
            }
            (Self::Retries, Locale::En) => {
                "Judging failed several times. This is not your code's fault: submit it again later."
            }
            (Self::Retries, Locale::Ko) => {
                "채점이 여러 번 실패했습니다. 코드의 문제가 아니니 잠시 후 다시 제출해 주세요."
            }
        }
    }

    /// The events that end a judgement of which `shown` was shown.
    ///
    /// They hold only while no other verdict is shown: whoever sends them looks again later.
    pub(crate) fn events(
        self,
        submission: SubmissionId,
        judgement: u32,
        shown: &Shown,
        locale: Locale,
    ) -> Vec<StreamEvent> {
        let event = |seq, follows, body| StreamEvent {
            submission,
            key: EventKey {
                judgement,
                attempt: LAST_ATTEMPT,
                seq,
            },
            follows,
            body,
        };
        let reason = self.as_str().to_owned();
        if shown.verdict.is_none() {
            let failed = Failed {
                reason,
                message: self.message(locale).to_owned(),
                retryable: self.is_ours(),
            };
            return vec![event(1, None, EventBody::Failed(failed))];
        }
        let skipped = EventBody::ReviewSkipped(ReviewSkipped { reason });
        vec![
            event(1, shown.verdict, skipped),
            event(2, None, EventBody::Done(Done {})),
        ]
    }
}

#[cfg(test)]
mod tests {
    use contract::Step;

    use super::*;

    fn key(attempt: u32, seq: u32) -> EventKey {
        EventKey {
            judgement: 1,
            attempt,
            seq,
        }
    }

    /// What the fold makes of the events, one after the other.
    fn steps(shown: &mut Shown, events: &[StreamEvent]) -> Vec<Step> {
        events.iter().map(|event| shown.step(event)).collect()
    }

    #[test]
    fn fails_what_has_no_verdict() {
        let mut shown = Shown {
            last: Some(key(3, 5)),
            ..Shown::default()
        };
        let events = Ending::Deadline.events(SubmissionId::new(), 1, &shown, Locale::En);
        assert_eq!(steps(&mut shown, &events), [Step::Show]);
        assert!(shown.terminal);
        assert_eq!(
            steps(&mut shown, &events),
            [Step::Drop],
            "a double changes nothing"
        );
    }

    #[test]
    fn skips_the_review_of_what_has_a_verdict() {
        let mut shown = Shown {
            last: Some(key(4, 2)),
            verdict: Some(key(3, 9)),
            terminal: false,
        };
        let events = Ending::Cancelled.events(SubmissionId::new(), 1, &shown, Locale::Ko);
        assert_eq!(steps(&mut shown, &events), [Step::Show, Step::Show]);
        assert!(shown.terminal);
    }

    #[test]
    fn loses_against_a_verdict_that_was_faster_and_then_ends_it_all_the_same() {
        let before = Shown {
            last: Some(key(1, 2)),
            ..Shown::default()
        };
        let failed = Ending::Deadline.events(SubmissionId::new(), 1, &before, Locale::En);
        let mut shown = Shown {
            last: Some(key(1, 3)),
            verdict: Some(key(1, 3)),
            terminal: false,
        };
        assert_eq!(steps(&mut shown, &failed), [Step::Drop]);
        let again = Ending::Deadline.events(SubmissionId::new(), 1, &shown, Locale::En);
        assert_eq!(steps(&mut shown, &again), [Step::Show, Step::Show]);
    }
}
