//! What clients are told, and what they are not.

use insta::assert_json_snapshot;

use super::*;

#[test]
fn says_what_is_wrong_where() {
    let problem = Problem::invalid("The question cannot be published. See errors.")
        .with_error("/tests/0/name", "missing-field", "a test needs a name")
        .about("/api/v1/questions", "018f3b1e-0000-7000-8000-000000000000");
    assert_json_snapshot!(problem, @r#"
    {
      "type": "https://codementor.dev/problems/invalid-request",
      "title": "Invalid request",
      "status": 422,
      "detail": "The question cannot be published. See errors.",
      "instance": "/api/v1/questions",
      "request_id": "018f3b1e-0000-7000-8000-000000000000",
      "errors": [
        {
          "pointer": "/tests/0/name",
          "code": "missing-field",
          "message": "a test needs a name"
        }
      ]
    }
    "#);
}

#[test]
fn shows_no_cause_of_our_own_errors() {
    let problem = Problem::internal(&std::io::Error::other("password=secret"));
    assert_eq!(
        (problem.kind(), problem.status().as_u16()),
        (Kind::Internal, 500)
    );
    assert!(!String::from_utf8_lossy(&problem.to_json()).contains("secret"));
}

#[test]
fn reads_what_it_writes_in_every_kind() {
    for kind in Kind::ALL {
        let problem = Problem::new(kind, "as it is").with_error("/a", "b", "c");
        let read: Problem = serde_json::from_slice(&problem.to_json()).expect("a problem");
        assert_eq!(read, problem);
    }
}

#[test]
fn reads_a_problem_of_others_by_its_last_word() {
    let read = |text: &str| serde_json::from_str::<Problem>(text).expect("a problem");
    let foreign = read(r#"{"type": "https://elsewhere/not-found", "status": 404, "extra": 1}"#);
    assert_eq!((foreign.kind(), foreign.detail()), (Kind::NotFound, ""));
    let unknown = read(r#"{"type": "about:blank", "status": 418, "detail": "teapot"}"#);
    assert_eq!(
        (unknown.kind(), unknown.status().as_u16()),
        (Kind::Internal, 418)
    );
}

#[test]
fn answers_with_the_headers_of_its_kind() {
    let response = Problem::rate_limited("Wait.", 7).into_response();
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()[RETRY_AFTER], "7");
    assert_eq!(response.headers()[CONTENT_TYPE], CONTENT_TYPE_PROBLEM);
    let response = Problem::unauthenticated("Sign in.").into_response();
    assert_eq!(response.headers()[WWW_AUTHENTICATE], "Bearer");
}

#[test]
fn has_a_problem_for_every_error_and_for_nothing_else() {
    for code in 100..600 {
        let status = StatusCode::from_u16(code).expect("in range");
        let problem = Problem::for_status(status, None);
        let is_error = status.is_client_error() || status.is_server_error();
        assert_eq!(problem.is_some(), is_error, "{code}");
        if let Some(problem) = problem {
            assert_eq!(problem.status(), status);
            assert!(!problem.detail().is_empty());
        }
    }
}

#[test]
fn says_that_it_is_unavailable_only_when_the_database_is() {
    assert_eq!(
        Problem::from(sqlx::Error::PoolTimedOut).kind(),
        Kind::Unavailable
    );
    assert_eq!(
        Problem::from(sqlx::Error::RowNotFound).kind(),
        Kind::Internal
    );
}

#[test]
fn a_chain_of_causes_repeats_nothing() {
    #[derive(Debug, thiserror::Error)]
    #[error("cannot read: {0}")]
    struct Repeats(#[source] std::io::Error);
    #[derive(Debug, thiserror::Error)]
    #[error("cannot start")]
    struct Outer(#[source] Repeats);
    let error = Outer(Repeats(std::io::Error::other("disk full")));
    assert_eq!(chain(&error), "cannot start: cannot read: disk full");
}

#[test]
fn describes_itself_to_readers_of_the_api() {
    use utoipa::{IntoResponses, PartialSchema, ToSchema};
    assert_eq!(Problem::name(), "Problem");
    let schema = serde_json::to_value(Problem::schema()).expect("JSON");
    for field in [
        "type",
        "title",
        "status",
        "detail",
        "instance",
        "request_id",
        "errors",
    ] {
        assert!(schema["properties"][field].is_object(), "{field}");
    }
    assert!(
        schema["properties"]["retry_after"].is_null(),
        "that is a header"
    );
    let responses = serde_json::to_value(Problem::responses()).expect("JSON");
    assert_eq!(
        responses["default"]["content"][CONTENT_TYPE_PROBLEM]["schema"]["$ref"],
        "#/components/schemas/Problem"
    );
}
