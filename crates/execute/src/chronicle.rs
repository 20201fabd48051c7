//! Folding a batch of events into lines of the log.
//!
//! What comes may be doubled, late, of a superseded worker, or of a submission that is long forgotten: what is kept is what the
//! one fold shows. Pure; the log writer loads before and stores after.

use std::collections::{BTreeSet, HashMap};

use contract::{
    EventBody, Language, Step, StreamEvent, Verdict,
    record::{Judged, ResultRecord},
};

use crate::{
    intake::Kind,
    standing::Standing,
    store::log::{JudgementKey, Line, Open},
};

/// An event with the text that it came as.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Heard {
    pub(crate) event: StreamEvent,
    /// Its JSON, kept as it is: a field that we do not know yet is not lost.
    pub(crate) text: String,
}

impl Heard {
    pub(crate) fn judgement(&self) -> JudgementKey {
        (self.event.submission, self.event.key.judgement)
    }
}

/// What a batch adds to the log.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chapter {
    pub(crate) lines: Vec<Line>,
    /// Where the judgements stand that something was shown of, by key.
    pub(crate) standings: Vec<(JudgementKey, Standing)>,
    /// For the metric: how submissions ended up, by language; a failure has no verdict.
    pub(crate) results: Vec<(Language, Option<Verdict>)>,
    /// What became of judgements that are over now.
    pub(crate) records: Vec<ResultRecord>,
    /// Events that came before something that they follow.
    pub(crate) gaps: u64,
}

/// Folds a batch, in the order of the reply partition, over where its judgements stood.
pub(crate) fn fold(mut open: HashMap<JudgementKey, Open>, batch: Vec<Heard>) -> Chapter {
    let mut chapter = Chapter::default();
    let mut changed = BTreeSet::new();
    for heard in batch {
        let key = heard.judgement();
        // A run that has expired is remembered nowhere.
        let Some(judgement) = open.get_mut(&key) else {
            continue;
        };
        match judgement.standing.step(&heard.event) {
            Step::Drop => {}
            Step::Gap => chapter.gaps += 1,
            Step::Show => {
                changed.insert(key);
                chapter.results.extend(result(judgement, &heard.event));
                if heard.event.body.is_terminal() {
                    chapter.records.push(record(judgement, key));
                }
                chapter.lines.push(Line {
                    judgement: key,
                    attempt: heard.event.key.attempt,
                    seq: heard.event.key.seq,
                    body: heard.text,
                });
            }
        }
    }
    let standing = |key| open.remove(&key).map(|judgement| (key, judgement.standing));
    chapter.standings = changed.into_iter().filter_map(standing).collect();
    chapter
}

/// What became of a judgement, for whoever comes later.
fn record(judgement: &Open, (submission, number): JudgementKey) -> ResultRecord {
    let (facts, standing) = (&judgement.facts, &judgement.standing);
    let verdict = standing.verdict.as_ref();
    ResultRecord {
        submission,
        judgement: number,
        kind: match judgement.kind {
            Kind::Submission => Judged::Submission,
            Kind::Run => Judged::Run,
            Kind::Solution => Judged::Solution,
        },
        account: facts.account,
        question: facts.question,
        version: facts.version,
        language: judgement.language,
        verdict: verdict.map(|verdict| verdict.verdict).or(facts.verdict),
        score: verdict.map(|verdict| verdict.score).or(facts.score),
        max_score: verdict.map(|verdict| verdict.max_score).or(facts.max_score),
        failure: standing.failure.clone(),
        applied: facts.applied,
        batch: facts.batch,
        machine_ms: facts.machine_ms + standing.machine_ms,
        tokens: facts.tokens + standing.tokens,
        accepted_at: facts.accepted_at,
    }
}

/// Runs and solutions do not count.
fn result(judgement: &Open, event: &StreamEvent) -> Option<(Language, Option<Verdict>)> {
    if judgement.kind != Kind::Submission {
        return None;
    }
    match &event.body {
        EventBody::Verdict(verdict) => Some((judgement.language, Some(verdict.verdict))),
        EventBody::Failed(_) => Some((judgement.language, None)),
        _ => None,
    }
}
