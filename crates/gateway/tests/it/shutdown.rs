//! The end: streams are drained with a hint, probes say so, and the next replica goes on.

use contract::Role;
use serde_json::json;

use crate::support::{World, send, sse::Sse};

#[tokio::test]
async fn streams_end_with_a_hint_and_go_on_elsewhere() {
    let world = World::start(&["--drain-ms=500"]).await;
    let person = world.sign_in_as(Role::Learner).await;
    let mut streams = Vec::new();
    let mut ids = Vec::new();
    for _ in 0..5 {
        let request = world
            .post("/api/v1/runs")
            .bearer_auth(&person.token)
            .header("accept", "text/event-stream");
        let answer = send(request.json(&json!({}))).await;
        let location = answer.headers()["location"]
            .to_str()
            .expect("text")
            .to_owned();
        ids.push(location.rsplit('/').next().expect("an id").to_owned());
        let mut stream = Sse::new(answer);
        assert_eq!(stream.event().await.expect("an event").event, "accepted");
        streams.push(stream);
    }
    let (next, _, end) = world.another(&[]).await;
    world.shutdown.stop();
    for mut stream in streams {
        let mut last = None;
        while let Some(frame) = stream.frame().await {
            if frame.event != "queued" {
                last = Some(frame.text);
            }
        }
        let last = last.expect("a hint");
        let wait: u64 = last
            .strip_prefix("retry: ")
            .expect("a hint")
            .parse()
            .expect("a number");
        assert!((500..5_000).contains(&wait), "{wait}");
    }
    world.shutdown.finished().await;
    for id in ids {
        let request = world
            .client
            .get(format!("{next}/api/v1/runs/{id}/events"))
            .bearer_auth(&person.token);
        let mut stream = Sse::new(send(request).await);
        assert_eq!(stream.event().await.expect("an event").id, "1.0.1");
    }
    end.stop_now();
}
