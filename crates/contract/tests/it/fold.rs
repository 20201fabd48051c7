//! The fold: the golden scripts, which the page's twin runs too, and what must hold whatever the order of deliveries.

use std::{collections::BTreeMap, fs, path::Path};

use contract::{
    EventKey, Shown, Step, StreamEvent, SubmissionId,
    event::{
        Done, EventBody, FinalVerdict, JudgingStarted, LAST_ATTEMPT, ReviewDone, ReviewSkipped,
        ReviewStarted,
    },
    verdict::Verdict,
};
use proptest::{collection::vec, prelude::*, sample::Index};
use serde::Deserialize;
use uuid::Uuid;

#[derive(Deserialize)]
struct Script {
    about: String,
    steps: Vec<Expected>,
}

#[derive(Deserialize)]
struct Expected {
    step: Step,
    event: StreamEvent,
}

#[test]
fn follows_the_golden_scripts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/fold");
    let mut scripts = 0;
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let text = fs::read_to_string(entry.expect("it can be read").path()).expect("a file");
        let script: Script = serde_json::from_str(&text).expect("a script");
        let mut shown = Shown::default();
        for (number, expected) in script.steps.into_iter().enumerate() {
            let got = shown.step(&expected.event);
            assert_eq!(got, expected.step, "{}: event {number}", script.about);
        }
        scripts += 1;
    }
    assert_eq!(scripts, 8);
}

fn event(attempt: u32, seq: u32, follows: Option<EventKey>, body: EventBody) -> StreamEvent {
    StreamEvent {
        submission: SubmissionId(Uuid::nil()),
        key: EventKey {
            judgement: 1,
            attempt,
            seq,
        },
        follows,
        body,
    }
}

fn judging(attempt: u32) -> StreamEvent {
    let body = JudgingStarted { attempt, tests: 0 };
    event(attempt, 1, None, EventBody::Judging(body))
}

fn verdict(attempt: u32) -> StreamEvent {
    let body = FinalVerdict {
        verdict: Verdict::Accepted,
        score: 1.0,
        max_score: 1.0,
        passed: 1,
        total: 1,
        time_ms: 1,
        memory_kib: 1,
        groups: None,
    };
    event(attempt, 2, None, EventBody::Verdict(body))
}

/// What workers produced, in the order of the partition: dead attempts, one that ends, its reviews, execute's own end.
fn history(dead: u32, reviews: u32, execute_ends: bool) -> Vec<StreamEvent> {
    let mut events: Vec<StreamEvent> = (1..=dead).map(judging).collect();
    let winner = dead + 1;
    events.extend([judging(winner), verdict(winner)]);
    let follows = Some(verdict(winner).key);
    for attempt in winner + 1..=winner + reviews {
        let body = ReviewStarted {
            reviewer: "builtin".to_owned(),
            model: None,
        };
        events.push(event(attempt, 1, follows, EventBody::ReviewStarted(body)));
    }
    let (attempt, body) = if execute_ends || reviews == 0 {
        let reason = "deadline".to_owned();
        (
            LAST_ATTEMPT,
            EventBody::ReviewSkipped(ReviewSkipped { reason }),
        )
    } else {
        let body = ReviewDone {
            summary: String::new(),
            complexity: None,
            next_step: None,
            findings: 0,
            tokens: None,
        };
        (winner + reviews, EventBody::ReviewDone(body))
    };
    let seq = if attempt == LAST_ATTEMPT { 1 } else { 2 };
    let follows = follows.filter(|_| attempt == LAST_ATTEMPT);
    events.push(event(attempt, seq, follows, body));
    events.push(event(attempt, seq + 1, None, EventBody::Done(Done {})));
    events
}

fn accepted() -> StreamEvent {
    let text = include_str!("../../golden/events/accepted.json");
    let receipt: StreamEvent = serde_json::from_str(text).expect("a golden file");
    event(0, 1, None, receipt.body)
}

/// What a reader shows when it reads the log from where it stands.
fn read_log(log: &BTreeMap<EventKey, StreamEvent>, reader: &mut Shown) -> Vec<StreamEvent> {
    let mut shows = |event: &&StreamEvent| reader.step(event) == Step::Show;
    log.values().filter(|event| shows(event)).cloned().collect()
}

proptest! {
    /// The log writer sees each partition in order, with doubles and late words of dead workers. A reader that joins
    /// anywhere, sees doubles of its own and reads the log at each gap shows what the log holds.
    #[test]
    fn every_reader_shows_the_log(
        dead in 0u32..3,
        reviews in 0u32..3,
        execute_ends: bool,
        doubles in vec((any::<Index>(), any::<Index>()), 0..6),
        joins in any::<Index>(),
        again in vec((any::<Index>(), any::<Index>()), 0..6),
    ) {
        let mut partition = history(dead, reviews, execute_ends);
        for (which, place) in doubles {
            // A double comes after its first delivery, and so may a late word of a superseded worker.
            let from = which.index(partition.len());
            let copy = partition[from].clone();
            partition.insert(from + 1 + place.index(partition.len() - from), copy);
        }
        let mut writer = Shown::default();
        let mut log = BTreeMap::new();
        let mut kept = vec![];
        for event in std::iter::once(accepted()).chain(partition.iter().cloned()) {
            if writer.step(&event) == Step::Show {
                log.insert(event.key, event.clone());
                kept.push(event);
            }
        }
        prop_assert!(writer.terminal);
        prop_assert!(kept.is_sorted_by_key(|event| event.key));
        prop_assert_eq!(kept.iter().filter(|event| event.body.is_terminal()).count(), 1);

        let start = joins.index(partition.len());
        let mut heard = partition[start..].to_vec();
        for (which, place) in again {
            let copy = heard[which.index(heard.len())].clone();
            let place = place.index(heard.len() + 1);
            heard.insert(place, copy);
        }
        let mut reader = Shown::default();
        let mut shown = vec![];
        for event in heard {
            match reader.step(&event) {
                Step::Show => shown.push(event),
                Step::Drop => {}
                Step::Gap => {
                    shown.extend(read_log(&log, &mut reader));
                    prop_assert_ne!(reader.step(&event), Step::Gap);
                }
            }
        }
        shown.extend(read_log(&log, &mut reader));
        prop_assert_eq!(shown, kept);
    }

    #[test]
    fn keys_survive_their_text(judgement: u32, attempt: u32, seq: u32) {
        let key = EventKey { judgement, attempt, seq };
        prop_assert_eq!(key.to_string().parse(), Ok(key));
    }

    #[test]
    fn refuses_texts_that_are_no_key(text in "[0-9.+ -]{0,12}") {
        if let Ok(key) = text.parse::<EventKey>() {
            let numbers: Vec<&str> = text.split('.').collect();
            prop_assert_eq!(numbers.len(), 3);
            prop_assert_eq!(numbers[2].parse::<u32>().ok(), Some(key.seq));
        }
    }
}
