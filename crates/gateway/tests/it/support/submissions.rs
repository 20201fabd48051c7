//! Submissions, their events, and the requests for their streams.

use contract::{
    EventBody, EventKey, StreamEvent, SubmissionId,
    event::{Compiled, Done, JudgingStarted},
};
use reqwest::{RequestBuilder, Response};
use serde_json::json;

use super::{
    Person, World,
    behind::{Submission, accepted},
    send,
    sse::Sse,
};

pub(crate) fn event(submission: SubmissionId, seq: u32, body: EventBody) -> StreamEvent {
    let key = EventKey {
        judgement: 1,
        attempt: 1,
        seq,
    };
    StreamEvent {
        submission,
        key,
        follows: None,
        body,
    }
}

/// A judging in so many steps, the last one terminal.
pub(crate) fn judging(submission: SubmissionId, steps: u32) -> Vec<StreamEvent> {
    let start = JudgingStarted {
        attempt: 1,
        tests: 0,
    };
    let compiled = Compiled {
        ok: true,
        cached: false,
        time_ms: 1,
        log: "<solution>:1\nx".to_owned(),
    };
    (1..=steps)
        .map(|seq| match seq {
            1 => event(submission, seq, EventBody::Judging(start)),
            last if last == steps => event(submission, seq, EventBody::Done(Done {})),
            _ => event(submission, seq, EventBody::Compiled(compiled.clone())),
        })
        .collect()
}

pub(crate) fn submit(world: &World, person: &Person) -> RequestBuilder {
    world
        .post("/api/v1/submissions")
        .bearer_auth(&person.token)
        .json(&json!({ "code": "x" }))
}

pub(crate) fn id_of(answer: &Response) -> SubmissionId {
    let location = answer.headers()["location"].to_str().expect("text");
    location
        .rsplit('/')
        .next()
        .expect("an id")
        .parse()
        .expect("an id")
}

pub(crate) async fn open(world: &World, person: &Person) -> (SubmissionId, Sse) {
    let answer = send(submit(world, person).header("accept", "text/event-stream")).await;
    (id_of(&answer), Sse::new(answer))
}

pub(crate) fn events(world: &World, person: &Person, id: SubmissionId) -> RequestBuilder {
    world
        .get(&format!("/api/v1/submissions/{id}/events"))
        .bearer_auth(&person.token)
}

/// A submission of the person in that partition, with its receipt.
pub(crate) fn known(world: &World, person: &Person, partition: i32) -> SubmissionId {
    let id = SubmissionId::new();
    let submission = Submission {
        owner: json!(person.id),
        partition,
        log: vec![accepted(id)],
        position: None,
    };
    world.execute.know(id, submission);
    id
}
