//! How many slots judge just now, for the operator.

/// Slots in use, for the gauge; dropped when a run ends or is given up.
pub(super) struct Busy(f64);

impl Busy {
    pub(super) fn new(slots: usize) -> Self {
        let slots = f64::from(u32::try_from(slots).unwrap_or(u32::MAX));
        metrics::gauge!("codementor_judge_slots", "state" => "busy").increment(slots);
        Self(slots)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        metrics::gauge!("codementor_judge_slots", "state" => "busy").decrement(self.0);
    }
}
