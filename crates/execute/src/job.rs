//! Jobs: what execute hands to evaluation, made at submit and made again when one was lost.
//!
//! What judges a submission is fixed when it is accepted, and kept apart from it under its hash, so that thousands of
//! submissions to a question share one copy. Pure.

use contract::{
    Account, AccountId, Language, Locale, QuestionId, SubmissionId, Topic,
    job::{JudgeJob, ReviewContext, SourceFile, Task},
    manifest::{
        Checker, Feedback, Judging, JudgingMode, Limits, Manifest, QuestionKind, Statement,
    },
    topic::Headers,
};
use serde::{Deserialize, Serialize};
use service::trace::Traceparent;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use crate::{
    accept::Proposal,
    intake::{Draft, Fault, Kind, Refusal, Wish},
};

/// What judges: equal for all submissions to a question's version in a language, and kept once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Basis {
    pub(crate) judging: Judging,
    /// What a reviewer may know; only where there is a review.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) statement: Option<Statement>,
}

impl Basis {
    /// What judges this draft; `manifest` is that of the draft's question.
    pub(crate) fn of(draft: &Draft, manifest: Option<&Manifest>) -> Result<Self, Refusal> {
        let Some(manifest) = manifest else {
            return Ok(Self::without_question(draft.language));
        };
        if !manifest.languages.contains(&draft.language) {
            let offered: Vec<&str> = manifest
                .languages
                .iter()
                .map(|language| language.id())
                .collect();
            return Err(no_such_language(draft.language, &offered));
        }
        let mut judging = manifest.judging.clone();
        match draft.wish {
            Wish::Judge => {}
            Wish::Samples => judging.tests.retain(|test| test.sample),
            Wish::Run { .. } => judging.tests.clear(),
        }
        if draft.wish == Wish::Samples && judging.tests.is_empty() {
            return Err(Refusal::Invalid(Fault {
                pointer: "/samples".to_owned(),
                code: "no_samples",
                message: "the question has no samples: send input of your own".to_owned(),
            }));
        }
        let statement = (draft.wish == Wish::Judge).then(|| manifest.statement.clone());
        Ok(Self { judging, statement })
    }

    /// A bare program under the default limits.
    fn without_question(language: Language) -> Self {
        Self {
            judging: Judging {
                kind: QuestionKind::Stdio,
                limits: Limits::default(),
                time_factor: language.default_time_factor(),
                checker: Checker::default(),
                mode: JudgingMode::default(),
                feedback: Feedback::default(),
                driver: None,
                tests: vec![],
                groups: Vec::new(),
            },
            statement: None,
        }
    }

    /// Its JSON, and the hash of that.
    pub(crate) fn encode(&self) -> serde_json::Result<(String, [u8; 32])> {
        let text = serde_json::to_string(self)?;
        let hash = Sha256::digest(&text).into();
        Ok((text, hash))
    }
}

/// Nobody can judge this language: not the runners, or not the question.
pub(crate) fn no_such_language(language: Language, offered: &[&str]) -> Refusal {
    let offered = offered.join(", ");
    Refusal::Invalid(Fault {
        pointer: "/language".to_owned(),
        code: "unsupported_language",
        message: format!("{language} cannot be judged here; choose one of: {offered}"),
    })
}

/// All that a job is made of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parts {
    pub(crate) submission: SubmissionId,
    pub(crate) judgement: u32,
    pub(crate) kind: Kind,
    pub(crate) account: AccountId,
    pub(crate) locale: Locale,
    pub(crate) question: Option<QuestionId>,
    pub(crate) version: Option<u32>,
    pub(crate) language: Language,
    pub(crate) files: Vec<SourceFile>,
    pub(crate) stdin: Option<String>,
    pub(crate) basis: Basis,
    /// Whether it is of a batch, and so never in front of a learner.
    pub(crate) bulk: bool,
    pub(crate) reply_partition: i32,
    pub(crate) traceparent: Option<String>,
    pub(crate) accepted_at: OffsetDateTime,
    pub(crate) deadline: OffsetDateTime,
}

impl Parts {
    /// Those of a draft that is about to be accepted. The times are filled in by the database.
    pub(crate) fn of_draft(
        draft: Draft,
        basis: Basis,
        manifest: Option<&Manifest>,
        account: &Account,
        proposal: &Proposal,
    ) -> Self {
        Self {
            submission: proposal.id,
            judgement: 1,
            kind: draft.wish.kind(),
            account: account.id,
            locale: account.locale,
            question: manifest.map(|manifest| manifest.question),
            version: manifest.map(|manifest| manifest.version),
            language: draft.language,
            files: draft.files,
            stdin: match draft.wish {
                Wish::Run { stdin } => Some(stdin),
                Wish::Judge | Wish::Samples => None,
            },
            basis,
            bulk: false,
            reply_partition: proposal.reply_partition,
            traceparent: Some(Traceparent::current().to_string()),
            accepted_at: OffsetDateTime::UNIX_EPOCH,
            deadline: OffsetDateTime::UNIX_EPOCH,
        }
    }

    /// Where its message goes.
    pub(crate) fn topic(&self) -> Topic {
        if self.bulk {
            Topic::SubmissionsBulk
        } else {
            Topic::Submissions
        }
    }

    /// The headers of its message.
    pub(crate) fn headers(&self) -> Headers {
        Headers {
            reply_partition: Some(self.reply_partition),
            accepted_at: Some(self.accepted_at),
            deadline: Some(self.deadline),
            traceparent: self.traceparent.clone(),
            ..Headers::new(format!("{}/{}", self.submission, self.judgement), JUDGE_JOB)
        }
    }

    /// The job.
    pub(crate) fn into_job(self) -> JudgeJob {
        let Basis { judging, statement } = self.basis;
        let task = match (self.kind, self.stdin) {
            (Kind::Submission | Kind::Solution, _) => Task::Judge { judging },
            (Kind::Run, None) => Task::Samples { judging },
            (Kind::Run, Some(stdin)) => Task::Run { judging, stdin },
        };
        // What is judged anew, or to prove a question, nobody reviews.
        let bulk = self.bulk;
        let review = statement.filter(|_| !bulk).map(|statement| ReviewContext {
            locale: self.locale,
            statement,
        });
        JudgeJob {
            submission: self.submission,
            judgement: self.judgement,
            account: self.account,
            question: self.question,
            version: self.version,
            language: self.language,
            files: self.files,
            task,
            reply_partition: self.reply_partition,
            accepted_at: self.accepted_at,
            deadline: self.deadline,
            review,
        }
    }
}

/// What the value of a job's message is.
pub(crate) const JUDGE_JOB: &str = "judge-job";

/// What the value of an event's message is.
pub(crate) const STREAM_EVENT: &str = "stream-event";
