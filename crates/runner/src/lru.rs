//! What was used last stays: the order and the bounds of a cache, for programs and for blobs alike.
//!
//! Values are kept by key; once one has a weight it counts, and the least recently used ones go when there are too many
//! or too heavy ones. Pure: no locks, no clock, no files.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

/// A bounded map.
#[derive(Debug)]
pub(crate) struct Lru<K, V> {
    entries: HashMap<K, Entry<V>>,
    /// Keys of what has a weight, by last use.
    order: BTreeMap<u64, K>,
    now: u64,
    weight: u64,
    max_count: usize,
    max_weight: u64,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    used: u64,
    weight: Option<u64>,
}

impl<K: Clone + Eq + Hash, V: Clone + Default> Lru<K, V> {
    /// An empty one.
    pub(crate) fn new(max_count: usize, max_weight: u64) -> Self {
        Self {
            entries: HashMap::new(),
            order: BTreeMap::new(),
            now: 0,
            weight: 0,
            max_count,
            max_weight,
        }
    }

    /// The value of this key, a new one where there is none. It is now the one used last.
    pub(crate) fn touch(&mut self, key: &K) -> V {
        self.now += 1;
        let entry = self.entries.entry(key.clone()).or_insert_with(|| Entry {
            value: V::default(),
            used: 0,
            weight: None,
        });
        if entry.weight.is_some() {
            self.order.remove(&entry.used);
            self.order.insert(self.now, key.clone());
        }
        entry.used = self.now;
        entry.value.clone()
    }

    /// Says what a value weighs, and returns the keys that had to go for it.
    pub(crate) fn weigh(&mut self, key: &K, weight: u64) -> Vec<K> {
        let Some(entry) = self.entries.get_mut(key) else {
            return Vec::new();
        };
        self.weight = self.weight - entry.weight.unwrap_or(0) + weight;
        entry.weight = Some(weight);
        self.order.insert(entry.used, key.clone());
        let mut gone = Vec::new();
        while self.order.len() > self.max_count || self.weight > self.max_weight {
            let Some((_, key)) = self.order.pop_first() else {
                break;
            };
            let weight = self.entries.remove(&key).and_then(|entry| entry.weight);
            self.weight -= weight.unwrap_or(0);
            gone.push(key);
        }
        gone
    }

    /// Forgets a key.
    pub(crate) fn remove(&mut self, key: &K) {
        if let Some(entry) = self.entries.remove(key) {
            self.weight -= entry.weight.unwrap_or(0);
            if entry.weight.is_some() {
                self.order.remove(&entry.used);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_least_recently_used_goes_first() {
        let mut lru: Lru<&str, ()> = Lru::new(2, 100);
        for key in ["a", "b"] {
            lru.touch(&key);
            assert!(lru.weigh(&key, 1).is_empty());
        }
        lru.touch(&"a");
        lru.touch(&"c");
        assert_eq!(lru.weigh(&"c", 1), ["b"]);
    }

    #[test]
    fn what_is_too_heavy_for_all_room_goes_itself() {
        let mut lru: Lru<u8, ()> = Lru::new(10, 5);
        lru.touch(&1);
        lru.weigh(&1, 2);
        lru.touch(&2);
        assert_eq!(lru.weigh(&2, 6), [1, 2]);
    }

    #[test]
    fn what_has_no_weight_yet_stays() {
        let mut lru: Lru<u8, u32> = Lru::new(1, 5);
        lru.touch(&1);
        lru.touch(&2);
        lru.weigh(&2, 1);
        lru.touch(&3);
        assert_eq!(lru.weigh(&3, 1), [2]);
        lru.remove(&1);
        lru.touch(&1);
        assert_eq!(lru.weigh(&1, 1), [3]);
    }

    proptest! {
        #[test]
        fn agrees_with_a_list(steps in prop::collection::vec((0u8..6, 0u64..4), 0..60)) {
            let (count, weight) = (3, 6);
            let mut lru: Lru<u8, ()> = Lru::new(count, weight);
            let mut list: Vec<(u8, u64)> = Vec::new();
            for (key, heavy) in steps {
                lru.touch(&key);
                let gone = lru.weigh(&key, heavy);
                list.retain(|(other, _)| *other != key);
                list.push((key, heavy));
                let mut expected = Vec::new();
                while list.len() > count || list.iter().map(|(_, heavy)| heavy).sum::<u64>() > weight {
                    expected.push(list.remove(0).0);
                }
                prop_assert_eq!(gone, expected);
            }
        }
    }
}
