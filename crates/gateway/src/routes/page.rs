//! The page: the files that were built into the program, or a word on how to build them.
//!
//! Every path that is not the API's shows the page, which finds its own way from the address. It never reads a file system.

use axum::{
    extract::{Request, State},
    response::{Html, IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use service::{Ops, Problem};

use crate::{
    proxy::{nothing_at, pass_on},
    state::App,
};

include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// One file of `web/dist`.
struct File {
    /// Below `dist`, without a leading slash.
    path: &'static str,
    /// A hash of it, in quotation marks.
    etag: &'static str,
    plain: &'static [u8],
    gzip: Option<&'static [u8]>,
    brotli: Option<&'static [u8]>,
}

/// Nothing is loaded, nothing runs.
const PLACEHOLDER_POLICY: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Files of ours, requests to us, and HTML only through the one policy that takes sanitised statements. Code that the editor
/// shows is text; its style sheets are constructed, so that no inline style is needed.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types codementor-statement";

/// The same for Swagger UI, whose pictures stand in its style sheet. It sets HTML by itself: what it shows is ours alone.
const DOCS_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The public API, generated from the routes of all services.
static DESCRIPTION: File = File {
    path: "openapi.json",
    etag: concat!("\"", env!("OPENAPI_HASH"), "\""),
    plain: include_bytes!("../../../../openapi.json"),
    gzip: None,
    brotli: None,
};

const PLACEHOLDER: &str = r#"<!doctype html>
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

/// What is at `/`.
pub(crate) async fn show(headers: HeaderMap) -> Response {
    built("index.html", &headers)
}

/// The API's description to read and to try: Swagger UI.
pub(crate) async fn docs(headers: HeaderMap) -> Response {
    built("docs.html", &headers)
}

/// The API's description for programs.
pub(crate) async fn description(headers: HeaderMap) -> Response {
    answer(&DESCRIPTION, &headers)
}

/// A page, or what there is where none was built.
fn built(name: &str, headers: &HeaderMap) -> Response {
    match find(name) {
        Some(file) => answer(file, headers),
        None => (
            [(header::CONTENT_SECURITY_POLICY, PLACEHOLDER_POLICY)],
            Html(PLACEHOLDER),
        )
            .into_response(),
    }
}

/// What is at a path that no route has: a file of the page, a place of the page, or a service's business.
pub(crate) async fn or_pass_on(
    State(app): State<App>,
    request: Request,
) -> Result<Response, Problem> {
    let path = request.uri().path().trim_start_matches('/');
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if FILES.is_empty() || !reads || is_api(path) {
        return pass_on(State(app), request).await;
    }
    if let Some(file) = find(path) {
        return Ok(answer(file, request.headers()));
    }
    // An asset of another build is not a place of the page.
    if path.starts_with("assets/") {
        return Err(nothing_at(request.uri().path()));
    }
    Ok(show(request.headers().clone()).await)
}

/// The API's, or what only the operator's address has: a probe at the wrong address is told so, and is not shown a page.
fn is_api(path: &str) -> bool {
    let first = path.split('/').next().unwrap_or_default();
    let is_operators = |path: &&str| path.strip_prefix('/') == Some(first);
    ["api", "internal", ".well-known"].contains(&first) || Ops::PATHS.iter().any(is_operators)
}

fn find(path: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.path == path)
}

fn answer(file: &'static File, headers: &HeaderMap) -> Response {
    // Names of assets hold a hash of what is in them.
    let cache = if file.path.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let seen = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok());
    let (encoding, body) = match (file.brotli, file.gzip) {
        (Some(brotli), _) if accepts(headers, "br") => (Some("br"), brotli),
        (_, Some(gzip)) if accepts(headers, "gzip") => (Some("gzip"), gzip),
        _ => (None, file.plain),
    };
    let mut response = if seen.is_some_and(|seen| seen.contains(file.etag)) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        body.into_response()
    };
    let mut say = |name, value| {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    };
    say(header::CONTENT_TYPE, content_type(file.path));
    let policy = if file.path == "docs.html" {
        DOCS_POLICY
    } else {
        POLICY
    };
    say(header::CONTENT_SECURITY_POLICY, policy);
    say(header::CACHE_CONTROL, cache);
    say(header::ETAG, file.etag);
    say(header::VARY, "accept-encoding");
    if let Some(encoding) = encoding {
        say(header::CONTENT_ENCODING, encoding);
    }
    response
}

/// Whether an encoding is named and not refused.
fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|range| {
            let (name, weight) = range.split_once(';').unwrap_or((range, ""));
            let weight = weight.trim().trim_start_matches("q=");
            name.trim().eq_ignore_ascii_case(encoding) && weight.parse() != Ok(0.0)
        })
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: File = File {
        path: "assets/index-1.js",
        etag: "\"1\"",
        plain: b"plain",
        gzip: Some(b"gzip"),
        brotli: Some(b"brotli"),
    };
    static ASSET: File = FILE;
    static INDEX: File = File {
        path: "index.html",
        ..FILE
    };

    fn headers(name: header::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn the_best_encoding_that_is_accepted_is_sent() {
        for (accepted, sent) in [
            ("gzip, deflate, br", Some("br")),
            ("gzip", Some("gzip")),
            ("br;q=0, gzip;q=0.5", Some("gzip")),
            ("identity", None),
        ] {
            let response = answer(&ASSET, &headers(header::ACCEPT_ENCODING, accepted));
            let encoding = response.headers().get(header::CONTENT_ENCODING);
            assert_eq!(
                encoding.map(HeaderValue::as_bytes),
                sent.map(str::as_bytes),
                "{accepted}"
            );
        }
    }

    #[test]
    fn assets_are_kept_for_good_and_the_page_is_asked_for() {
        let cache = |file| answer(file, &HeaderMap::new()).headers()[header::CACHE_CONTROL].clone();
        assert_eq!(cache(&ASSET), "public, max-age=31536000, immutable");
        assert_eq!(cache(&INDEX), "no-cache");
        let known = answer(&INDEX, &headers(header::IF_NONE_MATCH, "\"0\", \"1\""));
        assert_eq!(known.status(), StatusCode::NOT_MODIFIED);
    }

    #[test]
    fn nothing_inline_and_nobody_else_s_may_run() {
        let response = answer(&INDEX, &HeaderMap::new());
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY]
            .to_str()
            .expect("ASCII");
        assert!(policy.contains("require-trusted-types-for 'script'"));
        assert!(!policy.contains("unsafe") && !policy.contains("http") && !policy.contains('*'));
    }

    #[test]
    fn without_a_page_there_is_a_word_on_how_to_build_it() {
        assert!(PLACEHOLDER.contains("make up"));
        assert!(!PLACEHOLDER.contains("<script"));
    }

    #[test]
    fn places_of_the_api_are_not_places_of_the_page() {
        for path in ["api", "api/v1/nothing", "internal/log", ".well-known/none"] {
            assert!(is_api(path), "{path}");
        }
        for path in ["", "questions/api", "apia", "teach"] {
            assert!(!is_api(path), "{path}");
        }
    }
}
