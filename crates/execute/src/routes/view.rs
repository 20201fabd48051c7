//! Documents as clients read them, and what requests carry in their headers.

use axum::response::{IntoResponse, Response};
use contract::{
    AccountId, Language, QuestionId, SubmissionId, Verdict,
    internal::{REPLY_PARTITION_HEADER, SUBMISSION_HEADER},
};
use http::{HeaderMap, StatusCode, header::LOCATION};
use serde::Serialize;
use service::{Problem, extract::Json};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    accept::{Proposal, Receipt},
    intake::Kind,
    outbox::Outbox,
    picture::Picture,
    standing::Status,
    store::submission::{JudgementSummary, KnownQuestion, Summary},
};

/// The answer to what was accepted.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AcceptedView {
    /// Its id.
    id: SubmissionId,
    /// How far it has come: it has just been accepted.
    status: Status,
    /// The time that counts.
    #[serde(with = "time::serde::rfc3339")]
    accepted_at: OffsetDateTime,
    /// Where to go on.
    links: Links,
}

/// Where more is found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Links {
    /// This.
    #[serde(rename = "self")]
    itself: String,
    /// Its stream of events (SSE).
    events: String,
}

impl Links {
    fn to(kind: Kind, id: SubmissionId) -> Self {
        let itself = format!("/api/v1/{}/{id}", kind.collection());
        Self {
            events: format!("{itself}/events"),
            itself,
        }
    }
}

/// 202, with the place, and with what the gateway asked in the headers that it asked in.
pub(crate) fn accepted(kind: Kind, receipt: &Receipt) -> Response {
    let view = AcceptedView {
        id: receipt.id,
        status: Status::Queued,
        accepted_at: receipt.accepted_at,
        links: Links::to(kind, receipt.id),
    };
    let headers = [
        (LOCATION.as_str(), view.links.itself.clone()),
        (SUBMISSION_HEADER, receipt.id.to_string()),
        (REPLY_PARTITION_HEADER, receipt.reply_partition.to_string()),
    ];
    (StatusCode::ACCEPTED, headers, Json(view)).into_response()
}

/// What the gateway proposes, and the client's idempotency key.
pub(crate) fn proposal(headers: &HeaderMap, outbox: &Outbox) -> Result<Proposal, Problem> {
    let id = match text(headers, SUBMISSION_HEADER)? {
        None => SubmissionId::new(),
        Some(text) => text
            .parse()
            .map_err(|_| bad_header(SUBMISSION_HEADER, "a UUID"))?,
    };
    let reply_partition = match text(headers, REPLY_PARTITION_HEADER)? {
        None => 0,
        Some(text) => text
            .parse()
            .ok()
            .filter(|&partition| outbox.has_reply_partition(partition))
            .ok_or_else(|| bad_header(REPLY_PARTITION_HEADER, "a partition of the events topic"))?,
    };
    Ok(Proposal {
        id,
        reply_partition,
        idempotency_key: idempotency_key(headers)?,
    })
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    const NAME: &str = "idempotency-key";

    let bad = || bad_header(NAME, "8 to 255 visible characters of ASCII");
    let Some(value) = headers.get(NAME) else {
        return Ok(None);
    };
    let key = std::str::from_utf8(value.as_bytes()).map_err(|_| bad())?;
    let visible = (8..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    if visible && headers.get_all(NAME).iter().count() == 1 {
        Ok(Some(key.to_owned()))
    } else {
        Err(bad())
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Problem> {
    let value = headers.get(name).map(|value| value.to_str());
    value
        .transpose()
        .map_err(|_| bad_header(name, "plain text"))
}

fn bad_header(name: &str, expected: &str) -> Problem {
    Problem::invalid(format!("the header {name} must hold {expected}")).with_error(
        "",
        "invalid-header",
        format!("{name}: {expected} is expected"),
    )
}

/// A submission in short.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SubmissionSummary {
    /// Its id.
    id: SubmissionId,
    /// Whose.
    account: Owner,
    /// The question answered; absent for a run without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    question: Option<QuestionView>,
    /// The question's version that judges it.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
    /// The code's language.
    language: Language,
    /// How far it has come.
    status: Status,
    /// Once there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<Verdict>,
    /// Points reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    /// Points that could be reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_score: Option<f64>,
    /// The largest processor time of a test, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    time_ms: Option<i64>,
    /// The largest peak memory of a test, in kibibytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_kib: Option<i64>,
    /// Why it ended without a verdict, in a word.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_reason: Option<String>,
    /// The time that counts.
    #[serde(with = "time::serde::rfc3339")]
    accepted_at: OffsetDateTime,
    /// When everything was there.
    #[serde(
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    finished_at: Option<OffsetDateTime>,
    /// Where more is found.
    links: Links,
}

/// Whose a submission is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Owner {
    /// The account.
    id: AccountId,
    /// The name that others see.
    name: String,
}

/// The question that was answered.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QuestionView {
    /// Its id.
    id: QuestionId,
    /// Its name in addresses.
    slug: String,
    /// Its title, in the reader's language if it is known.
    title: String,
}

