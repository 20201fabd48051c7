//! Batches: submissions judged anew, and stored solutions judged to prove a question; never in front of a learner.
//!
//! A batch is a list of items. Their judgements are made when their turn comes, a few at a time, and their jobs go through the
//! outbox to a topic of their own. What comes of a rejudge is a proposal: it counts when its teacher applies it.
//!
//! Never reviews, and never changes what counts without having been told to.

use contract::{
    Account, BatchId, SubmissionId,
    batch::{SolutionOutcome, SolutionTest, VerificationOutcome, VerificationRequest},
    job::SourceFile,
    manifest::Manifest,
};
use service::Problem;

use crate::{
    endings,
    job::Basis,
    log_writer,
    picture::Picture,
    questions,
    state::State,
    store::{
        batch::{self, NewBatch, NewSolution, Wanted},
        open, outbox, submission,
    },
};

/// How many judgements of batches are not over at a time, in all.
const AT_ONCE: u64 = 64;

/// What a solution's file is called; what matters is its text.
fn file_of(language: contract::Language, code: &str) -> SourceFile {
    SourceFile {
        name: crate::intake::main_file(language).to_owned(),
        content: code.to_owned(),
    }
}

/// Makes the next judgements of batches, as many as may be open.
pub(crate) async fn feed(state: &State) -> sqlx::Result<()> {
    let open = batch::open_bulk(&state.pool).await?;
    let room = i64::try_from(AT_ONCE.saturating_sub(open)).unwrap_or(0);
    if room == 0 {
        return Ok(());
    }
    let mut db = state.pool.begin().await?;
    let window = state.patience.submission_deadline;
    let begun = batch::feed(&mut db, window, room).await?;
    if begun.is_empty() {
        return Ok(());
    }
    let mut messages = vec![];
    for parts in open::job_parts(&mut *db, &begun).await? {
        messages.push(endings::job_message(parts)?);
    }
    outbox::add(&mut db, &messages).await?;
    db.commit().await?;
    state.outbox.wake();
    Ok(())
}

/// Judges submissions to a question anew by its current version; what comes of it is proposed.
pub(crate) async fn rejudge(
    state: &State,
    account: &Account,
    question: &str,
    wanted: &Wanted,
) -> Result<BatchId, Problem> {
    let Some(id) = batch::teachers_question(&state.pool, account, question).await? else {
        return Err(Problem::not_found("question"));
    };
    let mut version = None;
    let mut manifests = vec![];
    for language in batch::languages(&state.pool, id, wanted).await? {
        let key = id.to_string();
        let found = questions::manifest(&state.question, account, &key, language).await;
        let manifest: Manifest = match found {
            Ok(manifest) => manifest,
            // What the question does not take any more stays as it was judged.
            Err(problem) if problem.status() == 422 => continue,
            Err(problem) => return Err(problem),
        };
        version = version.max(Some(manifest.version));
        let basis = Basis {
            judging: manifest.judging,
            statement: None,
        };
        let encoded = basis.encode().map_err(|error| Problem::internal(&error))?;
        manifests.push((language, encoded));
    }
    let mut db = state.pool.begin().await?;
    let new = NewBatch {
        id: BatchId::new(),
        kind: "rejudge",
        question: id,
        version: version.unwrap_or(1),
        account,
    };
    batch::insert(&mut db, new).await?;
    let mut hashes = vec![];
    for (language, encoded) in &manifests {
        batch::keep_manifest(&mut db, encoded).await?;
        hashes.push((*language, encoded.1));
    }
    let count = batch::add_submissions(&mut db, new.id, id, wanted, &hashes).await?;
    db.commit().await?;
    tracing::info!(batch = %new.id, question = %id, count, account = %account.id, "{count} submissions are judged anew");
    feed(state).await?;
    Ok(new.id)
}

