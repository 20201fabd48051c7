//! Figures of a load: how long things took, and what our own processes used meanwhile.

use std::{fmt, fs, time::Duration};

/// Durations, of which medians and tails are asked.
#[derive(Debug, Default)]
pub(crate) struct Durations(Vec<Duration>);

impl Durations {
    /// Takes one more.
    pub(crate) fn push(&mut self, duration: Duration) {
        self.0.push(duration);
    }

    /// The value that a share of all do not exceed; zero where there is none.
    pub(crate) fn quantile(&mut self, share: f64) -> Duration {
        self.0.sort_unstable();
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a place in a list of thousands"
        )]
        let place = ((self.0.len() as f64 * share).ceil() as usize).saturating_sub(1);
        self.0.get(place).copied().unwrap_or_default()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// A duration as milliseconds for a table.
pub(crate) struct Milliseconds(pub(crate) Duration);

impl fmt::Display for Milliseconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} ms", self.0.as_secs_f64() * 1_000.0)
    }
}

/// Resident memory of a process and its descendants, in kibibytes.
pub(crate) fn resident_kib(root: u32) -> u64 {
    processes_below(root).into_iter().filter_map(resident).sum()
}

fn resident(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// A process and all that it started, as far as they still are below it and are ours: servers are not.
fn processes_below(root: u32) -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return vec![];
    };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let parents: Vec<(u32, u32)> = pids.filter_map(|pid| Some((pid, parent(pid)?))).collect();
    let mut found = vec![root];
    let mut next = 0;
    while let Some(&pid) = found.get(next) {
        next += 1;
        let children = parents.iter().filter(|(_, parent)| *parent == pid);
        found.extend(
            children
                .map(|(child, _)| *child)
                .filter(|child| is_ours(*child)),
        );
    }
    found
}

fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(1)?.parse().ok()
}

fn is_ours(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/comm"))
        .is_ok_and(|name| !["java", "postgres"].contains(&name.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_the_values_given() {
        let mut durations = Durations::default();
        assert_eq!(durations.quantile(0.5), Duration::ZERO);
        (1..=100)
            .rev()
            .for_each(|n| durations.push(Duration::from_millis(n)));
        assert_eq!(durations.quantile(0.5), Duration::from_millis(50));
        assert_eq!(durations.quantile(0.99), Duration::from_millis(99));
        assert_eq!(durations.quantile(1.0), Duration::from_millis(100));
    }

    #[test]
    fn counts_its_own_memory() {
        assert!(resident_kib(std::process::id()) > 1_000);
    }
}
