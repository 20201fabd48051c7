//! What a stream shows, whatever is lost, doubled or late on the way to it.

use std::task::{Context, Poll, Waker};

use contract::{
    EventBody, Verdict,
    event::{Accepted, Done, Failed, FinalVerdict, JudgingStarted},
    language::Language,
};
use proptest::prelude::*;
use time::OffsetDateTime;
use uuid::Uuid;

use super::*;

fn event(attempt: u32, seq: u32, body: EventBody) -> StreamEvent {
    let key = EventKey {
        judgement: 1,
        attempt,
        seq,
    };
    StreamEvent {
        submission: SubmissionId(Uuid::nil()),
        key,
        follows: None,
        body,
    }
}

fn accepted() -> StreamEvent {
    let body = Accepted {
        submission: SubmissionId(Uuid::nil()),
        question: None,
        version: None,
        language: Language::Cpp,
        accepted_at: OffsetDateTime::UNIX_EPOCH,
    };
    event(0, 1, EventBody::Accepted(body))
}

fn step(attempt: u32, seq: u32) -> StreamEvent {
    event(
        attempt,
        seq,
        EventBody::Judging(JudgingStarted { attempt, tests: 0 }),
    )
}

/// A judging of so many events, the last one terminal.
fn history(len: u32) -> Vec<StreamEvent> {
    let mut events = vec![accepted()];
    events.extend((1..len).map(|seq| step(1, seq)));
    events.push(event(1, len.max(1), EventBody::Done(Done {})));
    events
}

fn follower(last: Option<&str>) -> Follower {
    let last = last.map(|id| id.parse().expect("an id"));
    Follower::new(SubmissionId(Uuid::nil()), 1, last, Instant::now())
}

/// The ids, or hints, that the connection gets now; whether it ended.
fn written(follower: &Follower) -> (Vec<String>, bool) {
    let mut ids = Vec::new();
    loop {
        match follower.poll_frame(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Some(frame)) => {
                let text = String::from_utf8(frame.to_vec()).expect("text");
                let id = text.lines().find_map(|line| line.strip_prefix("id: "));
                ids.push(id.unwrap_or(text.trim_end()).to_owned());
            }
            Poll::Ready(None) => return (ids, true),
            Poll::Pending => return (ids, false),
        }
    }
}

fn offer(follower: &Follower, event: StreamEvent) -> Need {
    follower.offer(&Offered::new(event), Instant::now())
}

fn fill(follower: &Follower, events: &[StreamEvent]) -> Need {
    follower.fill(events, Instant::now())
}

#[test]
fn shows_the_log_then_what_comes_live() {
    let stream = follower(None);
    assert_eq!(offer(&stream, step(1, 1)), Need::Nothing);
    assert_eq!(written(&stream), (vec![], false), "the log comes first");
    assert_eq!(fill(&stream, &[accepted()]), Need::Nothing);
    assert_eq!(offer(&stream, step(1, 1)), Need::Nothing);
    assert_eq!(
        offer(&stream, event(1, 2, EventBody::Done(Done {}))),
        Need::Forget
    );
    assert_eq!(
        written(&stream),
        (vec!["1.0.1".into(), "1.1.1".into(), "1.1.2".into()], true)
    );
    assert_eq!(stream.ended(), Some(End::Terminal));
}

#[test]
fn a_gap_is_filled_from_the_log_and_what_waited_follows() {
    let stream = follower(None);
    fill(&stream, &[accepted()]);
    assert_eq!(offer(&stream, step(1, 2)), Need::Log);
    assert_eq!(offer(&stream, step(1, 3)), Need::Nothing);
    assert_eq!(
        stream.read().and_then(|read| read.after),
        Some(EventKey::ACCEPTED)
    );
    assert_eq!(fill(&stream, &[]), Need::Log, "the log writer is behind");
    assert_eq!(written(&stream).0, ["1.0.1"]);
    assert_eq!(fill(&stream, &[step(1, 1), step(1, 2)]), Need::Nothing);
    assert_eq!(written(&stream).0, ["1.1.1", "1.1.2", "1.1.3"]);
}

#[test]
fn resumes_after_the_last_id() {
    let stream = follower(Some("1.1.2"));
    fill(&stream, &history(4));
    assert_eq!(
        written(&stream),
        (vec!["1.1.3".into(), "1.1.4".into()], true)
    );
}

#[test]
fn replays_all_for_an_id_of_another_stream() {
    for id in ["1.7.1", "2.1.2", "1.1.99"] {
        let stream = follower(Some(id));
        assert_eq!(fill(&stream, &history(2)), Need::Forget);
        assert_eq!(
            written(&stream),
            (vec!["1.0.1".into(), "1.1.1".into(), "1.1.2".into()], true),
            "{id}"
        );
    }
}

