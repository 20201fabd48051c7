//! From what is known of an ended run to the word for it. Pure.

use std::time::Duration;

use crate::program::{LimitKind, Limits, Status};

/// What is known when a run has ended.
pub(super) struct Facts {
    pub(super) ended: Status,
    pub(super) killed_for: Option<LimitKind>,
    pub(super) cpu: Duration,
    pub(super) wall: Duration,
    pub(super) memory_kills: u64,
    pub(super) refused: u64,
    pub(super) too_large: bool,
}

impl Facts {
    /// The first limit that explains the end; else how the program ended by itself.
    pub(super) fn judge(&self, limits: &Limits) -> Status {
        let failed = self.ended != Status::Exited(0);
        // A full group makes everything after it slow or strange, so it comes first.
        if self.memory_kills > 0 {
            return Status::LimitHit(LimitKind::Memory);
        }
        if let Some(reason) = self.killed_for {
            return Status::LimitHit(reason);
        }
        if self.cpu > limits.cpu || self.ended == Status::Signaled(libc::SIGXCPU) {
            return Status::LimitHit(LimitKind::Cpu);
        }
        if self.wall > limits.wall {
            return Status::LimitHit(LimitKind::Wall);
        }
        if self.ended == Status::Signaled(libc::SIGXFSZ) || self.too_large {
            return Status::LimitHit(LimitKind::FileSize);
        }
        if failed && self.refused > 0 {
            return Status::LimitHit(LimitKind::Processes);
        }
        self.ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        cpu: Duration::from_secs(1),
        wall: Duration::from_secs(2),
        memory_bytes: 1 << 20,
        processes: 1,
        output_bytes: 1,
        stderr_bytes: 1,
        file_bytes: 1,
        stack_bytes: None,
        collect_bytes: 1,
    };

    fn facts(ended: Status) -> Facts {
        Facts {
            ended,
            killed_for: None,
            cpu: Duration::ZERO,
            wall: Duration::ZERO,
            memory_kills: 0,
            refused: 0,
            too_large: false,
        }
    }

    #[test]
    fn an_end_within_the_limits_is_the_programs_own() {
        for ended in [
            Status::Exited(0),
            Status::Exited(9),
            Status::Signaled(9),
            Status::Signaled(11),
        ] {
            assert_eq!(facts(ended).judge(&LIMITS), ended);
        }
    }

    #[test]
    fn a_memory_kill_explains_everything_else() {
        let starved = Facts {
            memory_kills: 1,
            killed_for: Some(LimitKind::Wall),
            cpu: LIMITS.cpu * 2,
            ..facts(Status::Exited(0))
        };
        assert_eq!(starved.judge(&LIMITS), Status::LimitHit(LimitKind::Memory));
    }

    #[test]
    fn the_limit_it_was_killed_for_comes_before_those_found_later() {
        let cut = Facts {
            killed_for: Some(LimitKind::Output),
            cpu: LIMITS.cpu * 2,
            ..facts(Status::Signaled(9))
        };
        assert_eq!(cut.judge(&LIMITS), Status::LimitHit(LimitKind::Output));
    }

    #[test]
    fn time_counts_strictly_above_the_limit() {
        assert_eq!(
            Facts {
                cpu: LIMITS.cpu,
                wall: LIMITS.wall,
                ..facts(Status::Exited(0))
            }
            .judge(&LIMITS),
            Status::Exited(0)
        );
        let late = Facts {
            cpu: LIMITS.cpu + Duration::from_micros(1),
            ..facts(Status::Exited(0))
        };
        assert_eq!(late.judge(&LIMITS), Status::LimitHit(LimitKind::Cpu));
        let slow = Facts {
            wall: LIMITS.wall + Duration::from_micros(1),
            ..facts(Status::Exited(0))
        };
        assert_eq!(slow.judge(&LIMITS), Status::LimitHit(LimitKind::Wall));
    }

    #[test]
    fn signals_of_limits_are_named_by_the_limit() {
        assert_eq!(
            facts(Status::Signaled(libc::SIGXCPU)).judge(&LIMITS),
            Status::LimitHit(LimitKind::Cpu)
        );
        assert_eq!(
            facts(Status::Signaled(libc::SIGXFSZ)).judge(&LIMITS),
            Status::LimitHit(LimitKind::FileSize)
        );
    }

    #[test]
    fn a_refused_process_matters_only_to_a_program_that_failed() {
        assert_eq!(
            Facts {
                refused: 1,
                ..facts(Status::Exited(0))
            }
            .judge(&LIMITS),
            Status::Exited(0)
        );
        assert_eq!(
            Facts {
                refused: 1,
                ..facts(Status::Exited(1))
            }
            .judge(&LIMITS),
            Status::LimitHit(LimitKind::Processes)
        );
    }
}
