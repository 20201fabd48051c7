//! Whether a job that nothing is heard of is lost, or only waits.
//!
//! A long queue in an exam is not a lost job, nor is one that waits for its delay to pass, nor a review behind others. So two
//! looks at Kafka are compared: when everything that lay in the topics at the earlier look has been processed by the later
//! one, and still nothing was heard, then no copy of the job is left. Pure; Kafka and the clock are asked elsewhere.
//!
//! ```text
//!   silence begins ──── earlier look: ends of the topics ──── later look: committed offsets ≥ those ends ──► lost
//!                            └──────── shorter than the retry delay, retry topic empty at both ────────┘
//! ```
//! A job whose place lies behind the end of its partition was never in this Kafka: that was made anew, or the tables were
//! restored. The retry topic must be empty at both looks, and less than its delay lie between them: then the job cannot have gone there
//! and come back unseen.

use std::{collections::HashMap, time::Duration};

use contract::topic::RETRY_DELAY;

/// Offsets by partition.
pub(crate) type Offsets = HashMap<i32, i64>;

/// How far one group has come with one topic.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The next offset that the group has not finished; partitions that it never finished anything of are absent.
    pub(crate) committed: Offsets,
    /// The next offset that will be written.
    pub(crate) ends: Offsets,
}

impl Progress {
    /// Whether all that lay in this partition at `earlier` is finished.
    fn has_passed(&self, earlier: &Self, partition: i32) -> bool {
        let end = earlier.ends.get(&partition).copied().unwrap_or(0);
        self.committed.get(&partition).copied().unwrap_or(0) >= end
    }

    /// The same of all partitions.
    fn has_passed_all(&self, earlier: &Self) -> bool {
        earlier
            .ends
            .keys()
            .all(|&partition| self.has_passed(earlier, partition))
    }

    fn is_empty(&self) -> bool {
        self.has_passed_all(self)
    }
}

/// One look at the topics that a job goes through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) judging: Progress,
    /// The same of batches.
    pub(crate) bulk: Progress,
    pub(crate) reviews: Progress,
    pub(crate) retries: Progress,
    /// The log writer's: what it has not read was perhaps heard.
    pub(crate) events: Progress,
}

/// A job that nothing was heard of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Silent {
    pub(crate) quiet_for: Duration,
    pub(crate) job_partition: i32,
    pub(crate) job_offset: i64,
    pub(crate) reply_partition: i32,
    /// Its verdict was shown: then it is the review that is missing.
    pub(crate) has_verdict: bool,
    /// It is of a batch, and lies in the topic of those.
    pub(crate) bulk: bool,
}

