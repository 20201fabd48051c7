//! The list of questions: what a viewer may see, filtered, a page at a time.

use serde::Deserialize;
use sqlx::{PgExecutor, types::Json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::document::Texts;

use super::Viewer;

/// A question as the list shows it: its current version; for its teachers its draft, while there is none.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct ListedRow {
    pub(crate) id: Uuid,
    pub(crate) slug: String,
    pub(crate) kind: String,
    pub(crate) titles: Json<Texts>,
    pub(crate) difficulty: i16,
    pub(crate) tags: Vec<String>,
    pub(crate) languages: Vec<String>,
    pub(crate) published: bool,
    pub(crate) archived: bool,
    pub(crate) progress: String,
}

/// What to list.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    /// Part of a title, the slug or a tag, in any case.
    pub(crate) query: Option<String>,
    /// A whole tag, in any case.
    pub(crate) tag: Option<String>,
    pub(crate) difficulty: Option<i16>,
    pub(crate) status: Option<Status>,
    /// Only what comes after this one.
    pub(crate) after: Option<Uuid>,
    pub(crate) limit: i64,
}

/// How far the viewer has come with a question, or in which state it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = QuestionStatus)]
pub(crate) enum Status {
    /// Not answered yet.
    None,
    /// Answered, not solved.
    Attempted,
    /// Solved.
    Solved,
    /// Never published.
    Draft,
    /// Published.
    Published,
    /// Out of learners' sight; listed only when asked for.
    Archived,
}

impl Status {
    fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Attempted => "attempted",
            Self::Solved => "solved",
            Self::Draft => "draft",
            Self::Published => "published",
            Self::Archived => "archived",
        }
    }
}

/// A page, the oldest first.
pub(crate) async fn list(
    executor: impl PgExecutor<'_>,
    viewer: Viewer,
    filter: &Filter,
) -> sqlx::Result<Vec<ListedRow>> {
    sqlx::query_as(
        r"
        SELECT q.id, q.slug, q.kind, q.titles, q.difficulty, q.tags, q.languages,
               q.current_version IS NOT NULL AS published, q.archived_at IS NOT NULL AS archived,
               told.progress
        FROM question.question q
        LEFT JOIN question.progress p ON p.question = q.id AND p.account = $3
        LEFT JOIN question.version v ON v.question = q.id AND v.number = q.current_version
        -- Where learners are told only that theirs was received, they are not told that it was right.
        CROSS JOIN LATERAL (SELECT CASE
            WHEN p.state = 'solved' AND v.document->>'feedback' = 'none' AND NOT $1 AND NOT ($2 AND EXISTS (
                     SELECT FROM question.teacher t WHERE t.question = q.id AND t.account = $3
                 )) THEN 'attempted'
            ELSE coalesce(p.state, 'none')
        END AS progress) told
        WHERE ($1 OR (q.current_version IS NOT NULL AND q.archived_at IS NULL) OR ($2 AND EXISTS (
                  SELECT FROM question.teacher t WHERE t.question = q.id AND t.account = $3
              )))
          AND ($4::uuid IS NULL OR q.id > $4)
          AND ($5::text IS NULL OR q.slug ILIKE $5 OR q.titles->>'ko' ILIKE $5 OR q.titles->>'en' ILIKE $5
               OR EXISTS (SELECT FROM unnest(q.tags) tag WHERE tag ILIKE $5))
          AND ($6::text IS NULL OR EXISTS (SELECT FROM unnest(q.tags) tag WHERE lower(tag) = lower($6)))
          AND ($7::smallint IS NULL OR q.difficulty = $7)
          AND (q.archived_at IS NOT NULL) = ($8::text IS NOT DISTINCT FROM 'archived')
          AND CASE $8::text
                  WHEN 'draft' THEN q.current_version IS NULL
                  WHEN 'published' THEN q.current_version IS NOT NULL
                  WHEN 'archived' THEN true
                  ELSE told.progress = coalesce($8, told.progress)
              END
        ORDER BY q.id
        LIMIT $9
        ",
    )
    .bind(viewer.is_admin())
    .bind(viewer.is_teacher())
    .bind(viewer.account.0)
    .bind(filter.after)
    .bind(filter.query.as_deref().map(contains_pattern))
    .bind(filter.tag.as_deref())
    .bind(filter.difficulty)
    .bind(filter.status.map(Status::word))
    .bind(filter.limit)
    .fetch_all(executor)
    .await
}

/// A pattern for `ILIKE` that finds this text itself.
fn contains_pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_of_a_query_are_plain_characters() {
        assert_eq!(contains_pattern(r"50%_\"), r"%50\%\_\\%");
    }
}
