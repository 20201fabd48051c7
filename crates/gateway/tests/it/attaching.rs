//! Streams of what exists: resumed, joined late, taken over, replayed, cut off; whatever is lost on the way.

use contract::{
    EventBody, EventKey, Role, StreamEvent,
    event::{Compiled, Done, JudgingStarted},
};
use futures::future::join_all;
use reqwest::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{
    World, problem, send,
    sse::Sse,
    submissions::{event, events, judging, known, open},
};

#[tokio::test]
async fn a_stream_is_resumed_in_the_middle() {
    let world = &World::shared().await;
    let person = world.sign_in_as(Role::Learner).await;
    let producer = world.producer();
    let (id, mut stream) = open(world, &person).await;
    let partition = world.execute.partition(id);
    let all = judging(id, 5);
    for event in &all[..2] {
        world.produce(&producer, partition, event).await;
        world.execute.store(event);
    }
    let mut last = String::new();
    for _ in 0..3 {
        last = stream.event().await.expect("an event").id;
    }
    assert_eq!(last, "1.1.2");
    drop(stream);
    for event in &all[2..4] {
        world.produce(&producer, partition, event).await;
        world.execute.store(event);
    }
    let mut resumed =
        Sse::new(send(events(world, &person, id).header("last-event-id", &last)).await);
    assert_eq!(resumed.event().await.expect("an event").id, "1.1.3");
    world.produce(&producer, partition, &all[4]).await;
    assert_eq!(resumed.rest().await, ["1.1.4 compiled", "1.1.5 done"]);
}

#[tokio::test]
async fn any_replica_takes_over_any_stream() {
    let world = World::start(&["--instance=one"]).await;
    let person = world.sign_in_as(Role::Learner).await;
    let producer = world.producer();
    let (other, _, end) = world.another(&["--instance=two"]).await;
    for partition in 0..16 {
        let id = known(&world, &person, partition);
        let request = world
            .client
            .get(format!("{other}/api/v1/submissions/{id}/events"))
            .bearer_auth(&person.token);
        let mut stream = Sse::new(send(request).await);
        assert_eq!(stream.event().await.expect("an event").id, "1.0.1");
        let reads = world.execute.log_reads().len();
        for event in judging(id, 3) {
            world.produce(&producer, partition, &event).await;
        }
        assert_eq!(
            stream.rest().await,
            ["1.1.1 judging", "1.1.2 compiled", "1.1.3 done"]
        );
        assert_eq!(
            world.execute.log_reads().len(),
            reads,
            "all came through Kafka"
        );
    }
    end.stop_now();
}

#[tokio::test]
async fn a_late_reader_loses_nothing_between_log_and_kafka() {
    let world = &World::shared().await;
    let person = world.sign_in_as(Role::Learner).await;
    let producer = world.producer();
    let all: Vec<_> = {
        let id = known(world, &person, 3);
        judging(id, 200)
    };
    let id = all[0].submission;
    let producing = async {
        for event in &all {
            world.produce(&producer, 3, event).await;
            world.execute.store(event);
        }
    };
    let reading = async {
        let mut readers = Vec::new();
        for _ in 0..10 {
            let answer = send(events(world, &person, id)).await;
            readers.push(async move { Sse::new(answer).rest().await });
            tokio::task::yield_now().await;
        }
        join_all(readers).await
    };
    let ((), read) = tokio::join!(producing, reading);
    let expected: Vec<_> = std::iter::once("1.0.1 accepted".to_owned())
        .chain(
            all.iter()
                .map(|event| format!("{} {}", event.key, event.body.name())),
        )
        .collect();
    for seen in read {
        assert_eq!(seen, expected);
    }
}

#[tokio::test]
async fn a_finished_submission_is_replayed_whole_and_ends() {
    let world = &World::shared().await;
    let person = world.sign_in_as(Role::Learner).await;
    let id = known(world, &person, 0);
    for event in judging(id, 3) {
        world.execute.store(&event);
    }
    let whole = [
        "1.0.1 accepted",
        "1.1.1 judging",
        "1.1.2 compiled",
        "1.1.3 done",
    ];
    for (last, expected) in [
        (None, &whole[..]),
        (Some("1.1.1"), &whole[2..]),
        (Some("1.1.3"), &[]),
        (Some("1.9.9"), &whole),
        (Some("7.1.1"), &whole),
        (Some("rubbish"), &whole),
        (Some("99999999999999999999"), &whole),
        (Some(""), &whole),
    ] {
        let mut request = events(world, &person, id);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        assert_eq!(
            Sse::new(send(request).await).rest().await,
            expected,
            "{last:?}"
        );
    }
}