impl Silent {
    /// How far the judges have come with the topic that it lies in.
    fn jobs<'a>(&self, look: &'a Look) -> &'a Progress {
        if self.bulk { &look.bulk } else { &look.judging }
    }

    /// Whether this Kafka never held it: it was made anew since, or the tables were brought here from elsewhere. Where it was once
    /// stored, the end lies behind it for good.
    fn is_of_another_kafka(&self, look: &Look) -> bool {
        let end = self.jobs(look).ends.get(&self.job_partition).copied();
        end.unwrap_or(0) <= self.job_offset
    }

    /// Whether no copy of it is left, judged by a look that is `age` old and one of now.
    pub(crate) fn is_lost(&self, earlier: &Look, age: Duration, now: &Look) -> bool {
        let committed = self.jobs(now).committed.get(&self.job_partition).copied();
        let is_done_with = committed.is_some_and(|committed| committed > self.job_offset);
        age < RETRY_DELAY
            && self.quiet_for >= age
            && (is_done_with || self.is_of_another_kafka(earlier) && self.is_of_another_kafka(now))
            && self
                .jobs(now)
                .has_passed(self.jobs(earlier), self.job_partition)
            && earlier.retries.is_empty()
            && now.retries.is_empty()
            && now.events.has_passed(&earlier.events, self.reply_partition)
            && (!self.has_verdict || now.reviews.has_passed_all(&earlier.reviews))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGE: Duration = Duration::from_secs(5);

    fn progress(committed: i64, end: i64) -> Progress {
        Progress {
            committed: HashMap::from([(0, committed)]),
            ends: HashMap::from([(0, end)]),
        }
    }

    fn idle() -> Look {
        Look {
            judging: progress(8, 8),
            bulk: progress(0, 9),
            reviews: progress(3, 3),
            retries: progress(0, 0),
            events: progress(90, 90),
        }
    }

    fn silent() -> Silent {
        Silent {
            quiet_for: Duration::from_secs(20),
            job_partition: 0,
            job_offset: 7,
            reply_partition: 0,
            has_verdict: false,
            bulk: false,
        }
    }

    #[test]
    fn what_every_topic_has_passed_is_lost() {
        assert!(silent().is_lost(&idle(), AGE, &idle()));
    }

    #[test]
    fn what_still_waits_in_a_long_queue_is_not() {
        let now = Look {
            judging: progress(7, 900),
            ..idle()
        };
        assert!(!silent().is_lost(&idle(), AGE, &now));
        let busy = Look {
            judging: progress(8, 900),
            ..idle()
        };
        assert!(
            !silent().is_lost(&busy, AGE, &busy),
            "a retried copy may lie further on"
        );
    }

    #[test]
    fn what_is_of_a_batch_is_looked_for_in_its_own_topic() {
        let bulk = Silent {
            bulk: true,
            ..silent()
        };
        assert!(!bulk.is_lost(&idle(), AGE, &idle()));
        let passed = Look {
            bulk: progress(9, 9),
            ..idle()
        };
        assert!(bulk.is_lost(&passed, AGE, &passed));
    }

    #[test]
    fn nothing_is_lost_while_the_group_never_committed() {
        let now = Look {
            judging: Progress {
                committed: HashMap::new(),
                ends: HashMap::from([(0, 8)]),
            },
            ..idle()
        };
        assert!(!silent().is_lost(&now, AGE, &now));
    }

    #[test]
    fn what_a_new_kafka_never_held_is_lost() {
        let new = Look {
            judging: Progress {
                committed: HashMap::new(),
                ends: HashMap::from([(0, 0)]),
            },
            ..Look::default()
        };
        assert!(silent().is_lost(&new, AGE, &new));
        let used = Look {
            judging: progress(7, 7),
            ..idle()
        };
        assert!(silent().is_lost(&used, AGE, &used), "others came since");
        assert!(!silent().is_lost(
            &used,
            AGE,
            &Look {
                judging: progress(7, 9),
                ..idle()
            }
        ));
    }

    #[test]
    fn what_may_wait_for_its_retry_is_not() {
        let busy = Look {
            retries: progress(4, 5),
            ..idle()
        };
        assert!(!silent().is_lost(&busy, AGE, &idle()));
        assert!(!silent().is_lost(&idle(), AGE, &busy));
        assert!(
            !silent().is_lost(&idle(), RETRY_DELAY, &idle()),
            "it may have been there and back"
        );
    }

    #[test]
    fn what_the_log_writer_has_not_read_yet_counts_as_heard() {
        let now = Look {
            events: progress(80, 95),
            ..idle()
        };
        assert!(!silent().is_lost(&idle(), AGE, &now));
    }

    #[test]
    fn what_spoke_after_the_earlier_look_is_not() {
        let spoke = Silent {
            quiet_for: Duration::from_secs(4),
            ..silent()
        };
        assert!(!spoke.is_lost(&idle(), AGE, &idle()));
    }

    #[test]
    fn a_review_behind_others_is_not_lost() {
        let reviewing = Silent {
            has_verdict: true,
            ..silent()
        };
        let busy = Look {
            reviews: progress(2, 3),
            ..idle()
        };
        assert!(!reviewing.is_lost(&idle(), AGE, &busy));
        assert!(reviewing.is_lost(&idle(), AGE, &idle()));
        assert!(
            silent().is_lost(&idle(), AGE, &busy),
            "without a verdict there is no review to wait for"
        );
    }
}