#[test]
fn waits_for_an_id_that_the_log_does_not_hold_yet() {
    let stream = follower(Some("1.1.2"));
    assert_eq!(fill(&stream, &[accepted(), step(1, 1)]), Need::Log);
    assert_eq!(stream.read().expect("it is open").after, None);
    assert_eq!(
        fill(&stream, &[accepted(), step(1, 1), step(1, 2), step(1, 3)]),
        Need::Nothing
    );
    assert_eq!(written(&stream).0, ["1.1.3"]);
}

#[test]
fn shows_nothing_twice_however_far_the_log_is_behind() {
    let stream = follower(Some("1.1.2"));
    for _ in 0..1_000 {
        assert_eq!(fill(&stream, &[accepted()]), Need::Log);
        assert_eq!(written(&stream).0, Vec::<String>::new());
    }
    // What comes live meanwhile follows what was seen.
    assert_eq!(offer(&stream, step(1, 3)), Need::Nothing);
    assert_eq!(
        fill(&stream, &[accepted(), step(1, 1), step(1, 2)]),
        Need::Nothing
    );
    assert_eq!(written(&stream).0, ["1.1.3"]);
}

#[test]
fn an_id_that_never_comes_is_waited_for_until_the_end_or_what_is_behind_it() {
    let ended = follower(Some("1.1.9"));
    assert_eq!(fill(&ended, &[accepted(), step(1, 1)]), Need::Log);
    assert_eq!(fill(&ended, &history(2)), Need::Forget);
    assert_eq!(written(&ended).0, ["1.0.1", "1.1.1", "1.1.2"]);
    let passed = follower(Some("1.1.9"));
    assert_eq!(fill(&passed, &[accepted(), step(2, 1)]), Need::Nothing);
    assert_eq!(written(&passed).0, ["1.0.1", "1.2.1"]);
}

/// How execute ends what no worker ends.
fn ended_without_worker() -> StreamEvent {
    let failed = Failed {
        reason: "cancelled".to_owned(),
        message: "cancelled by its owner".to_owned(),
        retryable: false,
    };
    event(LAST_ATTEMPT, 1, EventBody::Failed(failed))
}

#[test]
fn an_end_without_a_worker_is_shown_when_the_log_has_it() {
    let stream = follower(None);
    let mut log = vec![accepted(), step(1, 1)];
    assert_eq!(fill(&stream, &log), Need::Nothing);
    assert_eq!(offer(&stream, ended_without_worker()), Need::Log);
    assert_eq!(fill(&stream, &[]), Need::Log, "the log writer is behind");
    assert_eq!(
        written(&stream),
        (vec!["1.0.1".into(), "1.1.1".into()], false)
    );
    log.push(ended_without_worker());
    assert_eq!(fill(&stream, &log), Need::Forget);
    assert_eq!(written(&stream), (vec!["1.2147483647.1".into()], true));
}

#[test]
fn an_end_without_a_worker_is_void_behind_a_verdict_that_came_before_we_listened() {
    let stream = follower(None);
    assert_eq!(fill(&stream, &[accepted(), step(1, 1)]), Need::Nothing);
    assert_eq!(offer(&stream, ended_without_worker()), Need::Log);
    let verdict = FinalVerdict {
        verdict: Verdict::Accepted,
        score: 1.0,
        max_score: 1.0,
        passed: 1,
        total: 1,
        time_ms: 1,
        memory_kib: 1,
        groups: None,
    };
    let verdict = event(1, 2, EventBody::Verdict(verdict));
    let over = event(1, 3, EventBody::Done(Done {}));
    assert_eq!(fill(&stream, &[verdict, over]), Need::Forget);
    let ids = ["1.0.1", "1.1.1", "1.1.2", "1.1.3"].map(str::to_owned);
    assert_eq!(written(&stream), (ids.to_vec(), true));
}

#[test]
fn a_connection_that_does_not_read_is_cut_off_after_whole_events() {
    let stream = follower(None);
    fill(&stream, &[accepted()]);
    let cut = (1..10_000).find(|&seq| {
        offer(&stream, step(1, seq));
        stream.ended() == Some(End::Slow)
    });
    let cut = cut.expect("it is cut off");
    assert_eq!(cut as usize, MAX_LIVE_FRAMES + 1);
    assert_eq!(offer(&stream, step(1, cut + 1)), Need::Forget);
    let (ids, ended) = written(&stream);
    assert!(ended);
    assert_eq!(ids.len(), cut as usize + 1);
    assert_eq!(ids.last(), Some(&format!("1.1.{cut}")));
}

