//! `/feed`: results of a teacher's questions in the order in which they became known, a line each.

use axum::{
    extract::State as AxumState,
    response::{IntoResponse, Response},
};
use contract::{Language, Verdict};
use http::header::CONTENT_TYPE;
use serde::{Deserialize, Serialize};
use service::{Problem, extract::Query, ndjson, token::Principal};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    state::State,
    store::feed::{self, Line},
};

/// From where.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FeedQuery {
    /// The `position` of the last line that you have; from the beginning if absent.
    after: Option<String>,
    /// At most so many lines, 1,000 if absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<i64>,
}

/// One result. A submission that was judged anew comes again once the new verdict counts.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FeedLine)]
pub(crate) struct LineView {
    /// Where to go on from.
    position: String,
    /// The submission.
    submission: Uuid,
    /// Which judging of it.
    judgement: i32,
    /// Whose.
    account: FeedAccount,
    /// To which question.
    question: FeedQuestion,
    /// The version that judged.
    version: Option<i32>,
    /// The code's language.
    #[schema(value_type = Language)]
    language: String,
    /// `null` where it ended without one.
    #[schema(value_type = Option<Verdict>)]
    verdict: Option<String>,
    /// Points reached.
    score: Option<f64>,
    /// Points that could be reached.
    max_score: Option<f64>,
    /// The largest processor time of a test, in milliseconds.
    time_ms: Option<i64>,
    /// The largest peak memory of a test, in kibibytes.
    memory_kib: Option<i64>,
    /// Why it ended without a verdict, in a word.
    failure_reason: Option<String>,
    /// The time that counts.
    #[serde(with = "time::serde::rfc3339")]
    accepted_at: OffsetDateTime,
    /// When everything was there.
    #[serde(with = "time::serde::rfc3339")]
    finished_at: OffsetDateTime,
}

/// Whose.
#[derive(Debug, Serialize, ToSchema)]
struct FeedAccount {
    /// The account.
    id: Uuid,
    /// The name that others see.
    name: String,
}

/// To which question.
#[derive(Debug, Serialize, ToSchema)]
struct FeedQuestion {
    /// Its id.
    id: Uuid,
    /// Its name in addresses.
    slug: String,
}

impl From<Line> for LineView {
    fn from(line: Line) -> Self {
        Self {
            position: line.position.to_string(),
            submission: line.submission,
            judgement: line.judgement,
            account: FeedAccount {
                id: line.account,
                name: line.account_name,
            },
            question: FeedQuestion {
                id: line.question,
                slug: line.slug,
            },
            version: line.version,
            language: line.language,
            verdict: line.verdict,
            score: line.score,
            max_score: line.max_score,
            time_ms: line.time_ms,
            memory_kib: line.memory_kib,
            failure_reason: line.failure,
            accepted_at: line.accepted_at,
            finished_at: line.finished_at,
        }
    }
}

/// Follow results
///
/// Of the questions that one teaches, an admin of all: a page of JSON lines behind `after`, or with `Accept: text/event-stream`
/// an endless stream of events `result`, whose ids are the positions (`Last-Event-ID`).
#[utoipa::path(
    get, path = "/api/v1/feed", tag = "feed", operation_id = "follow_results", params(FeedQuery),
    responses(
        (status = 200, description = "Lines, or a stream", content(
            (LineView = "application/x-ndjson"), (String = "text/event-stream"),
        )),
        (status = 400, description = "A parameter that is not known", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not a teacher", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A parameter out of range", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn feed(
    AxumState(state): AxumState<State>,
    principal: Principal,
    Query(query): Query<FeedQuery>,
) -> Result<Response, Problem> {
    principal.require_teacher()?;
    let limit = query.limit.unwrap_or(1_000);
    if !(1..=1_000).contains(&limit) {
        let message = "1 to 1,000 lines";
        return Err(Problem::invalid(message).with_error("/limit", "range", message));
    }
    let after = match query.after.as_deref() {
        None | Some("") => 0,
        Some(text) => text
            .parse::<i64>()
            .ok()
            .filter(|after| *after >= 0)
            .ok_or_else(|| {
                let message = "take the position of a line as it is";
                Problem::invalid(message).with_error("/after", "format", message)
            })?,
    };
    let mut db = state.pool.begin().await?;
    feed::place(&mut db).await?;
    db.commit().await?;
    let mut page = String::new();
    for line in feed::read(&state.pool, &principal, after, limit).await? {
        let line = serde_json::to_string(&LineView::from(line));
        page.push_str(&line.map_err(|error| Problem::internal(&error))?);
        page.push('\n');
    }
    Ok(([(CONTENT_TYPE, ndjson::CONTENT_TYPE_NDJSON)], page).into_response())
}
