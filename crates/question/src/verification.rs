//! Proving a draft: its stored solutions are judged as learners' code would be, and each must get the verdict that it is stored
//! with.
//!
//! Execute judges, in a batch of its own that is never in front of a learner; here stands which content was proven, and what
//! came of it. Never talks to Kafka or to a runner.

use std::{collections::BTreeMap, time::Duration};

use contract::{
    Account, AccountId, BatchId, Language, Locale, QuestionId, Verdict,
    batch::{SolutionOutcome, SolutionToJudge, VerificationOutcome, VerificationRequest},
    manifest::{Judging, TestRef},
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::{
    document::Document,
    error::QuestionError,
    rules::Fault,
    state::AppState,
    store::{self, Verification},
};

/// How long execute may take to say how far it has come.
const PATIENCE: Duration = Duration::from_secs(5);

/// How the proof of a draft stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QuestionVerification)]
pub(crate) struct VerificationView {
    /// The batch.
    id: BatchId,
    /// Whether every solution got the verdict that it is stored with.
    state: VerificationState,
    /// Whether the draft is judged as it was then: a proof of something else proves nothing.
    current: bool,
    /// When it was begun.
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    /// What came of each solution, test by test; empty while it is `running`.
    solutions: Vec<SolutionOutcome>,
}

impl VerificationView {
    /// Differs where it stands differently: part of the entity tag.
    pub(crate) fn mark(&self) -> String {
        format!("{:?}-{}", self.state, &self.id.0.simple().to_string()[24..])
    }
}

/// How a proof stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum VerificationState {
    /// Not everything is judged yet.
    Running,
    /// Every solution got the verdict that it is stored with.
    Passed,
    /// One of them did not.
    Failed,
}

impl VerificationState {
    fn of(outcome: Option<&VerificationOutcome>) -> Self {
        let Some(outcome) = outcome else {
            return Self::Running;
        };
        let right = |one: &SolutionOutcome| one.verdict == Some(one.expect);
        let proven = outcome
            .solutions
            .iter()
            .any(|one| one.expect == Verdict::Accepted);
        if proven && outcome.solutions.iter().all(right) {
            Self::Passed
        } else {
            Self::Failed
        }
    }
}

/// How code in this language is judged.
pub(crate) fn judging(document: &Document, language: Language, tests: Vec<TestRef>) -> Judging {
    Judging {
        kind: document.kind,
        limits: document.limits,
        time_factor: document.time_factor(language),
        checker: document.checker.clone(),
        mode: document.judging,
        feedback: document.feedback,
        driver: document.driver(language).map(str::to_owned),
        tests,
        groups: document.groups.clone(),
    }
}

/// Of all that verdicts depend on. Another title or statement proves nothing anew.
pub(crate) fn content(draft: &Document, tests: &[TestRef]) -> Result<[u8; 32], QuestionError> {
    let judged = (
        (draft.kind, &draft.limits, &draft.checker, draft.judging),
        (&draft.groups, &draft.languages, &draft.solutions),
        tests,
    );
    let bytes =
        serde_json::to_vec(&judged).map_err(|error| QuestionError::Unexpected(Box::new(error)))?;
    Ok(Sha256::digest(bytes).into())
}

/// What is wrong with a draft that is to be proven.
fn faults(state: &AppState, draft: &Document, tests: &[TestRef]) -> Vec<Fault> {
    let mut faults = Vec::new();
    if tests.is_empty() {
        faults.push(Fault::new(
            "/tests",
            "required",
            "a question is proven with at least one test",
        ));
    }
    let right = |verdict: Verdict| verdict == Verdict::Accepted;
    if !draft.solutions.iter().any(|one| right(one.expect)) {
        faults.push(Fault::new(
            "/solutions",
            "required",
            "a question is proven with at least one solution that is right (`expect`: `AC`)",
        ));
    }
    let (offered, installed) = (draft.offered(), state.languages.known());
    for (index, solution) in draft.solutions.iter().enumerate() {
        let language = solution.language;
        let place = format!("/solutions/{index}/language");
        if !offered.contains(&language) {
            let message =
                format!("the question cannot be answered in {language}: it needs a driver");
            faults.push(Fault::new(place, "not-offered", message));
        } else if installed
            .as_ref()
            .is_some_and(|installed| installed.version(language).is_none())
        {
            let message = format!("no runner has {language}");
            faults.push(Fault::new(place, "not-installed", message));
        }
    }
    faults
}

/// What is to be proven.
pub(crate) struct Candidate {
    pub(crate) question: QuestionId,
    pub(crate) version: i32,
    pub(crate) draft: Document,
    pub(crate) tests: Vec<TestRef>,
    pub(crate) teachers: Vec<AccountId>,
}

