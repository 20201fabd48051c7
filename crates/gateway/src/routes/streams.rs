//! Streams: of a submission made by this very request, or of one that exists.
//!
//! The stream of a POST is registered before execute hears of the submission, so that none of its events can be missed.

use axum::{
    extract::{FromRequestParts, Request, State},
    response::{IntoResponse, Response},
};
use contract::{EventKey, SubmissionId, internal::StreamInfo};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use service::{
    Problem,
    extract::{Path, Query},
};
use utoipa::{IntoParams, ToSchema};

use crate::{
    hub::Stream,
    proxy::{Place, Submitted, header_of},
    signed_in::SignedIn,
    state::App,
};

/// Which judgement.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventsQuery {
    /// A judging other than the applied one, from 1.
    judgement: Option<u32>,
}

/// An event of a stream, as the wire has it.
#[derive(Debug, ToSchema)]
#[expect(
    dead_code,
    reason = "describes the stream to clients; it is written byte by byte"
)]
pub(crate) struct ServerSentEvent {
    /// Where to go on from, as `Last-Event-ID`; absent where it is not replayed (`queued`).
    id: Option<String>,
    /// Its name.
    event: String,
    /// JSON on one line: what `EventBody` has as `data` beside this name.
    data: String,
}

/// No parameters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoQuery {}

/// `POST /submissions` and `POST /runs`: 202, or with `Accept: text/event-stream` the stream itself.
pub(crate) async fn submit(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let signed_in = SignedIn::from_request_parts(&mut parts, &app).await?;
    app.limits.submission(signed_in.id())?;
    let proposed = Place {
        submission: SubmissionId::new(),
        partition: app.hub.home(),
    };
    let account = signed_in.account();
    if !wants_stream(&parts.headers) {
        let request = Request::from_parts(parts, body);
        let submitted = app.proxy.submit(request, &account, proposed).await?;
        return Ok(submitted.answer);
    }
    let place = app.limits.stream(signed_in.id())?;
    let stream = app
        .hub
        .register(proposed.submission, proposed.partition, place)?;
    parts
        .headers
        .insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    let request = Request::from_parts(parts, body);
    let Submitted {
        answer,
        decided,
        muted,
    } = app.proxy.submit(request, &account, proposed).await?;
    if answer.status() != StatusCode::ACCEPTED {
        return Ok(answer);
    }
    let location = answer.headers().get(header::LOCATION).cloned();
    let stream = match decided {
        // A repeat under the same Idempotency-Key: the stream of the first one.
        Some(first) if first != proposed => {
            drop(stream);
            attach(&app, &signed_in, first.submission, None, None).await?
        }
        _ => app.hub.begin(stream, muted),
    };
    let mut response = stream.into_response();
    if let Some(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// The events of a submission, as server-sent events.
///
/// With `Last-Event-ID` the stream goes on behind that event; an id that is not known replays all. A finished submission is
/// replayed whole, and ends.
#[utoipa::path(
    get, path = "/api/v1/submissions/{id}/events", tag = "submissions",
    params(
        ("id" = SubmissionId, Path), EventsQuery,
        ("Last-Event-ID" = Option<String>, Header, description = "the id of the last event seen"),
    ),
    responses(
        (status = 200, description = "events, one JSON object a line of data", body = ServerSentEvent, content_type = "text/event-stream"),
        Problem,
    ),
)]
pub(crate) async fn submission_events(
    State(app): State<App>,
    signed_in: SignedIn,
    Path(id): Path<SubmissionId>,
    Query(query): Query<EventsQuery>,
    headers: HeaderMap,
) -> Result<Stream, Problem> {
    attach(
        &app,
        &signed_in,
        id,
        query.judgement,
        last_event_id(&headers),
    )
    .await
}

/// The events of a run, as server-sent events.
#[utoipa::path(
    get, path = "/api/v1/runs/{id}/events", tag = "runs",
    params(
        ("id" = SubmissionId, Path),
        ("Last-Event-ID" = Option<String>, Header, description = "the id of the last event seen"),
    ),
    responses(
        (status = 200, description = "events, one JSON object a line of data", body = ServerSentEvent, content_type = "text/event-stream"),
        Problem,
    ),
)]
pub(crate) async fn run_events(
    State(app): State<App>,
    signed_in: SignedIn,
    Path(id): Path<SubmissionId>,
    Query(NoQuery {}): Query<NoQuery>,
    headers: HeaderMap,
) -> Result<Stream, Problem> {
    attach(&app, &signed_in, id, None, last_event_id(&headers)).await
}

/// A stream of what exists.
async fn attach(
    app: &App,
    signed_in: &SignedIn,
    id: SubmissionId,
    judgement: Option<u32>,
    last_event_id: Option<EventKey>,
) -> Result<Stream, Problem> {
    let place = app.limits.stream(signed_in.id())?;
    let path = match judgement {
        Some(judgement) => format!("/internal/streams/{id}?judgement={judgement}"),
        None => format!("/internal/streams/{id}"),
    };
    let info: StreamInfo = app
        .execute
        .get(&path)
        .account(&signed_in.account())
        .json()
        .await?;
    app.hub.attach(id, info, last_event_id, place).await
}

/// What the client has seen. What is no id of ours is as good as none.
fn last_event_id(headers: &HeaderMap) -> Option<EventKey> {
    header_of(headers, "last-event-id")
}

/// Whether the client asks for a stream in so many words: `*/*` does not.
pub(super) fn wants_stream(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|range| {
            let mut parts = range.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default();
            let refused = parts.any(|part| {
                matches!(
                    part.replace(' ', "").as_str(),
                    "q=0" | "q=0.0" | "q=0.00" | "q=0.000"
                )
            });
            kind.eq_ignore_ascii_case("text/event-stream") && !refused
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_asked_for_in_so_many_words() {
        for (accept, wanted) in [
            ("text/event-stream", true),
            ("application/json, Text/Event-Stream;q=0.5", true),
            ("text/event-stream; q=0", false),
            ("*/*", false),
            ("text/*", false),
            ("application/json", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(wants_stream(&headers), wanted, "{accept}");
        }
        assert!(!wants_stream(&HeaderMap::new()));
    }
}
