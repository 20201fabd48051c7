//! What the stream of a batch says, made anew from the tables for whoever asks: nothing is kept for it.
//!
//! Its order is that of the items, and within a solution that of its judging, so a place in it is a few numbers, and whoever
//! comes back goes on behind it.

use contract::{
    BatchId,
    batch::{PartEvent, StreamPart},
};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::store::batch::{self, Batch, Change};

/// Most events at once.
const MOST: usize = 500;

/// The last place: the end itself.
const END: &str = "end";

/// What comes behind `after`; an id that is not known is as good as none.
pub(crate) async fn part(
    pool: &PgPool,
    batch: &Batch,
    after: Option<&str>,
) -> sqlx::Result<StreamPart> {
    let id = BatchId(batch.id);
    // Read before the events: what it says has its events in the tables already.
    let mut tally = json!({"total": batch.total, "judged": batch.judged, "failed": batch.failed});
    if batch.is_rejudge() {
        tally["changed"] = json!(batch.changed);
    }
    let over = batch.is_complete() || batch.state == "discarded";
    let reach = batch::reach(pool, id).await?;
    let limit = i64::try_from(MOST).unwrap_or(i64::MAX);
    let mut events: Vec<PartEvent> = if after == Some(END) {
        vec![]
    } else if batch.is_rejudge() {
        let after = after.and_then(|text| text.parse().ok()).unwrap_or(0);
        let found = batch::changes(pool, id, (after, reach), limit).await?;
        found.iter().map(changed).collect()
    } else {
        let after = after.and_then(place).unwrap_or((0, 0, 0));
        let found = batch::events(pool, id, after, reach, limit).await?;
        found
            .into_iter()
            .filter_map(|((n, attempt, seq), event)| {
                let Value::Object(mut body) = serde_json::to_value(&event.body).ok()? else {
                    return None;
                };
                let mut data = body.remove("data").unwrap_or_default();
                data["solution"] = json!(n);
                Some(PartEvent {
                    id: Some(format!("{n}.{attempt}.{seq}")),
                    event: event.body.name().to_owned(),
                    data,
                })
            })
            .collect()
    };
    let end = over && events.len() < MOST;
    events.push(PartEvent {
        id: end.then(|| END.to_owned()),
        event: if end { "done" } else { "progress" }.to_owned(),
        data: tally,
    });
    Ok(StreamPart { events, end })
}

fn place(text: &str) -> Option<(i32, i32, i32)> {
    let mut numbers = text.split('.').map(|number| number.parse().ok());
    match (
        numbers.next(),
        numbers.next(),
        numbers.next(),
        numbers.next(),
    ) {
        (Some(n), Some(attempt), Some(seq), None) => Some((n?, attempt?, seq?)),
        _ => None,
    }
}

/// A verdict that would change.
pub(crate) fn describe(change: &Change) -> Value {
    json!({
        "submission": change.submission,
        "judgement": change.judgement,
        "account": {"id": change.account, "name": change.account_name},
        "before": {"verdict": change.before, "score": change.before_score},
        "after": {"verdict": change.after, "score": change.after_score},
    })
}

fn changed(change: &Change) -> PartEvent {
    PartEvent {
        id: Some(change.n.to_string()),
        event: "changed".to_owned(),
        data: describe(change),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_three_numbers() {
        assert_eq!(place("3.1.12"), Some((3, 1, 12)));
        for text in ["", "3", "3.1", "3.1.2.4", "a.b.c", "3.1."] {
            assert_eq!(place(text), None, "{text}");
        }
    }
}