#[tokio::test]
async fn another_judgement_is_a_stream_of_its_own() {
    let world = &World::shared().await;
    let person = world.sign_in_as(Role::Learner).await;
    let producer = world.producer();
    let id = known(world, &person, 5);
    let second: Vec<_> = judging(id, 3)
        .into_iter()
        .map(|event| StreamEvent {
            key: EventKey {
                judgement: 2,
                ..event.key
            },
            ..event
        })
        .collect();
    let path = format!("/api/v1/submissions/{id}/events?judgement=2");
    let mut stream = Sse::new(send(world.get(&path).bearer_auth(&person.token)).await);
    for event in judging(id, 3).iter().chain(&second) {
        world.produce(&producer, 5, event).await;
    }
    assert_eq!(
        stream.rest().await,
        ["2.1.1 judging", "2.1.2 compiled", "2.1.3 done"]
    );
    for bad in ["judgement=x", "judgement=-1", "from=1"] {
        let request = world
            .get(&format!("/api/v1/submissions/{id}/events?{bad}"))
            .bearer_auth(&person.token);
        assert!(send(request).await.status().is_client_error(), "{bad}");
    }
}

#[tokio::test]
async fn attaches_at_about_the_same_time_share_a_read() {
    let world = World::start(&["--streams-per-account=0"]).await;
    let person = world.sign_in_as(Role::Learner).await;
    let ids: Vec<_> = (0..60).map(|_| known(&world, &person, 1)).collect();
    let answers = join_all(ids.iter().map(|&id| send(events(&world, &person, id)))).await;
    assert!(
        answers
            .iter()
            .all(|answer| answer.status() == StatusCode::OK)
    );
    let reads = world.execute.log_reads();
    // The slow net may have asked for some of them already.
    assert!(reads.iter().sum::<usize>() >= 60, "{reads:?}");
    assert!(reads.len() < 30, "{reads:?}");
}

#[tokio::test]
async fn a_log_that_cannot_be_read_is_read_later() {
    let world = World::start(&[]).await;
    let person = world.sign_in_as(Role::Learner).await;
    world.execute.take_log_away(true);
    // What exists can be asked for again; what was just accepted must not look as if it were not.
    let id = known(&world, &person, 0);
    problem(send(events(&world, &person, id)).await, 503, "unavailable").await;
    let (_, mut stream) = open(&world, &person).await;
    assert_eq!(stream.frame().await.expect("a hint").text, "retry: 1000");
    world.execute.take_log_away(false);
    assert_eq!(stream.event().await.expect("an event").event, "accepted");
}

#[tokio::test]
async fn a_slow_reader_is_cut_off_after_whole_events_and_resumes() {
    const EVENTS: u32 = 300;
    let world = World::start(&[]).await;
    let person = world.sign_in_as(Role::Learner).await;
    let id = known(&world, &person, 2);
    let log = "x".repeat(100_000);
    let all: Vec<_> = (1..=EVENTS)
        .map(|seq| {
            let log = log.clone();
            let body = match seq {
                1 => EventBody::Judging(JudgingStarted {
                    attempt: 1,
                    tests: 0,
                }),
                EVENTS => EventBody::Done(Done {}),
                _ => EventBody::Compiled(Compiled {
                    ok: true,
                    cached: false,
                    time_ms: 1,
                    log,
                }),
            };
            event(id, seq, body)
        })
        .collect();
    let address = world.url.strip_prefix("http://").expect("an address");
    let mut socket = tokio::net::TcpStream::connect(address)
        .await
        .expect("a connection");
    let head = format!(
        "GET /api/v1/submissions/{id}/events HTTP/1.1\r\nhost: test\r\nauthorization: Bearer {}\r\nconnection: close\r\n\r\n",
        person.token
    );
    socket.write_all(head.as_bytes()).await.expect("it is sent");
    // Its first frames have come, and wait in the socket.
    socket.readable().await.expect("it is open");
    let producer = world.producer();
    let producing = async {
        for event in &all {
            world.execute.store(event);
            world.produce(&producer, 2, event).await;
        }
    };
    // Another one keeps up, and comes back when it does not; when it has seen the end, the hub has offered all to both.
    let reading = async {
        let mut seen = Vec::new();
        while seen.last().is_none_or(|id| *id != format!("1.1.{EVENTS}")) {
            let mut request = events(&world, &person, id);
            if let Some(last) = seen.last() {
                request = request.header("last-event-id", last);
            }
            let mut stream = Sse::new(send(request).await);
            while let Some(frame) = stream.event().await {
                seen.push(frame.id);
            }
        }
        seen
    };
    let ((), expected) = tokio::join!(producing, reading);
    assert_eq!(expected.len(), 301);

    let mut read = Vec::new();
    tokio::time::timeout(crate::support::PATIENCE, socket.read_to_end(&mut read))
        .await
        .expect("in time")
        .expect("an end");
    let read = String::from_utf8(read).expect("text");
    assert!(read.ends_with("0\r\n\r\n"), "a clean end");
    let ids: Vec<_> = read
        .lines()
        .filter_map(|line| line.strip_prefix("id: "))
        .collect();
    assert!(ids.len() > 2 && ids.len() < 301, "{}", ids.len());
    assert_eq!(ids, expected[..ids.len()]);

    let last = ids.last().expect("an id");
    let request = events(&world, &person, id).header("last-event-id", *last);
    let rest = Sse::new(send(request).await).rest().await;
    assert_eq!(rest.len() + ids.len(), expected.len());
}
