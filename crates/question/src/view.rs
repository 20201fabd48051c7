//! Questions as they are shown: what learners see is made of the current version only, what teachers see beside it of the draft.

use contract::{
    Language, Locale, QuestionId,
    manifest::{Feedback, Limits, QuestionKind, TestRef},
};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::{
    bodies,
    document::Document,
    error::QuestionError,
    etag,
    languages::Installed,
    state::AppState,
    statement,
    store::{self, ListedRow, Visible},
    verification::{self, VerificationView},
};

/// A question.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Question)]
pub(crate) struct QuestionView {
    /// Its id.
    pub(crate) id: QuestionId,
    /// Its readable name in addresses.
    pub(crate) slug: String,
    /// Program or function.
    pub(crate) kind: QuestionKind,
    /// Draft, published or archived.
    pub(crate) state: QuestionState,
    /// The version shown, from 1; absent while it is a draft.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<i32>,
    /// When that version was published.
    #[serde(
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) published_at: Option<OffsetDateTime>,
    /// The language of the statement: the one asked for if there is one.
    pub(crate) locale: Locale,
    /// The languages that the statement is written in.
    pub(crate) locales: Vec<Locale>,
    /// The title.
    pub(crate) title: String,
    /// The statement in Markdown.
    pub(crate) statement: String,
    /// The statement as HTML, sanitised.
    pub(crate) statement_html: String,
    /// From 1, easy, to 10.
    pub(crate) difficulty: u8,
    /// To find it by.
    pub(crate) tags: Vec<String>,
    /// Limits of one run, before the language's time factor.
    pub(crate) limits: Limits,
    /// How much is told of hidden tests.
    pub(crate) feedback: Feedback,
    /// The languages that it may be answered in.
    pub(crate) languages: Vec<OfferedLanguage>,
    /// The tests that everybody may see.
    pub(crate) samples: Vec<Sample>,
    /// The whole document that the next version is made of; for its teachers only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) draft: Option<Document>,
    /// The newest proof of the draft; for its teachers only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) verification: Option<VerificationView>,
}

/// In which state a question is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum QuestionState {
    /// Never published: only its teachers see it.
    Draft,
    /// Learners see it.
    Published,
    /// Out of learners' sight.
    Archived,
}

impl QuestionState {
    fn of(published: bool, archived: bool) -> Self {
        match (published, archived) {
            (_, true) => Self::Archived,
            (true, false) => Self::Published,
            (false, false) => Self::Draft,
        }
    }
}

/// A language that a question may be answered in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OfferedLanguage {
    /// Its id.
    pub(crate) id: Language,
    /// Its name.
    pub(crate) name: &'static str,
    /// The toolchain's version, as in `GET /languages`; `null` only until a runner has said it for the first time.
    pub(crate) version: Option<String>,
    /// What the time limit is multiplied by.
    pub(crate) time_factor: f64,
}

/// A test that everybody may see.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QuestionSample)]
pub(crate) struct Sample {
    /// Its name.
    pub(crate) name: String,
    /// What the program reads.
    pub(crate) input: String,
    /// What it should write.
    pub(crate) output: String,
}

/// A question in the list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ListedQuestion)]
pub(crate) struct ListedView {
    /// Its id.
    pub(crate) id: QuestionId,
    /// Its readable name in addresses.
    pub(crate) slug: String,
    /// The title in the language asked for, if there is one.
    pub(crate) title: String,
    /// From 1, easy, to 10.
    pub(crate) difficulty: i16,
    /// To find it by.
    pub(crate) tags: Vec<String>,
    /// Program or function.
    #[schema(value_type = QuestionKind)]
    pub(crate) kind: String,
    /// Ids of the languages that it may be answered in.
    #[schema(value_type = Vec<Language>)]
    pub(crate) languages: Vec<String>,
    /// How far you have come with it: `none`, `attempted` or `solved`.
    pub(crate) my_status: String,
    /// Draft, published or archived.
    pub(crate) state: QuestionState,
}

impl ListedView {
    pub(crate) fn new(row: ListedRow, wanted: &[Locale]) -> Self {
        let title = row.titles.best(wanted).map_or("", |(_, title)| title);
        Self {
            id: QuestionId(row.id),
            title: title.to_owned(),
            slug: row.slug,
            difficulty: row.difficulty,
            tags: row.tags,
            kind: row.kind,
            languages: row.languages,
            my_status: row.progress,
            state: QuestionState::of(row.published, row.archived),
        }
    }
}

