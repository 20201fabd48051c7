//! `/rejudges` and `/batches`: judge submissions anew, look at what would change, and let it count or not.

use axum::{
    extract::State as AxumState,
    response::{IntoResponse, Response},
};
use contract::{
    AccountId, BatchId, Language, QuestionId, SubmissionId, Verdict, batch::SolutionOutcome,
};
use http::{StatusCode, header::LOCATION};
use serde::{Deserialize, Serialize};
use service::{
    Problem,
    extract::{Json, Path},
    token::Principal,
};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::{
    batches,
    state::State,
    store::batch::{self, Batch, Change, Wanted},
};

/// Most changed verdicts that a look at a batch shows; its stream tells all.
const MOST_CHANGES: i64 = 1_000;

/// What to judge anew.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RejudgeRequest {
    /// A question of yours: its id or slug.
    question: String,
    /// Which submissions to it; all that are over if absent.
    #[schema(value_type = Option<RejudgeFilter>)]
    filter: Option<RejudgeFilter>,
}

/// Which submissions: those for which all that is named holds.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RejudgeFilter {
    /// With this verdict, or one of these.
    #[schema(value_type = Option<Vec<Verdict>>)]
    #[serde(alias = "verdicts")]
    verdict: Option<OneOrMany<Verdict>>,
    /// In this language, or one of these.
    #[schema(value_type = Option<Vec<Language>>)]
    #[serde(alias = "languages")]
    language: Option<OneOrMany<Language>>,
    /// These ones.
    #[schema(value_type = Option<Vec<uuid::Uuid>>)]
    #[serde(alias = "submission")]
    submissions: Option<OneOrMany<SubmissionId>>,
    /// Of this account.
    account: Option<AccountId>,
    /// Accepted at this time or later.
    #[serde(default, with = "time::serde::rfc3339::option")]
    from: Option<OffsetDateTime>,
    /// Accepted before this time.
    #[serde(default, with = "time::serde::rfc3339::option")]
    to: Option<OffsetDateTime>,
}

/// A value, or a list of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    fn into_list(self) -> Vec<T> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}

impl From<RejudgeFilter> for Wanted {
    fn from(filter: RejudgeFilter) -> Self {
        Self {
            verdicts: filter.verdict.map(OneOrMany::into_list),
            languages: filter.language.map(OneOrMany::into_list),
            submissions: filter.submissions.map(OneOrMany::into_list),
            account: filter.account,
            from: filter.from,
            to: filter.to,
        }
    }
}

/// A batch.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Batch)]
pub(crate) struct BatchView {
    /// Its id.
    id: BatchId,
    /// `rejudge` or `verification`.
    kind: String,
    /// The question.
    question: BatchQuestion,
    /// The version that judges; of a verification the one that the draft would become.
    version: i32,
    /// Who began it.
    account: BatchAccount,
    /// `judging`, `judged`, `applied` or `discarded`.
    status: String,
    /// When it was begun.
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    /// When it was applied or discarded.
    #[serde(with = "time::serde::rfc3339::option")]
    decided_at: Option<OffsetDateTime>,
    /// How many judgements belong to it.
    total: i64,
    /// How many of them are over.
    judged: i64,
    /// How many ended without a verdict.
    failed: i64,
    /// How many verdicts or scores are others than before.
    changed: i64,
    /// What would change, or has, the first thousand; empty for a verification.
    changes: Vec<BatchChange>,
    /// What came of each solution; of a verification only.
    #[serde(skip_serializing_if = "Option::is_none")]
    solutions: Option<Vec<SolutionOutcome>>,
    /// Where more is found.
    links: BatchLinks,
}

/// The question of a batch.
#[derive(Debug, Serialize, ToSchema)]
struct BatchQuestion {
    /// Its id.
    id: QuestionId,
    /// Its name in addresses.
    slug: String,
    /// Its title, in the reader's language if it is known.
    title: String,
}

/// Whose.
#[derive(Debug, Serialize, ToSchema)]
struct BatchAccount {
    /// The account.
    id: AccountId,
    /// The name that others see.
    name: String,
}

/// A verdict that changes.
#[derive(Debug, Serialize, ToSchema)]
struct BatchChange {
    /// Of which submission.
    submission: SubmissionId,
    /// The judgement that is proposed.
    judgement: i32,
    /// Whose.
    account: BatchAccount,
    /// What counted.
    before: BatchVerdict,
    /// What was proposed.
    after: BatchVerdict,
}

/// A verdict with its score.
#[derive(Debug, Serialize, ToSchema)]
struct BatchVerdict {
    /// `null` where there was none.
    #[schema(value_type = Option<Verdict>)]
    verdict: Option<String>,
    /// `null` where there was none.
    score: Option<f64>,
}

/// Where more is found.
#[derive(Debug, Serialize, ToSchema)]
struct BatchLinks {
    /// This.
    #[serde(rename = "self")]
    itself: String,
    /// Its stream of events (SSE).
    events: String,
}

impl From<Change> for BatchChange {
    fn from(change: Change) -> Self {
        Self {
            submission: SubmissionId(change.submission),
            judgement: change.judgement,
            account: BatchAccount {
                id: AccountId(change.account),
                name: change.account_name,
            },
            before: BatchVerdict {
                verdict: change.before,
                score: change.before_score,
            },
            after: BatchVerdict {
                verdict: change.after,
                score: change.after_score,
            },
        }
    }
}