impl From<KnownQuestion> for QuestionView {
    fn from(question: KnownQuestion) -> Self {
        Self {
            id: question.id,
            slug: question.slug,
            title: question.title,
        }
    }
}

impl From<Summary> for SubmissionSummary {
    fn from(summary: Summary) -> Self {
        Self {
            links: Links::to(summary.kind, summary.id),
            id: summary.id,
            account: Owner {
                id: summary.account,
                name: summary.account_name,
            },
            question: summary.question.map(QuestionView::from),
            version: summary.version,
            language: summary.language,
            status: summary.status,
            verdict: summary.verdict,
            score: summary.score,
            max_score: summary.max_score,
            time_ms: summary.time_ms,
            memory_kib: summary.memory_kib,
            failure_reason: summary.failure,
            accepted_at: summary.accepted_at,
            finished_at: summary.finished_at,
        }
    }
}

/// A submission with all that its log says.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SubmissionView {
    #[serde(flatten)]
    summary: SubmissionSummary,
    #[serde(flatten)]
    picture: Picture,
    /// The judgement that the rest is about.
    judgement: u32,
    /// All its judgements; more than one after it was judged anew.
    judgements: Vec<JudgementView>,
}

/// One judging of a submission.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JudgementView {
    /// From 1.
    number: u32,
    /// How far it has come.
    status: Status,
    /// Once there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<Verdict>,
}

impl SubmissionView {
    pub(crate) fn new(
        summary: Summary,
        picture: Picture,
        judgements: Vec<JudgementSummary>,
    ) -> Self {
        Self {
            judgement: summary.judgement,
            summary: summary.into(),
            picture,
            judgements: judgements
                .into_iter()
                .map(|judgement| JudgementView {
                    number: judgement.number,
                    status: judgement.status,
                    verdict: judgement.verdict,
                })
                .collect(),
        }
    }
}

/// A page of at most so many, of one more that was read to see whether there is another.
pub(crate) fn page<T>(
    mut items: Vec<T>,
    limit: u16,
    id: impl Fn(&T) -> Uuid,
) -> (Vec<T>, Option<String>) {
    let limit = usize::from(limit);
    if items.len() <= limit {
        return (items, None);
    }
    items.truncate(limit);
    let next = items.last().map(|last| id(last).simple().to_string());
    (items, next)
}

/// The place to go on from, out of the page before.
pub(crate) fn cursor(cursor: Option<&str>) -> Result<Option<Uuid>, Problem> {
    let place = cursor.map(Uuid::try_parse).transpose();
    place.map_err(|_| {
        Problem::invalid("the cursor is not one that a page before gave: leave it out to begin")
    })
}

/// How many a page may hold.
pub(crate) fn limit(limit: Option<u16>) -> Result<u16, Problem> {
    match limit.unwrap_or(20) {
        limit @ 1..=100 => Ok(limit),
        _ => Err(Problem::invalid(
            "a page holds 1 to 100: choose such a limit",
        )),
    }
}