/// The question in the best of the wanted languages, and its entity tag.
pub(crate) async fn show(
    state: &AppState,
    question: Visible,
    wanted: &[Locale],
) -> Result<(QuestionView, String), QuestionError> {
    let id = question.id();
    let (published, draft) = (
        question.published.map(|json| json.0),
        question.draft.map(|json| json.0),
    );
    let shown = published
        .as_ref()
        .or(draft.as_ref())
        .ok_or(QuestionError::NotFound("question"))?;
    let (locale, text) = shown.statements.best(wanted).unwrap_or_default();
    let title = shown.titles.best(&[locale]).map_or("", |(_, title)| title);
    let draft_tests = match draft {
        Some(_) => store::list_tests(&state.pool, id).await?,
        None => Vec::new(),
    };
    let samples = match question.version {
        Some(version) => store::list_version_tests(&state.pool, id, version, true).await?,
        None => draft_tests
            .iter()
            .filter(|test| test.sample)
            .cloned()
            .collect(),
    };
    let verification = match &draft {
        Some(draft) => {
            let content = verification::content(draft, &draft_tests)?;
            let found = verification::latest(state, id).await?;
            found.map(|found| verification::view(found, &content))
        }
        None => None,
    };
    let installed = state.languages.known();
    let proof = verification.as_ref().map(VerificationView::mark);
    let view = QuestionView {
        id,
        slug: question.slug,
        kind: shown.kind,
        state: QuestionState::of(question.version.is_some(), question.archived_at.is_some()),
        version: question.version,
        published_at: question.published_at,
        locale,
        locales: shown.statements.locales(),
        title: title.to_owned(),
        statement: text.to_owned(),
        statement_html: html(text).await?,
        difficulty: shown.difficulty,
        tags: shown.tags.clone(),
        limits: shown.limits,
        feedback: shown.feedback,
        languages: offered(shown, installed.as_deref()),
        samples: show_samples(state, &samples).await?,
        draft: match &draft {
            Some(draft) => Some(Document {
                tests: Some(bodies::describe_all(&state.blobs, &draft_tests).await?),
                ..draft.clone()
            }),
            None => None,
        },
        verification,
    };
    let tag = match (&draft, question.version) {
        (None, Some(version)) => etag::of_version(version, locale),
        _ => etag::of_draft(question.revision, locale),
    };
    let tag = match installed {
        Some(installed) => etag::marked(&tag, installed.mark()),
        None => tag,
    };
    let tag = match proof {
        Some(proof) => etag::marked(&tag, &proof),
        None => tag,
    };
    Ok((view, tag))
}

async fn show_samples(state: &AppState, samples: &[TestRef]) -> Result<Vec<Sample>, QuestionError> {
    let mut shown = Vec::with_capacity(samples.len());
    for test in samples {
        let text = async |blob| {
            let bytes = state.blobs.read(blob).await?;
            Ok::<_, QuestionError>(String::from_utf8_lossy(&bytes).into_owned())
        };
        shown.push(Sample {
            name: test.name.clone(),
            input: text(&test.input).await?,
            output: text(&test.output).await?,
        });
    }
    Ok(shown)
}

/// Long statements take milliseconds: not on a thread that serves others.
async fn html(markdown: &str) -> Result<String, QuestionError> {
    if markdown.len() < 16 << 10 {
        return Ok(statement::to_html(markdown));
    }
    let markdown = markdown.to_owned();
    tokio::task::spawn_blocking(move || statement::to_html(&markdown))
        .await
        .map_err(|error| QuestionError::Unexpected(Box::new(error)))
}

/// What no runner has is not offered: it would be refused.
fn offered(document: &Document, installed: Option<&Installed>) -> Vec<OfferedLanguage> {
    let offered = document.offered().into_iter();
    offered
        .filter_map(|language| {
            let version = match installed {
                Some(installed) => Some(installed.version(language)?.to_owned()),
                None => None,
            };
            Some(OfferedLanguage {
                id: language,
                name: name(language),
                version,
                time_factor: document.time_factor(language),
            })
        })
        .collect()
}

fn name(language: Language) -> &'static str {
    match language {
        Language::C => "C",
        Language::Cpp => "C++",
        Language::Java => "Java",
        Language::Python => "Python",
        Language::Pypy => "PyPy",
        Language::Javascript => "JavaScript",
        Language::Typescript => "TypeScript",
        Language::Go => "Go",
        Language::Rust => "Rust",
        Language::Kotlin => "Kotlin",
    }
}
