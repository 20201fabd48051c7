//! Which bodies of tests the tables name.

use sqlx::PgExecutor;

/// The SHA-256 of each body that a draft or a version names.
pub async fn named_blobs(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        r"
        SELECT input_sha256 FROM question.test UNION SELECT output_sha256 FROM question.test
        UNION SELECT input_sha256 FROM question.version_test UNION SELECT output_sha256 FROM question.version_test
        ",
    )
    .fetch_all(db)
    .await
}
