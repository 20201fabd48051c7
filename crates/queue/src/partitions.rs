//! The partitions that a member of a group owns: each with a queue of its own and the tracker of what was taken from it.
//!
//! A queue is polled only when there is room for what may come out, so nothing is ever paused: the client library stops
//! fetching by itself when a queue is full.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    thread::Thread,
    time::{Duration, Instant},
};

use contract::Topic;
use metrics::counter;
use rdkafka::{
    Message as _, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _, base_consumer::PartitionQueue},
    message::BorrowedMessage,
    topic_partition_list::Offset,
};
use tokio_util::sync::CancellationToken;

use crate::{
    context::MemberContext,
    member::Report,
    message::{Received, receive},
    tracker::Tracker,
};

/// One time of owning a partition. Orders by precedence of the topic, then partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SlotId {
    /// Place of the topic among those subscribed to.
    pub(crate) rank: usize,
    pub(crate) partition: i32,
    /// Tells this time from an earlier one.
    epoch: u64,
}

/// An owned partition.
pub(crate) struct Slot {
    pub(crate) topic: Topic,
    name: String,
    partition: i32,
    queue: PartitionQueue<MemberContext>,
    tracker: Tracker,
    /// What came past the queue, in order; it lies before all that the queue still has.
    strays: VecDeque<Received>,
    /// How many messages were taken and not reported.
    running: usize,
    /// The position that the client was last told.
    stored: Option<i64>,
    /// The first unfinished offset when it was last looked at, and since when it is that.
    head: (Option<i64>, Instant),
    /// Cancelled when it is to be given away: nothing more is fed.
    pub(crate) leaving: CancellationToken,
    /// Cancelled when it was given away: what still runs may be repeated elsewhere at any time.
    pub(crate) gone: CancellationToken,
}

/// All owned partitions.
pub(crate) struct Partitions {
    group: String,
    topics: Vec<(Topic, String)>,
    slots: BTreeMap<SlotId, Slot>,
    epochs: u64,
    abandon: CancellationToken,
    /// Nothing is fed any more, not even from what comes later.
    closed: bool,
}

impl Slot {
    /// The next message that has not been taken, if one is there.
    fn take(&mut self, group: &str) -> Option<Received> {
        let received = match self.strays.pop_front() {
            Some(stray) => stray,
            None => self.poll()?,
        };
        self.running += 1;
        counter!("codementor_kafka_taken_total", "group" => group.to_owned(), "topic" => self.topic.name())
            .increment(1);
        Some(received)
    }

    fn poll(&mut self) -> Option<Received> {
        loop {
            match self.queue.poll(Duration::ZERO)? {
                Ok(message) if self.tracker.begin(message.offset()) => {
                    return Some(receive(self.topic, &message));
                }
                // It came before, as after a fetch was begun anew.
                Ok(message) => {
                    let (topic, partition) = (self.topic.name(), self.partition);
                    tracing::warn!(
                        topic,
                        partition,
                        offset = message.offset(),
                        "a message that came again is ignored"
                    );
                }
                Err(error) => {
                    // The client goes on by itself; what it says is for the log.
                    tracing::warn!(topic = self.name, partition = self.partition, %error, "a partition could not be read");
                    return None;
                }
            }
        }
    }

    pub(crate) fn span(&self) -> usize {
        self.tracker.span()
    }
}

impl Partitions {
    /// None yet. `abandon` ends what works on any of them.
    pub(crate) fn new(
        group: &str,
        topics: Vec<(Topic, String)>,
        abandon: CancellationToken,
    ) -> Self {
        Self {
            group: group.to_owned(),
            topics,
            slots: BTreeMap::new(),
            epochs: 0,
            abandon,
            closed: false,
        }
    }

    /// Takes what was assigned. Must be called before the assignment is answered: then nothing bypasses the queues.
    pub(crate) fn add(
        &mut self,
        consumer: &Arc<BaseConsumer<MemberContext>>,
        assigned: &TopicPartitionList,
        thread: &Thread,
    ) {
        for (name, partition) in places(assigned) {
            let Some(rank) = self.topics.iter().position(|(_, known)| *known == name) else {
                continue;
            };
            let Some(mut queue) = consumer.split_partition_queue(&name, partition) else {
                tracing::error!(topic = name, partition, "a partition has no queue");
                continue;
            };
            let thread = thread.clone();
            queue.set_nonempty_callback(move || thread.unpark());
            self.epochs += 1;
            let id = SlotId {
                rank,
                partition,
                epoch: self.epochs,
            };
            let slot = Slot {
                topic: self.topics[rank].0,
                name,
                partition,
                queue,
                tracker: Tracker::default(),
                strays: VecDeque::new(),
                running: 0,
                stored: None,
                head: (None, Instant::now()),
                leaving: self.abandon.child_token(),
                gone: self.abandon.child_token(),
            };
            if self.closed {
                slot.leaving.cancel();
            }
            self.slots.insert(id, slot);
        }
    }