#[test]
fn a_long_log_is_no_sign_of_a_slow_connection() {
    let stream = follower(None);
    let mut log = vec![accepted()];
    log.extend((1..=2_000).map(|seq| step(1, seq)));
    assert_eq!(fill(&stream, &log), Need::Nothing);
    assert_eq!(offer(&stream, step(1, 2_001)), Need::Nothing);
    let (ids, ended) = written(&stream);
    assert_eq!((ids.len(), ended), (2_002, false));
}

#[test]
fn tells_the_position_only_when_there_is_nothing_else_to_say() {
    let stream = follower(None);
    stream.tell_position(3);
    assert_eq!(
        written(&stream).0,
        Vec::<String>::new(),
        "before the receipt"
    );
    fill(&stream, &[accepted()]);
    stream.tell_position(3);
    assert_eq!(written(&stream).0, ["1.0.1"]);
    stream.tell_position(2);
    assert_eq!(
        written(&stream).0,
        ["event: queued\ndata: {\"position\":2}"]
    );
}

#[test]
fn drained_streams_end_with_a_hint() {
    let stream = follower(None);
    fill(&stream, &[accepted()]);
    stream.drain(1_234);
    assert_eq!(
        written(&stream),
        (vec!["1.0.1".into(), "retry: 1234".into()], true)
    );
    assert_eq!(stream.read(), None);
}

/// What happens on the way, in any order.
#[derive(Debug, Clone)]
enum Happening {
    /// The next event is produced: the log writer has it, and it goes to the hub, doubled or lost.
    Produced(u8),
    /// One of the last events comes once more.
    Again(u8),
    /// The log is read, if it is asked for, when the writer is so many behind.
    Read(u8),
    /// The slow net reads for a quiet stream.
    Net,
    /// The client goes on with its last id on another gateway.
    Reconnect,
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        4 => (0u8..3).prop_map(Happening::Produced),
        1 => (0u8..5).prop_map(Happening::Again),
        2 => (0u8..4).prop_map(Happening::Read),
        1 => Just(Happening::Net),
        1 => Just(Happening::Reconnect),
    ]
}

proptest! {
    #[test]
    fn every_event_is_shown_once_and_in_order(len in 1u32..12, script in proptest::collection::vec(happening(), 0..60)) {
        let all = history(len);
        let mut produced = 1;
        let mut ids: Vec<String> = Vec::new();
        let mut stream = follower(None);
        let mut wanted = true;
        // The writer catches up, and never goes back.
        let mut logged = 1;
        let log = |stream: &Follower, upto: usize| {
            let Some(read) = stream.read() else { return Need::Forget };
            let known = all[..upto].iter().any(|event| Some(event.key) == read.after);
            let after = read.after.filter(|_| known);
            let events: Vec<_> = all[..upto].iter().filter(|event| Some(event.key) > after).cloned().collect();
            fill(stream, &events)
        };
        for happening in script {
            match happening {
                Happening::Produced(copies) if produced < all.len() => {
                    for _ in 0..copies {
                        wanted |= offer(&stream, all[produced].clone()) == Need::Log;
                    }
                    produced += 1;
                }
                Happening::Again(back) => {
                    let index = produced.saturating_sub(usize::from(back) + 1);
                    wanted |= offer(&stream, all[index].clone()) == Need::Log;
                }
                Happening::Read(behind) if wanted => {
                    logged = logged.max(produced.saturating_sub(usize::from(behind)));
                    wanted = log(&stream, logged) == Need::Log;
                }
                Happening::Net if stream.is_quiet_since(Instant::now()) => {
                    logged = produced;
                    wanted |= log(&stream, logged) == Need::Log;
                }
                Happening::Reconnect => {
                    ids.extend(written(&stream).0);
                    stream = follower(ids.last().map(String::as_str));
                    wanted = true;
                }
                _ => {}
            }
        }
        // In the end the log writer has caught up, and either a gap or the slow net reads it.
        for _ in 0..3 {
            log(&stream, all.len());
        }
        let (rest, ended) = written(&stream);
        ids.extend(rest);
        prop_assert!(ended);
        let expected: Vec<_> = all.iter().map(|event| event.key.to_string()).collect();
        prop_assert_eq!(ids, expected);
    }
}

#[test]
fn a_muted_stream_says_that_it_was_received_and_that_it_is_over() {
    let at_once = follower(None);
    at_once.mute();
    at_once.fill(&history(4), Instant::now());
    let told = (vec!["1.0.1".to_owned(), "1.2147483647.1".to_owned()], true);
    assert_eq!(written(&at_once), told);
    // The same of what comes live, and behind what was seen.
    let live = follower(Some("1.0.1"));
    live.mute();
    live.fill(&history(4)[..1], Instant::now());
    for event in history(4).into_iter().skip(1) {
        offer(&live, event);
    }
    assert_eq!(written(&live), (told.0[1..].to_vec(), true));
}
