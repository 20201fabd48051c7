//! Tests of drafts and of versions: names and hashes, in the order in which they are judged.

use contract::{
    QuestionId,
    manifest::{BlobRef, TestRef},
};
use sqlx::{PgConnection, PgExecutor};

#[derive(Debug, sqlx::FromRow)]
struct TestRow {
    name: String,
    sample: bool,
    group_name: Option<String>,
    points: Option<f64>,
    input_sha256: String,
    input_size: i64,
    output_sha256: String,
    output_size: i64,
}

impl From<TestRow> for TestRef {
    fn from(row: TestRow) -> Self {
        Self {
            name: row.name,
            sample: row.sample,
            group: row.group_name,
            points: row.points,
            args: Vec::new(),
            checker_args: Vec::new(),
            input: BlobRef {
                sha256: row.input_sha256,
                size: row.input_size.unsigned_abs(),
            },
            output: BlobRef {
                sha256: row.output_sha256,
                size: row.output_size.unsigned_abs(),
            },
        }
    }
}

/// The draft's tests.
pub(crate) async fn list_tests(
    executor: impl PgExecutor<'_>,
    question: QuestionId,
) -> sqlx::Result<Vec<TestRef>> {
    let rows: Vec<TestRow> = sqlx::query_as(
        r"
        SELECT name, sample, group_name, points, input_sha256, input_size, output_sha256, output_size
        FROM question.test WHERE question = $1 ORDER BY position
        ",
    )
    .bind(question.0)
    .fetch_all(executor)
    .await?;
    Ok(rows.into_iter().map(TestRef::from).collect())
}

/// A version's tests; all, or its samples only.
pub(crate) async fn list_version_tests(
    executor: impl PgExecutor<'_>,
    question: QuestionId,
    version: i32,
    samples_only: bool,
) -> sqlx::Result<Vec<TestRef>> {
    let rows: Vec<TestRow> = sqlx::query_as(
        r"
        SELECT name, sample, group_name, points, input_sha256, input_size, output_sha256, output_size
        FROM question.version_test
        WHERE question = $1 AND version = $2 AND (sample OR NOT $3)
        ORDER BY position
        ",
    )
    .bind(question.0)
    .bind(version)
    .bind(samples_only)
    .fetch_all(executor)
    .await?;
    Ok(rows.into_iter().map(TestRef::from).collect())
}

/// One test of the draft.
pub(crate) async fn find_test(
    executor: impl PgExecutor<'_>,
    question: QuestionId,
    name: &str,
) -> sqlx::Result<Option<TestRef>> {
    let row: Option<TestRow> = sqlx::query_as(
        r"
        SELECT name, sample, group_name, points, input_sha256, input_size, output_sha256, output_size
        FROM question.test WHERE question = $1 AND name = $2
        ",
    )
    .bind(question.0)
    .bind(name)
    .fetch_optional(executor)
    .await?;
    Ok(row.map(TestRef::from))
}

/// Puts one test in the place of the one of its name, or at the end.
pub(crate) async fn save_test(
    connection: &mut PgConnection,
    question: QuestionId,
    test: &TestRef,
) -> sqlx::Result<()> {
    sqlx::query(
        r"
        INSERT INTO question.test (
            question, name, position, sample, group_name, points,
            input_sha256, input_size, output_sha256, output_size
        )
        VALUES (
            $1, $2, (SELECT coalesce(max(position), 0) + 1 FROM question.test WHERE question = $1),
            $3, $4, $5, $6, $7, $8, $9
        )
        ON CONFLICT (question, name) DO UPDATE SET
            sample = excluded.sample, group_name = excluded.group_name, points = excluded.points,
            input_sha256 = excluded.input_sha256, input_size = excluded.input_size,
            output_sha256 = excluded.output_sha256, output_size = excluded.output_size
        ",
    )
    .bind(question.0)
    .bind(&test.name)
    .bind(test.sample)
    .bind(&test.group)
    .bind(test.points)
    .bind(&test.input.sha256)
    .bind(test.input.size.cast_signed())
    .bind(&test.output.sha256)
    .bind(test.output.size.cast_signed())
    .execute(connection)
    .await
    .map(drop)
}

/// These are the draft's tests from now on, in this order.
pub(crate) async fn replace_tests(
    connection: &mut PgConnection,
    question: QuestionId,
    tests: &[TestRef],
) -> sqlx::Result<()> {
    delete_all_tests(connection, question).await?;
    let column = |of: fn(&TestRef) -> String| tests.iter().map(of).collect::<Vec<_>>();
    let sizes = |of: fn(&TestRef) -> u64| {
        let sizes = tests.iter().map(|test| of(test).cast_signed());
        sizes.collect::<Vec<_>>()
    };
    sqlx::query(
        r"
        INSERT INTO question.test (
            question, name, sample, group_name, points,
            input_sha256, input_size, output_sha256, output_size, position
        )
        SELECT $1, t.*
        FROM unnest($2::text[], $3::bool[], $4::text[], $5::float8[], $6::text[], $7::int8[], $8::text[], $9::int8[])
            WITH ORDINALITY t
        ",
    )
    .bind(question.0)
    .bind(column(|test| test.name.clone()))
    .bind(tests.iter().map(|test| test.sample).collect::<Vec<_>>())
    .bind(tests.iter().map(|test| test.group.clone()).collect::<Vec<_>>())
    .bind(tests.iter().map(|test| test.points).collect::<Vec<_>>())
    .bind(column(|test| test.input.sha256.clone()))
    .bind(sizes(|test| test.input.size))
    .bind(column(|test| test.output.sha256.clone()))
    .bind(sizes(|test| test.output.size))
    .execute(connection)
    .await
    .map(drop)
}

/// Whether there was one of that name.
pub(crate) async fn delete_test(
    connection: &mut PgConnection,
    question: QuestionId,
    name: &str,
) -> sqlx::Result<bool> {
    sqlx::query(r"DELETE FROM question.test WHERE question = $1 AND name = $2")
        .bind(question.0)
        .bind(name)
        .execute(connection)
        .await
        .map(|done| done.rows_affected() > 0)
}

/// The draft has no tests any more.
pub(crate) async fn delete_all_tests(
    connection: &mut PgConnection,
    question: QuestionId,
) -> sqlx::Result<()> {
    sqlx::query(r"DELETE FROM question.test WHERE question = $1")
        .bind(question.0)
        .execute(connection)
        .await
        .map(drop)
}