/// Has the solutions judged. The answer is the batch.
pub(crate) async fn begin(
    state: &AppState,
    account: &Account,
    candidate: Candidate,
) -> Result<BatchId, QuestionError> {
    let Candidate { draft, tests, .. } = &candidate;
    let faults = faults(state, draft, tests);
    if !faults.is_empty() {
        return Err(faults.into());
    }
    let content = content(draft, tests)?;
    let languages = draft.solutions.iter().map(|solution| solution.language);
    let judgings: BTreeMap<Language, Judging> = languages
        .map(|language| (language, judging(draft, language, tests.clone())))
        .collect();
    let title = |locale: Locale| Some((locale, draft.titles.text(locale)?.to_owned()));
    let request = VerificationRequest {
        id: BatchId::new(),
        question: candidate.question,
        version: candidate.version.unsigned_abs(),
        slug: draft.slug.clone(),
        titles: [Locale::Ko, Locale::En]
            .into_iter()
            .filter_map(title)
            .collect(),
        teachers: candidate.teachers.clone(),
        judgings,
        solutions: draft
            .solutions
            .iter()
            .map(|solution| SolutionToJudge {
                language: solution.language,
                code: solution.code.clone(),
                expect: solution.expect,
            })
            .collect(),
    };
    let asking = state.execute.post("/internal/batches").account(account);
    let accepted = asking.body(&request).send().await;
    accepted.map_err(service::Problem::from)?;
    store::insert_verification(
        &state.pool,
        request.id,
        request.question,
        &content,
        account.id,
    )
    .await?;
    Ok(request.id)
}

/// The newest proof, as execute knows it now.
pub(crate) async fn latest(
    state: &AppState,
    question: QuestionId,
) -> Result<Option<Verification>, QuestionError> {
    let Some(mut found) = store::latest_verification(&state.pool, question).await? else {
        return Ok(None);
    };
    if found.outcome.is_some() {
        return Ok(Some(found));
    }
    let path = format!("/internal/batches/{}/solutions", found.id);
    let asking = state.execute.get(&path).timeout(PATIENCE);
    match asking.json::<VerificationOutcome>().await {
        Ok(outcome) if outcome.complete => {
            let mut connection = state.pool.acquire().await?;
            store::keep_outcome(&mut connection, found.id, &outcome).await?;
            found.outcome = Some(sqlx::types::Json(outcome));
        }
        Ok(_) => {}
        Err(error) => {
            tracing::warn!(%error, "execute does not say how a verification stands: {error}");
        }
    }
    Ok(Some(found))
}

/// How it stands, if it is of this content.
pub(crate) fn state_of(
    found: Option<&Verification>,
    content: &[u8; 32],
) -> Option<VerificationState> {
    let found = found.filter(|found| found.content == content)?;
    let outcome = found.outcome.as_ref().map(|json| &json.0);
    Some(VerificationState::of(outcome))
}

/// As its teachers see it.
pub(crate) fn view(found: Verification, content: &[u8; 32]) -> VerificationView {
    let outcome = found.outcome.map(|json| json.0);
    VerificationView {
        id: BatchId(found.id),
        state: VerificationState::of(outcome.as_ref()),
        current: found.content == content,
        created_at: found.created_at,
        solutions: outcome.map(|outcome| outcome.solutions).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(expected: &[(Verdict, Option<Verdict>)]) -> VerificationOutcome {
        let solution = |(expect, verdict): &(Verdict, Option<Verdict>)| SolutionOutcome {
            solution: 1,
            language: Language::Python,
            expect: *expect,
            verdict: *verdict,
            failure: None,
            compiler: None,
            tests: vec![],
        };
        VerificationOutcome {
            complete: true,
            solutions: expected.iter().map(solution).collect(),
        }
    }

    #[test]
    fn proves_only_what_came_out_as_expected() {
        use Verdict::{Accepted, WrongAnswer};

        for (expected, state) in [
            (vec![(Accepted, Some(Accepted))], VerificationState::Passed),
            (
                vec![(Accepted, Some(Accepted)), (WrongAnswer, Some(WrongAnswer))],
                VerificationState::Passed,
            ),
            (
                vec![(Accepted, Some(Accepted)), (WrongAnswer, Some(Accepted))],
                VerificationState::Failed,
            ),
            (vec![(Accepted, None)], VerificationState::Failed),
            (
                vec![(WrongAnswer, Some(WrongAnswer))],
                VerificationState::Failed,
            ),
        ] {
            let outcome = outcome(&expected);
            assert_eq!(VerificationState::of(Some(&outcome)), state, "{expected:?}");
        }
        assert_eq!(VerificationState::of(None), VerificationState::Running);
    }
}
