//! Which partitions of the events topic are read here: the home one always, another while a stream lives there and a
//! while longer.
//!
//! The table alone, without clock and Kafka, so that its rule can be read and tested.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// How many streams live in each partition, and since when none does.
#[derive(Debug)]
pub(crate) struct Holds {
    linger: Duration,
    held: HashMap<i32, Hold>,
}

#[derive(Debug)]
struct Hold {
    count: usize,
    free_since: Option<Instant>,
}

impl Holds {
    /// None yet; a partition is kept so long after its last stream.
    pub(crate) fn new(linger: Duration) -> Self {
        Self {
            linger,
            held: HashMap::new(),
        }
    }

    /// One more stream lives there.
    pub(crate) fn hold(&mut self, partition: i32) {
        let hold = self.held.entry(partition).or_insert(Hold {
            count: 0,
            free_since: None,
        });
        hold.count += 1;
        hold.free_since = None;
    }

    /// One stream less.
    pub(crate) fn release(&mut self, partition: i32, now: Instant) {
        if let Some(hold) = self.held.get_mut(&partition) {
            hold.count = hold.count.saturating_sub(1);
            if hold.count == 0 {
                hold.free_since = Some(now);
            }
        }
    }

    /// Whether a stream lives there.
    pub(crate) fn is_held(&self, partition: i32) -> bool {
        self.held.get(&partition).is_some_and(|hold| hold.count > 0)
    }

    /// Those that nobody needed for the whole while, forgotten here with this.
    pub(crate) fn take_lapsed(&mut self, now: Instant) -> Vec<i32> {
        let linger = self.linger;
        let lapsed = |hold: &Hold| hold.free_since.is_some_and(|since| now - since >= linger);
        let partitions: Vec<_> = self
            .held
            .iter()
            .filter(|(_, hold)| lapsed(hold))
            .map(|(&partition, _)| partition)
            .collect();
        self.held.retain(|_, hold| !lapsed(hold));
        partitions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_is_kept_while_held_and_a_while_longer() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut holds = Holds::new(Duration::from_mins(1));
        holds.hold(3);
        holds.hold(3);
        holds.hold(5);
        holds.release(3, at(0));
        holds.release(5, at(10));
        assert_eq!(holds.take_lapsed(at(69)), Vec::<i32>::new());
        assert_eq!(holds.take_lapsed(at(70)), [5]);
        holds.release(3, at(80));
        holds.hold(3);
        assert_eq!(holds.take_lapsed(at(1_000)), Vec::<i32>::new());
        holds.release(3, at(1_000));
        assert_eq!(holds.take_lapsed(at(1_060)), [3]);
        assert_eq!(holds.take_lapsed(at(2_000)), Vec::<i32>::new());
    }
}