/// Judges the solutions of a candidate. Asked again with the same id it changes nothing.
pub(crate) async fn verify(
    state: &State,
    account: &Account,
    request: VerificationRequest,
) -> Result<(), Problem> {
    let mut db = state.pool.begin().await?;
    let new = NewBatch {
        id: request.id,
        kind: "verification",
        question: request.question,
        version: request.version,
        account,
    };
    if !batch::insert(&mut db, new).await? {
        return Ok(());
    }
    batch::keep_question(&mut db, &request).await?;
    for (solution, n) in request.solutions.iter().zip(1..) {
        let judging = request.judgings.get(&solution.language).ok_or_else(|| {
            Problem::invalid(format!("how {} is judged is missing", solution.language))
        })?;
        let basis = Basis {
            judging: judging.clone(),
            statement: None,
        };
        let encoded = basis.encode().map_err(|error| Problem::internal(&error))?;
        batch::keep_manifest(&mut db, &encoded).await?;
        let solution = NewSolution {
            n,
            submission: SubmissionId::new(),
            language: solution.language,
            files: &[file_of(solution.language, &solution.code)],
            manifest: &encoded.1,
            expect: solution.expect,
            reply_partition: state.outbox.some_reply_partition(),
        };
        batch::add_solution(&mut db, new, solution).await?;
    }
    db.commit().await?;
    feed(state).await?;
    Ok(())
}

/// Makes the verdicts of a rejudge count. Nothing changes where they do already.
pub(crate) async fn apply(state: &State, id: BatchId) -> Result<(), Problem> {
    let mut db = state.pool.begin().await?;
    match batch::lock_state(&mut db, id).await?.as_str() {
        "proposed" => {}
        "applied" => return Ok(()),
        _ => {
            return Err(Problem::conflict("it was discarded: begin another rejudge"));
        }
    }
    let mut messages = vec![];
    for record in batch::apply(&mut db, id).await? {
        messages.push(log_writer::record_message(&record)?);
    }
    outbox::add(&mut db, &messages).await?;
    batch::decide(&mut db, id, "applied").await?;
    db.commit().await?;
    state.outbox.wake();
    Ok(())
}

/// Leaves everything as it was; what was not begun is not judged any more.
pub(crate) async fn discard(state: &State, id: BatchId) -> Result<(), Problem> {
    let mut db = state.pool.begin().await?;
    match batch::lock_state(&mut db, id).await?.as_str() {
        "proposed" => {}
        "discarded" => return Ok(()),
        _ => {
            return Err(Problem::conflict(
                "it was applied: its verdicts count already, and another rejudge can change them",
            ));
        }
    }
    batch::decide(&mut db, id, "discarded").await?;
    db.commit().await?;
    Ok(())
}

/// What has come of a verification.
pub(crate) async fn outcome(state: &State, id: BatchId) -> sqlx::Result<VerificationOutcome> {
    let items = batch::outcome_items(&state.pool, id).await?;
    let complete = items.iter().all(|item| item.terminal);
    let mut solutions = Vec::with_capacity(items.len());
    for item in items {
        let log = match item.judgement {
            Some(judgement) => submission::log(&state.pool, item.submission, judgement).await?,
            None => vec![],
        };
        let picture = Picture::of(log);
        let compiler = picture.compiled.filter(|compiled| !compiled.ok);
        solutions.push(SolutionOutcome {
            solution: item.n,
            language: item.language,
            expect: item.expect.unwrap_or(contract::Verdict::Accepted),
            verdict: item.verdict,
            failure: item.failure,
            compiler: compiler.map(|compiled| compiled.log),
            tests: picture
                .tests
                .into_iter()
                .map(|test| SolutionTest {
                    name: test.name,
                    verdict: test.verdict,
                    time_ms: test.time_ms,
                    memory_kib: test.memory_kib,
                })
                .collect(),
        });
    }
    Ok(VerificationOutcome {
        complete,
        solutions,
    })
}
