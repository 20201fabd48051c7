//! Accepting what was handed in: all that a 202 promises, in one statement, or nothing.
//!
//! ```text
//!   draft ─► language known? ─► room to wait? ─► manifest ─► one statement ─► 202
//!              │ refused, but its idempotency key is known        │ id or key was there before
//!              └────────────────────► the first answer ◄──────────┘
//! ```
//! Kafka is not waited for: the job lies in the outbox when the answer goes out.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use contract::{Account, SubmissionId, manifest::Manifest, topic::MAX_MESSAGE_BYTES};
use service::Problem;
use time::OffsetDateTime;

use crate::{
    intake::{Draft, Kind, Refusal},
    job::{self, Basis, Parts},
    questions,
    state::State,
    store::{
        accept::{self, First, Insertion, NewSubmission, Placed},
        intake,
    },
};

/// How long the fast path may take before the sweeper sends the message a second time.
const HEAD_START: Duration = Duration::from_secs(1);

/// What a client shall wait while the intake is closed: how long that will be nobody knows.
const CLOSED_RETRY_AFTER: u64 = 60;

/// Hashes of manifests that are remembered to be stored: 32 bytes each.
const REMEMBERED: usize = 100_000;

/// What comes with a draft.
#[derive(Debug, Clone)]
pub(crate) struct Proposal {
    pub(crate) id: SubmissionId,
    pub(crate) reply_partition: i32,
    pub(crate) idempotency_key: Option<String>,
}

/// What was answered, now or the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Receipt {
    pub(crate) id: SubmissionId,
    pub(crate) reply_partition: i32,
    pub(crate) accepted_at: OffsetDateTime,
}

/// Manifests that are known to be stored, so that they need not be sent to the database again.
#[derive(Debug, Default)]
pub(crate) struct StoredManifests(Mutex<HashSet<[u8; 32]>>);

impl StoredManifests {
    fn contains(&self, sha256: &[u8; 32]) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(sha256)
    }

    fn remember(&self, sha256: [u8; 32]) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(sha256);
    }
}

/// Accepts a draft, or finds what was answered to it before.
pub(crate) async fn accept(
    state: &State,
    account: &Account,
    draft: Draft,
    proposal: &Proposal,
) -> Result<Receipt, Problem> {
    let (kind, fingerprint) = (draft.wish.kind(), draft.fingerprint);
    let refused = match place(state, account, draft, proposal).await {
        Ok(Some(placed)) => {
            let receipt = Receipt {
                id: proposal.id,
                reply_partition: proposal.reply_partition,
                accepted_at: placed.accepted_at,
            };
            state.outbox.send_now(proposal.id, placed);
            return Ok(receipt);
        }
        Ok(None) => None,
        // A question may have been withdrawn meanwhile, a runner may have lost a language: a repeat is none the less answered.
        Err(problem) if proposal.idempotency_key.is_some() => Some(problem),
        Err(problem) => return Err(problem),
    };
    let first = accept::first(
        &state.pool,
        kind,
        account,
        proposal.idempotency_key.as_deref(),
        proposal.id,
        &fingerprint,
    )
    .await?;
    match (first, refused) {
        (Some(first), _) if first.same => Ok(first.into()),
        (Some(_), _) => Err(already_used(proposal)),
        (None, Some(problem)) => Err(problem),
        (None, None) => Err(Problem::unavailable(
            "this was accepted and withdrawn at once: send it again",
        )),
    }
}

impl From<First> for Receipt {
    fn from(first: First) -> Self {
        Self {
            id: first.id,
            reply_partition: first.reply_partition,
            accepted_at: first.accepted_at,
        }
    }
}

fn already_used(proposal: &Proposal) -> Problem {
    match proposal.idempotency_key {
        Some(_) => Problem::conflict(
            "this Idempotency-Key was used for another request: take a new key for a new request",
        ),
        None => Problem::conflict("this id was used for another submission: take a new one"),
    }
}

