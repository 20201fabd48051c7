//! Pauses between tries: longer each time, and never the same for all who wait.

use std::time::Duration;

use rand::Rng as _;

/// However often it was tried.
const LONGEST: Duration = Duration::from_secs(30);

/// `first`, twice as long with each try before, up to half a minute; then less by up to a half.
pub(crate) fn jittered(first: Duration, tries: u32) -> Duration {
    let pause = (first * 2_u32.pow(tries.min(7))).min(LONGEST);
    pause.mul_f64(rand::rng().random_range(0.5..=1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_up_to_a_bound() {
        for (tries, least, most) in [(0, 50, 100), (3, 400, 800), (1_000, 6_400, 12_800)] {
            let pause = jittered(Duration::from_millis(100), tries);
            assert!(
                (Duration::from_millis(least)..=Duration::from_millis(most)).contains(&pause),
                "{tries}: {pause:?}"
            );
        }
        assert!(jittered(Duration::from_mins(5), 3) <= LONGEST);
    }
}
