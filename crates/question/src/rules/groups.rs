//! What groups of tests must be: named once, worth something, and waiting for no circle.

use contract::manifest::TestGroup;

use super::{Fault, is_name, range};

/// Most groups of one question.
const MAX_GROUPS: usize = 500;

/// What is wrong with a question's groups.
pub(crate) fn check_groups(groups: &[TestGroup], faults: &mut Vec<Fault>) {
    if groups.len() > MAX_GROUPS {
        faults.push(Fault::new("/groups", "too-many", "at most 500 groups"));
    }
    for (index, group) in groups.iter().enumerate() {
        let place = format!("/groups/{index}");
        if !is_name(&group.name) {
            faults.push(Fault::new(
                format!("{place}/name"),
                "format",
                "1 to 64 of A-Z, a-z, 0-9, . _ and -",
            ));
        }
        let before = &groups[..index];
        if before.iter().any(|other| other.name == group.name) {
            faults.push(Fault::new(
                format!("{place}/name"),
                "duplicate",
                "another group has this name",
            ));
        }
        if group
            .points
            .is_some_and(|points| !(0.0..=1e6).contains(&points))
        {
            faults.push(range(&format!("{place}/points"), "0 to 1000000"));
        }
        for (at, name) in group.depends_on.iter().enumerate() {
            // Earlier ones only: so there is no circle, and they are judged first.
            if !before.iter().any(|other| other.name == *name) {
                faults.push(Fault::new(
                    format!("{place}/depends_on/{at}"),
                    "unknown",
                    "a group depends on groups that are named before it",
                ));
            }
        }
    }
}