/// Stores it all. `None`: its id or idempotency key was there before.
async fn place(
    state: &State,
    account: &Account,
    draft: Draft,
    proposal: &Proposal,
) -> Result<Option<Placed>, Problem> {
    require_language(state, &draft)?;
    state.outbox.require_room()?;
    let manifest = match &draft.question {
        Some(key) => {
            Some(questions::manifest(&state.question, account, key, draft.language).await?)
        }
        None => None,
    };
    let manifest = manifest.as_ref();
    let basis = Basis::of(&draft, manifest)?;
    let (basis_text, basis_sha256) = basis.encode().map_err(|error| Problem::internal(&error))?;
    let kind = draft.wish.kind();
    let fingerprint = draft.fingerprint;
    let parts = Parts::of_draft(draft, basis, manifest, account, proposal);
    let job = encode_job(&parts, manifest)?;
    let known = state.manifests.contains(&basis_sha256);
    let new = NewSubmission {
        parts: &parts,
        account,
        manifest,
        basis_sha256: &basis_sha256,
        basis: (!known).then_some(basis_text.as_str()),
        fingerprint: &fingerprint,
        idempotency_key: proposal.idempotency_key.as_deref(),
        job: &job,
        window: if kind == Kind::Run {
            state.patience.run_deadline
        } else {
            state.patience.submission_deadline
        },
        head_start: HEAD_START,
        waiting_most: state.patience.waiting_per_account,
    };
    match accept::insert(&state.pool, new).await? {
        Insertion::Placed(placed) => {
            state.manifests.remember(basis_sha256);
            Ok(Some(*placed))
        }
        Insertion::KnownBefore => Ok(None),
        Insertion::TooManyWait => Err(too_many_wait(state, account).await?),
        Insertion::Closed => Err(closed(state).await?),
    }
}

/// How long to wait: until the account's oldest is about to have its turn, going by how long the oldest of all has waited.
async fn too_many_wait(state: &State, account: &Account) -> Result<Problem, Problem> {
    let seconds = intake::next_turn(&state.pool, account.id).await?;
    let most = state.patience.waiting_per_account;
    metrics::counter!("codementor_refused_total", "why" => "waiting").increment(1);
    let detail = format!(
        "{most} of yours wait to be judged already: wait for one of them to end, or cancel one"
    );
    Ok(Problem::rate_limited(detail, seconds))
}

/// What the operator says to those who come while the intake is closed.
async fn closed(state: &State) -> Result<Problem, Problem> {
    let intake = intake::read(&state.pool).await?;
    metrics::counter!("codementor_refused_total", "why" => "closed").increment(1);
    let detail = if intake.message.is_empty() {
        "nothing is accepted just now; what was accepted before is judged all the same".to_owned()
    } else {
        intake.message
    };
    Ok(Problem::overloaded(detail, CLOSED_RETRY_AFTER))
}

/// Refuses a language that no runner has. While none has ever answered, the question alone decides.
fn require_language(state: &State, draft: &Draft) -> Result<(), Refusal> {
    let Some(known) = state.languages.known() else {
        return Ok(());
    };
    if known.iter().any(|language| language.id == draft.language) {
        return Ok(());
    }
    let offered: Vec<&str> = known.iter().map(|language| language.id.id()).collect();
    Err(job::no_such_language(draft.language, &offered))
}

/// The job's JSON. One that Kafka would never take is refused here: in the outbox it would stay for ever.
fn encode_job(parts: &Parts, manifest: Option<&Manifest>) -> Result<String, Problem> {
    let job = serde_json::to_string(&parts.clone().into_job())
        .map_err(|error| Problem::internal(&error))?;
    if job.len() + 1_024 <= MAX_MESSAGE_BYTES {
        return Ok(job);
    }
    let tests = manifest.map_or(0, |manifest| manifest.judging.tests.len());
    Err(Problem::payload_too_large(format!(
        "the question's {tests} tests and the code are too much for one job: tell the question's teacher"
    )))
}