    /// Keeps a message that came past its partition's queue until there is room for it.
    pub(crate) fn stray(&mut self, message: &BorrowedMessage<'_>) {
        let found = self.find(message.topic(), message.partition());
        if let Some(slot) = found.and_then(|id| self.slots.get_mut(&id))
            && slot.tracker.begin(message.offset())
        {
            slot.strays.push_back(receive(slot.topic, message));
        }
    }

    fn find(&self, name: &str, partition: i32) -> Option<SlotId> {
        let found = self
            .slots
            .iter()
            .find(|(_, slot)| slot.partition == partition && slot.name == name);
        found.map(|(id, _)| *id)
    }

    /// Those of a list that are owned.
    pub(crate) fn among(&self, list: &TopicPartitionList) -> Vec<SlotId> {
        places(list)
            .iter()
            .filter_map(|(name, partition)| self.find(name, *partition))
            .collect()
    }

    /// All that may be fed, in order of precedence.
    pub(crate) fn open(&self) -> impl Iterator<Item = SlotId> {
        self.slots
            .iter()
            .filter(|(_, slot)| !slot.leaving.is_cancelled())
            .map(|(id, _)| *id)
    }

    pub(crate) fn get(&self, id: SlotId) -> Option<&Slot> {
        self.slots.get(&id)
    }

    /// The next message of a partition, if it is owned and one is there.
    pub(crate) fn take(&mut self, id: SlotId) -> Option<Received> {
        self.slots.get_mut(&id)?.take(&self.group)
    }

    /// Notes a report; nothing happens when the partition has been given away since.
    pub(crate) fn note(&mut self, report: &Report) {
        if let Some(slot) = self.slots.get_mut(&report.id) {
            slot.running -= report.count;
            if let Some(offsets) = &report.done {
                slot.tracker.finish(offsets);
            }
        }
    }

    /// Nothing more is fed from these.
    pub(crate) fn begin_leaving(&self, ids: &[SlotId]) {
        for slot in ids.iter().filter_map(|id| self.slots.get(id)) {
            slot.leaving.cancel();
        }
    }

    /// Nothing more is fed from any, now or later.
    pub(crate) fn close(&mut self) {
        self.closed = true;
        for slot in self.slots.values() {
            slot.leaving.cancel();
        }
    }

    /// Whether nothing of these runs.
    pub(crate) fn are_idle(&self, ids: &[SlotId]) -> bool {
        ids.iter()
            .filter_map(|id| self.slots.get(id))
            .all(|slot| slot.running == 0)
    }

    /// They are ours no more.
    pub(crate) fn remove(&mut self, ids: &[SlotId]) {
        for id in ids {
            if let Some(slot) = self.slots.remove(id) {
                slot.gone.cancel();
            }
        }
    }

    pub(crate) fn remove_all(&mut self) {
        for (_, slot) in std::mem::take(&mut self.slots) {
            slot.gone.cancel();
        }
    }

    /// Tells the client which positions to commit, where they moved.
    pub(crate) fn store_positions(&mut self, consumer: &BaseConsumer<MemberContext>) {
        let mut list = TopicPartitionList::new();
        for slot in self.slots.values_mut() {
            let position = slot.tracker.committable();
            if position != slot.stored
                && let Some(position) = position
                && list
                    .add_partition_offset(&slot.name, slot.partition, Offset::Offset(position))
                    .is_ok()
            {
                slot.stored = Some(position);
            }
        }
        if list.count() > 0
            && let Err(error) = consumer.store_offsets(&list)
        {
            // Some are not ours any more: whoever owns them now begins where we last could say.
            tracing::debug!(group = self.group, %error, "a position could not be stored");
        }
    }

    /// How long the oldest unfinished message has been the oldest: what holds up the commits of its partition.
    pub(crate) fn oldest(&mut self) -> Duration {
        let now = Instant::now();
        let ages = self.slots.values_mut().map(|slot| {
            let head = (slot.span() > 0)
                .then(|| slot.tracker.committable())
                .flatten();
            if head.is_none() || head != slot.head.0 {
                slot.head = (head, now);
            }
            now - slot.head.1
        });
        ages.max().unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }
}

/// The elements of a list. An empty one may have no memory at all, which the binding does not check.
fn places(list: &TopicPartitionList) -> Vec<(String, i32)> {
    if list.count() == 0 {
        return Vec::new();
    }
    list.elements()
        .iter()
        .map(|element| (element.topic().to_owned(), element.partition()))
        .collect()
}
