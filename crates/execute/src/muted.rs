//! `feedback: none`: a learner is told that it was received, and no more, until the question's teacher says otherwise.
//!
//! The copy of the question says whether; where it says so, the question itself is asked whether it still does. Whoever cannot be
//! asked has not said otherwise.

use contract::{Account, SubmissionId, manifest::Feedback};
use service::Problem;

use crate::{questions, state::State, store::muted as store};

/// Whether `viewer` is told nothing of this submission.
pub(crate) async fn is_muted(
    state: &State,
    viewer: &Account,
    id: SubmissionId,
) -> Result<bool, Problem> {
    if store::muted(&state.pool, viewer, &[id]).await?.is_empty() {
        return Ok(false);
    }
    let Some((question, language)) = store::question_of(&state.pool, id).await? else {
        return Ok(false);
    };
    let key = question.to_string();
    let Ok(manifest) = questions::manifest(&state.question, viewer, &key, language).await else {
        return Ok(true);
    };
    let feedback = manifest.judging.feedback;
    if feedback != Feedback::None {
        store::tell(&state.pool, question, feedback).await?;
    }
    Ok(feedback == Feedback::None)
}
