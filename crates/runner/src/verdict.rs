//! From what a run used to what it deserves: limits in force, verdict, limit hit.
//!
//! Pure rules. Memory is exceeded only when the kernel says that it killed for it; time is exceeded also by a program
//! that ended well a moment too late.

use std::time::Duration;

use contract::manifest::Limits;
use contract::verdict::{LimitHit, LimitKind, Verdict};
use sandbox::{Outcome, Status};

use crate::language::Spec;
use crate::signal;

/// A program that misses its time by less than this share is run once more, alone: on a busy machine it may have been
/// the neighbour's fault.
const NEAR: f64 = 0.05;
/// Scratch space of a run; the sandbox gives no more.
const FILE_BYTES: u64 = 64 << 20;
/// Standard error kept, for samples and runs.
const STDERR_BYTES: u64 = 64 << 10;

/// The limits in force for one run of one program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowance {
    /// Processor time.
    pub(crate) cpu: Duration,
    /// Time on the clock.
    pub(crate) wall: Duration,
    /// Memory, what the language's own machine needs included.
    pub(crate) memory_kib: u64,
    /// Standard output.
    pub(crate) output_kib: u64,
    /// Processes and threads.
    pub(crate) processes: u32,
}

impl Allowance {
    /// What a program of this language may use where the question says `limits`.
    pub(crate) fn new(limits: &Limits, time_factor: f64, spec: &Spec) -> Self {
        let cpu = Duration::from_millis(limits.time_ms.into()).mul_f64(time_factor);
        Self {
            cpu,
            wall: (cpu * 2).max(cpu + Duration::from_secs(1)),
            memory_kib: u64::from(limits.memory_kib) + u64::from(spec.own_memory_kib),
            output_kib: limits.output_kib.into(),
            processes: spec.processes,
        }
    }

    /// How large its stack may grow. Endless recursion should crash before it eats all memory: that is what it is.
    pub(crate) fn stack_bytes(&self) -> u64 {
        (self.memory_kib << 10) / 8 * 7
    }

    /// The same for the sandbox. A program is let run a little over its time, so that one that was just late can be
    /// told from one that never ends.
    pub(crate) fn for_sandbox(&self) -> sandbox::Limits {
        let memory_bytes = self.memory_kib << 10;
        sandbox::Limits {
            cpu: self.cpu.mul_f64(1.0 + NEAR),
            wall: self.wall,
            memory_bytes,
            processes: self.processes,
            output_bytes: self.output_kib << 10,
            stderr_bytes: STDERR_BYTES,
            file_bytes: FILE_BYTES,
            stack_bytes: Some(self.stack_bytes()),
            collect_bytes: 0,
        }
    }

    /// Whether a run missed its time so narrowly, or got so little of the processor, that it deserves another try.
    pub(crate) fn is_near_miss(&self, outcome: &Outcome) -> bool {
        match outcome.status {
            Status::Exited(_) | Status::Signaled(_) => outcome.cpu > self.cpu,
            Status::LimitHit(sandbox::LimitKind::Wall) => outcome.cpu > self.cpu / 2,
            Status::LimitHit(_) => false,
        }
    }
}

/// How a run ended, in the words of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ending {
    /// `None` where the answer decides.
    pub(crate) verdict: Option<Verdict>,
    /// The limit that ended it.
    pub(crate) limit: Option<LimitHit>,
    /// The code that it ended with.
    pub(crate) exit_code: Option<i32>,
    /// The signal that ended it, by name.
    pub(crate) signal: Option<String>,
}

impl Ending {
    /// Judges a run by all but its answer.
    pub(crate) fn of(outcome: &Outcome, allowance: &Allowance) -> Self {
        let (exit_code, signal) = match outcome.status {
            Status::Exited(code) => (Some(code), None),
            Status::Signaled(number) => (None, Some(signal::name(number))),
            Status::LimitHit(_) => (None, None),
        };
        let limit = limit_hit(outcome, allowance);
        let verdict = match limit.as_ref().map(|limit| limit.kind) {
            Some(LimitKind::Cpu | LimitKind::Wall) => Some(Verdict::TimeLimit),
            Some(LimitKind::Memory) => Some(Verdict::MemoryLimit),
            Some(LimitKind::Output | LimitKind::FileSize) => Some(Verdict::OutputLimit),
            None if exit_code == Some(0) => None,
            Some(LimitKind::Processes) | None => Some(Verdict::RuntimeError),
        };
        Self {
            verdict,
            limit,
            exit_code,
            signal,
        }
    }
}

