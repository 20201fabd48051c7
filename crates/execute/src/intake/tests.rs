//! What passes and what does not.

use proptest::prelude::*;

use super::*;

fn submission(json: &str) -> Result<Draft, Refusal> {
    serde_json::from_str::<SubmissionBody>(json)
        .expect("the form is right")
        .parse()
}

fn run(json: &str) -> Result<Draft, Refusal> {
    serde_json::from_str::<RunBody>(json)
        .expect("the form is right")
        .parse()
}

fn pointer(refused: Result<Draft, Refusal>) -> String {
    match refused.expect_err("it is refused") {
        Refusal::TooLarge { fault, .. } => format!("large {}", fault.pointer),
        Refusal::Invalid(fault) => format!("{} {}", fault.code, fault.pointer),
        Refusal::NoSuchQuestion => "question".to_owned(),
    }
}

#[test]
fn takes_code_as_the_languages_main_file() {
    let draft = submission(r#"{"question":"a-plus-b","language":"java","code":"class Main {}"}"#);
    let draft = draft.expect("it is in order");
    assert_eq!(draft.wish, Wish::Judge);
    assert_eq!(draft.question.as_deref(), Some("a-plus-b"));
    assert_eq!(draft.files[0].name, "Main.java");
}

#[test]
fn refuses_what_makes_no_sense_and_says_where() {
    for (json, expected) in [
        (r#"{"question":"q","language":"c"}"#, "required /code"),
        (
            r#"{"question":"q","language":"c","code":""}"#,
            "empty /code",
        ),
        (
            r#"{"question":"q","language":"c","code":"a\u0000"}"#,
            "nul /code",
        ),
        (
            r#"{"question":"q","language":"c","code":"a","files":[]}"#,
            "not_with_code /files",
        ),
        (
            r#"{"question":"q","language":"c","files":[]}"#,
            "required /files",
        ),
        (
            r#"{"question":"../x","language":"c","code":"a"}"#,
            "question",
        ),
        (r#"{"question":"","language":"c","code":"a"}"#, "question"),
        (
            r#"{"question":"q","language":"c","files":[{"name":"../a.c","content":"a"}]}"#,
            "bad_name /files/0/name",
        ),
        (
            r#"{"question":"q","language":"c","files":[{"name":"a.c","content":"a"},{"name":"A.c","content":"b"}]}"#,
            "twice /files/1/name",
        ),
    ] {
        assert_eq!(pointer(submission(json)), expected, "{json}");
    }
    for (json, expected) in [
        (
            r#"{"language":"c","code":"a","samples":true}"#,
            "required /question",
        ),
        (
            r#"{"language":"c","code":"a","samples":true,"question":"q","stdin":"1"}"#,
            "not_with_samples /stdin",
        ),
        (
            r#"{"language":"c","code":"a","stdin":"\u0000"}"#,
            "nul /stdin",
        ),
    ] {
        assert_eq!(pointer(run(json)), expected, "{json}");
    }
}

#[test]
fn refuses_one_byte_too_many_over_all_files() {
    let body = |sizes: &[usize]| SubmissionBody {
        question: "q".to_owned(),
        language: Language::C,
        code: None,
        files: Some(
            sizes
                .iter()
                .enumerate()
                .map(|(index, &size)| SourceFile {
                    name: format!("{index}.c"),
                    content: "x".repeat(size),
                })
                .collect(),
        ),
    };
    assert!(body(&[MAX_CODE_BYTES]).parse().is_ok());
    assert_eq!(
        pointer(body(&[MAX_CODE_BYTES + 1]).parse()),
        "large /files/0/content"
    );
    assert!(body(&[MAX_CODE_BYTES - 1, 1]).parse().is_ok());
    assert_eq!(pointer(body(&[MAX_CODE_BYTES, 1]).parse()), "large /files");
}

#[test]
fn tells_a_repeat_from_another_request() {
    let print = |json| submission(json).expect("it is in order").fingerprint;
    let first = print(r#"{"question":"q","language":"c","code":"a"}"#);
    assert_eq!(
        first,
        print(r#"{ "code": "\u0061", "language": "c", "question": "q" }"#)
    );
    assert_ne!(
        first,
        print(r#"{"question":"q","language":"cpp","code":"a"}"#)
    );
    assert_ne!(
        first,
        print(r#"{"question":"q","language":"c","code":"b"}"#)
    );
}

proptest! {
    #[test]
    fn whatever_passes_obeys_the_rules(
        code in proptest::option::of("[a\u{0}é]{0,4}"),
        files in proptest::option::of(proptest::collection::vec(
            ("[a./-]{0,3}", "[b\u{0}]{0,3}").prop_map(|(name, content)| SourceFile { name, content }),
            0..3,
        )),
    ) {
        let body = RunBody {
            language: Language::Python,
            code,
            files,
            stdin: None,
            question: None,
            samples: false,
        };
        if let Ok(draft) = body.parse() {
            prop_assert!(!draft.files.is_empty());
            for file in &draft.files {
                prop_assert!(!file.content.is_empty() && !file.content.contains('\0'));
                prop_assert!(!file.name.contains('/') && !file.name.starts_with('.'));
            }
        }
    }
}
