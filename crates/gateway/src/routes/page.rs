//! What a browser sees at `/` where the page was not built into the program.

use axum::response::{Html, IntoResponse};
use http::header;

const TEXT: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>CodeMentor</title>
</head>
<body>
<h1>CodeMentor</h1>
<p>The service runs; this program was built without its web page.</p>
<p>To build the page: <code>make up</code> on a machine with Node 20.</p>
<p>The API is under <code>/api/v1</code>. To begin: <code>POST /api/v1/auth/login</code>, then <code>GET /api/v1/questions</code>.</p>
</body>
</html>
"#;

/// Nothing is loaded, nothing runs.
const POLICY: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(crate) async fn show() -> impl IntoResponse {
    ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(TEXT))
}