/// Judge submissions anew
///
/// By the question's current version, without a review. What comes of it does not count before it is applied.
#[utoipa::path(
    post, path = "/api/v1/rejudges", tag = "batches", request_body = RejudgeRequest,
    responses(
        (status = 202, body = BatchView, headers(("Location" = String))),
        (status = 400, description = "Not JSON", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not a teacher", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such question of yours, or nobody has answered it yet", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Not JSON", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Something in it is wrong", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn rejudge(
    AxumState(state): AxumState<State>,
    principal: Principal,
    body: Result<Json<RejudgeRequest>, Problem>,
) -> Result<Response, Problem> {
    // Whoever may not is told so first.
    principal.require_teacher()?;
    let Json(request) = body?;
    if request.question.contains('\0') {
        return Err(Problem::not_found("question"));
    }
    let wanted = Wanted::from(request.filter.unwrap_or_default());
    let id = batches::rejudge(&state, &principal, &request.question, &wanted).await?;
    let view = look_at(&state, &principal, id).await?;
    let location = [(LOCATION, view.links.itself.clone())];
    Ok((StatusCode::ACCEPTED, location, Json(view)).into_response())
}

/// Look at a batch
///
/// How far it has come, and what would change.
#[utoipa::path(
    get, path = "/api/v1/batches/{id}", tag = "batches", operation_id = "show_batch",
    params(("id" = uuid::Uuid, Path, description = "The batch")),
    responses(
        (status = 200, body = BatchView),
        (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not a teacher", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is none for you", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn show(
    AxumState(state): AxumState<State>,
    principal: Principal,
    Path(id): Path<BatchId>,
) -> Result<Json<BatchView>, Problem> {
    principal.require_teacher()?;
    look_at(&state, &principal, id).await.map(Json)
}

/// Let a rejudge count
///
/// Its verdicts take the place of those before. Once all its judgements are over; a submission without a new verdict keeps its own.
#[utoipa::path(
    post, path = "/api/v1/batches/{id}/apply", tag = "batches", operation_id = "apply_batch",
    params(("id" = uuid::Uuid, Path, description = "The batch")),
    responses(
        (status = 200, body = BatchView),
        (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not a teacher", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is none for you", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Not a rejudge, not over yet, or discarded", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn apply(
    AxumState(state): AxumState<State>,
    principal: Principal,
    Path(id): Path<BatchId>,
) -> Result<Json<BatchView>, Problem> {
    let batch = rejudge_of(&state, &principal, id).await?;
    if !batch.is_complete() && batch.state == "proposed" {
        return Err(Problem::conflict(
            "it is still being judged: apply it when its status is `judged`",
        ));
    }
    batches::apply(&state, id).await?;
    look_at(&state, &principal, id).await.map(Json)
}

/// Leave everything as it was
///
/// What was not judged yet is not judged any more.
#[utoipa::path(
    post, path = "/api/v1/batches/{id}/discard", tag = "batches", operation_id = "discard_batch",
    params(("id" = uuid::Uuid, Path, description = "The batch")),
    responses(
        (status = 200, body = BatchView),
        (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not a teacher", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is none for you", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Not a rejudge, or applied", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn discard(
    AxumState(state): AxumState<State>,
    principal: Principal,
    Path(id): Path<BatchId>,
) -> Result<Json<BatchView>, Problem> {
    rejudge_of(&state, &principal, id).await?;
    batches::discard(&state, id).await?;
    look_at(&state, &principal, id).await.map(Json)
}

async fn find(state: &State, principal: &Principal, id: BatchId) -> Result<Batch, Problem> {
    principal.require_teacher()?;
    let found = batch::find(&state.pool, principal, id).await?;
    found.ok_or_else(|| Problem::not_found("batch"))
}

async fn rejudge_of(state: &State, principal: &Principal, id: BatchId) -> Result<Batch, Problem> {
    let batch = find(state, principal, id).await?;
    if batch.is_rejudge() {
        return Ok(batch);
    }
    Err(Problem::conflict(
        "it is a verification: its verdicts never count, publish the question instead",
    ))
}

async fn look_at(state: &State, principal: &Principal, id: BatchId) -> Result<BatchView, Problem> {
    let batch = find(state, principal, id).await?;
    let (changes, solutions) = if batch.is_rejudge() {
        let all = (0, i32::MAX);
        let changes = batch::changes(&state.pool, id, all, MOST_CHANGES).await?;
        (changes, None)
    } else {
        let outcome = batches::outcome(state, id).await?;
        (vec![], Some(outcome.solutions))
    };
    let status = match batch.state.as_str() {
        "proposed" if batch.is_complete() => "judged",
        "proposed" => "judging",
        decided => decided,
    };
    let itself = format!("/api/v1/batches/{id}");
    Ok(BatchView {
        id,
        status: status.to_owned(),
        kind: batch.kind,
        question: BatchQuestion {
            id: QuestionId(batch.question),
            slug: batch.slug,
            title: batch.title,
        },
        version: batch.version,
        account: BatchAccount {
            id: AccountId(batch.account),
            name: batch.account_name,
        },
        created_at: batch.created_at,
        decided_at: batch.decided_at,
        total: batch.total,
        judged: batch.judged,
        failed: batch.failed,
        changed: if solutions.is_some() {
            0
        } else {
            batch.changed
        },
        changes: changes.into_iter().map(BatchChange::from).collect(),
        solutions,
        links: BatchLinks {
            events: format!("{itself}/events"),
            itself,
        },
    })
}
