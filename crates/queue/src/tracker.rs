//! Which offset of a partition may be committed while its messages are finished in any order.
//!
//! ```text
//!   begun:      4  5  7  8  9        offsets have holes where a topic was compacted
//!   finished:   x  x     x           committable: 7, the first that is not finished
//! ```
//!
//! Pure: no clock, no Kafka. Never names an offset behind which something unfinished lies.

use std::{collections::VecDeque, ops::RangeInclusive};

/// The messages of one partition that were begun and lie at or behind the first unfinished one.
#[derive(Debug, Default)]
pub(crate) struct Tracker {
    /// In ascending order; the front is never finished.
    open: VecDeque<Open>,
    /// One past the last that was begun.
    next: Option<i64>,
}

#[derive(Debug)]
struct Open {
    offset: i64,
    finished: bool,
}

impl Tracker {
    /// A message was taken from the partition. False when it, or a later one, had been taken before: it is to be ignored.
    pub(crate) fn begin(&mut self, offset: i64) -> bool {
        if self.next.is_some_and(|next| offset < next) {
            return false;
        }
        self.open.push_back(Open {
            offset,
            finished: false,
        });
        self.next = Some(offset + 1);
        true
    }

    /// All begun messages in that range are finished; those that were are left as they are.
    pub(crate) fn finish(&mut self, offsets: &RangeInclusive<i64>) {
        let first = self
            .open
            .partition_point(|open| open.offset < *offsets.start());
        for open in self.open.range_mut(first..) {
            if open.offset > *offsets.end() {
                break;
            }
            open.finished = true;
        }
        while self.open.front().is_some_and(|open| open.finished) {
            self.open.pop_front();
        }
    }

    /// Where a successor shall go on: the first unfinished message, or behind the last. `None` when none was begun.
    pub(crate) fn committable(&self) -> Option<i64> {
        self.open.front().map(|open| open.offset).or(self.next)
    }

    /// How many messages would come again if this process died now.
    pub(crate) fn span(&self) -> usize {
        self.open.len()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// Remembers everything and looks through all of it.
    #[derive(Default)]
    struct Naive(BTreeMap<i64, bool>);

    impl Naive {
        fn begin(&mut self, offset: i64) -> bool {
            if self.0.keys().any(|known| *known >= offset) {
                return false;
            }
            self.0.insert(offset, false);
            true
        }

        fn finish(&mut self, offsets: &RangeInclusive<i64>) {
            for (offset, finished) in &mut self.0 {
                *finished |= offsets.contains(offset);
            }
        }

        fn committable(&self) -> Option<i64> {
            let unfinished = self.0.iter().find(|(_, finished)| !**finished);
            unfinished
                .map(|(offset, _)| *offset)
                .or_else(|| self.0.keys().last().map(|last| last + 1))
        }

        fn span(&self) -> usize {
            let from = self.committable().unwrap_or_default();
            self.0.range(from..).count()
        }
    }

    #[derive(Debug, Clone)]
    enum Op {
        /// So far behind the last one begun; negative ones were begun before.
        Begin(i64),
        /// From so far before the last one begun, so many.
        Finish(i64, i64),
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            5 => (1_i64..4).prop_map(Op::Begin),
            1 => (-3_i64..1).prop_map(Op::Begin),
            5 => (0_i64..24).prop_map(|back| Op::Finish(back, 1)),
            1 => (0_i64..40, 0_i64..20).prop_map(|(back, count)| Op::Finish(back, count)),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn agrees_with_a_naive_model(first in 0_i64..1000, ops in prop::collection::vec(op(), 0..120)) {
            let (mut tracker, mut naive) = (Tracker::default(), Naive::default());
            let mut last = first;
            let mut committed = None;
            for op in ops {
                match op {
                    Op::Begin(step) => {
                        let offset = last + step;
                        prop_assert_eq!(tracker.begin(offset), naive.begin(offset));
                        last = last.max(offset);
                    }
                    Op::Finish(back, count) => {
                        let offsets = (last - back)..=(last - back + count - 1);
                        tracker.finish(&offsets);
                        naive.finish(&offsets);
                    }
                }
                prop_assert_eq!(tracker.committable(), naive.committable());
                prop_assert_eq!(tracker.span(), naive.span());
                prop_assert!(tracker.committable() >= committed, "a commit never goes back");
                committed = tracker.committable();
            }
        }
    }

    #[test]
    fn holds_the_commit_at_the_first_unfinished() {
        let mut tracker = Tracker::default();
        assert_eq!(tracker.committable(), None);
        for offset in [4, 5, 7, 8] {
            assert!(tracker.begin(offset));
        }
        tracker.finish(&(5..=8));
        assert_eq!(tracker.committable(), Some(4));
        assert_eq!(tracker.span(), 4);
        tracker.finish(&(4..=4));
        assert_eq!(tracker.committable(), Some(9));
        assert_eq!(tracker.span(), 0);
    }

    #[test]
    fn ignores_what_comes_again() {
        let mut tracker = Tracker::default();
        assert!(tracker.begin(4));
        assert!(!tracker.begin(4));
        tracker.finish(&(4..=4));
        assert!(!tracker.begin(4));
        assert_eq!(tracker.committable(), Some(5));
    }
}
