//! The partitions of the events topic that are read here.
//!
//! Assigning and releasing one partition take turns, so that a stream which comes while its partition is being given up
//! gets it again.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use queue::{PartitionReader, QueueError};
use sha2::{Digest, Sha256};

use super::holds::Holds;

/// How long a partition is read after its last stream has ended.
const LINGER: Duration = Duration::from_mins(1);

/// Which partitions are read, and for how many streams. Cheap to clone.
#[derive(Clone)]
pub(super) struct Partitions {
    home: i32,
    reader: Arc<PartitionReader>,
    table: Arc<Mutex<Table>>,
}

struct Table {
    holds: Holds,
    /// Locked while a partition is taken or given up.
    turns: HashMap<i32, Arc<tokio::sync::Mutex<()>>>,
}

impl Partitions {
    /// None yet but the home one, which is held for ever.
    pub(super) fn new(home: i32, reader: PartitionReader) -> Self {
        let mut holds = Holds::new(LINGER);
        holds.hold(home);
        Self {
            home,
            reader: Arc::new(reader),
            table: Arc::new(Mutex::new(Table {
                holds,
                turns: HashMap::new(),
            })),
        }
    }

    /// The partition that is always read.
    pub(super) fn home(&self) -> i32 {
        self.home
    }

    /// One more stream lives there.
    pub(super) fn hold(&self, partition: i32) {
        self.table().holds.hold(partition);
    }

    /// One stream less.
    pub(super) fn release(&self, partition: i32) {
        self.table().holds.release(partition, Instant::now());
    }

    /// Returns when every event that is written to a held partition from now on will come.
    pub(super) async fn ensure(&self, partition: i32) -> Result<(), QueueError> {
        let turn = self.turn(partition);
        let _mine = turn.lock().await;
        self.reader.assign(partition).await.map(drop)
    }

    /// Gives up those that no stream needed for a while.
    pub(super) async fn release_lapsed(&self) {
        let lapsed = self.table().holds.take_lapsed(Instant::now());
        for partition in lapsed {
            let turn = self.turn(partition);
            let _mine = turn.lock().await;
            // A stream may have come while we waited for our turn.
            if self.table().holds.is_held(partition) {
                continue;
            }
            match self.reader.release(partition).await {
                Ok(()) => tracing::debug!(partition, "partition {partition} is read no more"),
                Err(error) => {
                    tracing::warn!(partition, %error, "partition {partition} cannot be given up");
                }
            }
        }
    }

    fn turn(&self, partition: i32) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(self.table().turns.entry(partition).or_default())
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The home partition of a replica: the same for the same name, spread over all.
pub(super) fn home_of(instance: &str, partitions: usize) -> i32 {
    let [a, b, c, d, ..] = <[u8; 32]>::from(Sha256::digest(instance));
    let partitions = u32::try_from(partitions).unwrap_or_default().max(1);
    let partition = u32::from_be_bytes([a, b, c, d]) % partitions;
    i32::try_from(partition).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_has_a_home_and_keeps_it() {
        assert_eq!(home_of("gateway-0", 16), home_of("gateway-0", 16));
        let homes: std::collections::BTreeSet<_> = (0..200)
            .map(|n| home_of(&format!("gateway-{n}"), 16))
            .collect();
        assert_eq!(
            homes.into_iter().collect::<Vec<_>>(),
            (0..16).collect::<Vec<_>>()
        );
        assert_eq!(home_of("x", 0), 0);
    }
}