fn limit_hit(outcome: &Outcome, allowance: &Allowance) -> Option<LimitHit> {
    let (kind, value, measured) = match outcome.status {
        Status::LimitHit(sandbox::LimitKind::Memory) => (
            LimitKind::Memory,
            allowance.memory_kib,
            Some(kib(outcome.memory_bytes)),
        ),
        Status::LimitHit(sandbox::LimitKind::Output) => {
            (LimitKind::Output, allowance.output_kib, None)
        }
        Status::LimitHit(sandbox::LimitKind::FileSize) => {
            (LimitKind::FileSize, FILE_BYTES >> 10, None)
        }
        Status::LimitHit(sandbox::LimitKind::Processes) => {
            (LimitKind::Processes, allowance.processes.into(), None)
        }
        Status::LimitHit(sandbox::LimitKind::Wall) => (
            LimitKind::Wall,
            millis(allowance.wall),
            Some(millis(outcome.wall)),
        ),
        _ if outcome.cpu > allowance.cpu => (
            LimitKind::Cpu,
            millis(allowance.cpu),
            Some(millis(outcome.cpu)),
        ),
        Status::LimitHit(sandbox::LimitKind::Cpu) => (
            LimitKind::Cpu,
            millis(allowance.cpu),
            Some(millis(outcome.cpu)),
        ),
        Status::Exited(_) | Status::Signaled(_) => return None,
    };
    Some(LimitHit {
        kind,
        value,
        measured,
    })
}

/// Whole milliseconds.
pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Whole kibibytes.
pub(crate) fn kib(bytes: u64) -> u64 {
    bytes >> 10
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::spec;
    use contract::Language;

    fn allowance(time_factor: f64) -> Allowance {
        let limits = Limits {
            time_ms: 1000,
            memory_kib: 1024,
            output_kib: 1,
        };
        Allowance::new(
            &limits,
            time_factor,
            spec(Language::C).expect("C is in the table"),
        )
    }

    fn outcome(status: Status, cpu_ms: u64) -> Outcome {
        Outcome {
            status,
            cpu: Duration::from_millis(cpu_ms),
            wall: Duration::from_millis(cpu_ms + 5),
            memory_bytes: 2 << 20,
            stdout: Vec::new(),
            stderr: Vec::new(),
            stderr_truncated: false,
            results: Vec::new(),
            files: Vec::new(),
        }
    }

    #[test]
    fn the_clock_gets_twice_the_time_and_at_least_a_second_more() {
        assert_eq!(allowance(0.5).wall, Duration::from_millis(1500));
        assert_eq!(allowance(3.0).wall, Duration::from_secs(6));
    }

    #[test]
    fn every_end_has_its_verdict_and_limit() {
        use LimitKind as Kind;
        use sandbox::LimitKind as Hit;
        let cases = [
            (Status::Exited(0), 10, None, None),
            (Status::Exited(3), 10, Some(Verdict::RuntimeError), None),
            (Status::Signaled(11), 10, Some(Verdict::RuntimeError), None),
            (
                Status::Exited(0),
                1001,
                Some(Verdict::TimeLimit),
                Some((Kind::Cpu, 1000, Some(1001))),
            ),
            (
                Status::LimitHit(Hit::Cpu),
                1052,
                Some(Verdict::TimeLimit),
                Some((Kind::Cpu, 1000, Some(1052))),
            ),
            (
                Status::LimitHit(Hit::Wall),
                10,
                Some(Verdict::TimeLimit),
                Some((Kind::Wall, 2000, Some(15))),
            ),
            (
                Status::LimitHit(Hit::Memory),
                10,
                Some(Verdict::MemoryLimit),
                Some((Kind::Memory, 1024, Some(2048))),
            ),
            (
                Status::LimitHit(Hit::Output),
                10,
                Some(Verdict::OutputLimit),
                Some((Kind::Output, 1, None)),
            ),
            (
                Status::LimitHit(Hit::FileSize),
                10,
                Some(Verdict::OutputLimit),
                Some((Kind::FileSize, 65_536, None)),
            ),
            (
                Status::LimitHit(Hit::Processes),
                10,
                Some(Verdict::RuntimeError),
                Some((Kind::Processes, 16, None)),
            ),
        ];
        for (status, cpu, verdict, limit) in cases {
            let ending = Ending::of(&outcome(status, cpu), &allowance(1.0));
            assert_eq!(ending.verdict, verdict, "{status:?}");
            let told = ending.limit.map(|hit| (hit.kind, hit.value, hit.measured));
            assert_eq!(told, limit, "{status:?}");
        }
    }

    #[test]
    fn a_near_miss_is_late_but_ended_or_was_starved() {
        let allowance = allowance(1.0);
        let near = |status, cpu| allowance.is_near_miss(&outcome(status, cpu));
        assert!(near(Status::Exited(0), 1030));
        assert!(!near(Status::Exited(0), 990));
        assert!(!near(Status::LimitHit(sandbox::LimitKind::Cpu), 1051));
        assert!(near(Status::LimitHit(sandbox::LimitKind::Wall), 900));
        assert!(!near(Status::LimitHit(sandbox::LimitKind::Wall), 20));
    }
}
