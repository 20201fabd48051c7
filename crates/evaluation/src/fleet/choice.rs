//! Which runner gets the next job: of two drawn at random among those with room, the less loaded one.
//!
//! Many evaluations choose at the same time without knowing of one another; two draws are enough to keep the load even, and
//! do not send all of them to the same runner (M. Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001).

use rand::{Rng, seq::IteratorRandom as _};

/// For whom is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// A learner waits.
    Learner,
    /// A rejudge or a verification: never in front of a learner.
    Bulk,
}

/// What is known of a runner that answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Load {
    /// Jobs that we gave it and that are not over.
    pub(super) pending: usize,
    /// Jobs that it takes at once.
    pub(super) jobs: usize,
}

impl Load {
    /// Batches leave one place free for learners, where there is more than one.
    fn has_room(self, lane: Lane) -> bool {
        let jobs = match lane {
            Lane::Learner => self.jobs,
            Lane::Bulk => self.jobs.saturating_sub(1).max(self.jobs.min(1)),
        };
        self.pending < jobs
    }

    fn is_below(self, other: Self) -> bool {
        self.pending * other.jobs < other.pending * self.jobs
    }
}

/// The runner to ask; `None` when nobody has room. `loads` holds `None` for runners that do not answer.
pub(super) fn choose(loads: &[Option<Load>], lane: Lane, rng: &mut impl Rng) -> Option<usize> {
    let with_room = loads
        .iter()
        .enumerate()
        .filter_map(|(index, load)| load.map(|load| (index, load)))
        .filter(|(_, load)| load.has_room(lane));
    let drawn = with_room.choose_multiple(rng, 2);
    let better = match drawn.as_slice() {
        [one, other] if other.1.is_below(one.1) => other,
        [one, ..] => one,
        [] => return None,
    };
    Some(better.0)
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng as _, rngs::StdRng};

    use super::*;

    fn load(pending: usize, jobs: usize) -> Load {
        Load { pending, jobs }
    }

    #[test]
    fn takes_only_runners_with_room() {
        let mut rng = StdRng::seed_from_u64(1);
        for _ in 0..50 {
            assert_eq!(
                choose(
                    &[None, Some(load(2, 2)), Some(load(1, 2))],
                    Lane::Learner,
                    &mut rng
                ),
                Some(2)
            );
            assert_eq!(
                choose(
                    &[None, Some(load(2, 2)), Some(load(0, 0))],
                    Lane::Learner,
                    &mut rng
                ),
                None
            );
        }
        assert_eq!(choose(&[], Lane::Learner, &mut rng), None);
    }

    #[test]
    fn batches_leave_a_place_for_learners() {
        let mut rng = StdRng::seed_from_u64(1);
        assert_eq!(choose(&[Some(load(3, 4))], Lane::Bulk, &mut rng), None);
        assert_eq!(choose(&[Some(load(2, 4))], Lane::Bulk, &mut rng), Some(0));
        assert_eq!(choose(&[Some(load(0, 1))], Lane::Bulk, &mut rng), Some(0));
    }

    #[test]
    fn of_two_the_less_loaded_gets_it() {
        let mut rng = StdRng::seed_from_u64(1);
        for _ in 0..50 {
            assert_eq!(
                choose(
                    &[Some(load(3, 8)), Some(load(1, 2))],
                    Lane::Learner,
                    &mut rng
                ),
                Some(0)
            );
        }
    }

    #[test]
    fn spreads_evenly() {
        let mut rng = StdRng::seed_from_u64(7);
        let mut loads = vec![Some(load(0, 1_000)); 5];
        for _ in 0..500 {
            let chosen = choose(&loads, Lane::Learner, &mut rng).expect("there is room");
            if let Some(load) = &mut loads[chosen] {
                load.pending += 1;
            }
        }
        assert!(
            loads
                .iter()
                .flatten()
                .all(|load| (95..=105).contains(&load.pending)),
            "{loads:?}"
        );
    }
}
