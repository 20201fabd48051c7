//! Compiled once, fetched once: and what happens when a test's body cannot be had.

use contract::Language;
use contract::verdict::Verdict;

use crate::programs::{Fate, program};
use crate::support::world;

#[test]
fn the_same_code_is_compiled_once() {
    let world = world();
    for language in world.languages() {
        // A comment of its own: other tests judge the same program.
        let comment = if matches!(language, Language::Python | Language::Pypy) {
            "#"
        } else {
            "//"
        };
        let code = format!("{}\n{comment} cached\n", program(language, Fate::Right));
        let first = world.ask(language, &code).sample("1 2", "3").judge();
        assert!(!first.compiled().cached, "{language}");
        let second = world.ask(language, &code).sample("2 3", "5").judge();
        assert!(second.compiled().cached, "{language}");
        assert_eq!(second.compiled().time_ms, 0);
        assert_eq!(second.verdict().verdict, Verdict::Accepted);
        let other = world
            .ask(language, &format!("{code}\n"))
            .sample("1 2", "3")
            .judge();
        assert!(!other.compiled().cached, "{language}: other code");
    }
}

#[test]
fn the_messages_of_broken_code_are_kept_too() {
    let world = world();
    let code = "int main( { /* broken and kept */ }";
    let first = world.ask(Language::C, code).judge();
    let second = world.ask(Language::C, code).judge();
    assert!(second.compiled().cached && !second.compiled().ok);
    assert_eq!(first.compiled().log, second.compiled().log);
}

#[test]
fn the_same_code_under_another_driver_is_another_program() {
    let world = world();
    let code = "int f(void) { return 1; } // drivers";
    for answer in ["1", "2"] {
        let driver = format!(
            "#include <stdio.h>\n{{{{code}}}}\nint main(void) {{ printf(\"%d\", f() * {answer}); }}\n"
        );
        let judged = world
            .ask(Language::C, code)
            .driver(&driver)
            .sample("", answer)
            .judge();
        assert!(!judged.compiled().cached);
        assert_eq!(judged.verdict().verdict, Verdict::Accepted);
    }
}

#[test]
fn many_who_ask_at_once_share_one_compilation() {
    let world = world();
    let code = format!(
        "{}\n// single flight\n",
        program(Language::Cpp, Fate::Right)
    );
    let asked = world.ask(Language::Cpp, &code).sample("1 2", "3");
    let answers = world.block_on(futures::future::join_all((0..6).map(|_| asked.judged())));
    let fresh = answers.iter().filter(|answer| !answer.compiled().cached);
    assert_eq!(fresh.count(), 1);
    for answer in &answers {
        assert_eq!(answer.verdict().verdict, Verdict::Accepted);
    }
}

#[test]
fn a_blob_is_fetched_once_however_many_need_it() {
    let world = world();
    let asked = world
        .ask(Language::Python, "print(input())")
        .hidden("fetched once", "fetched once")
        .hidden("fetched once", "fetched once");
    world.block_on(futures::future::join_all((0..4).map(|_| asked.judged())));
    let blob = &asked.request.judging.tests[0].input;
    assert_eq!(world.blobs.asked(blob), 1);
}

#[test]
fn a_body_that_cannot_be_had_is_our_failure_and_may_be_tried_again() {
    let world = world();
    let missing = world
        .ask(Language::Python, "print(1)")
        .hidden("", "1")
        .judging(|judging| judging.tests[0].input.sha256 = "0".repeat(64))
        .judge();
    let forbidden = world
        .ask(Language::Python, "print(1)")
        .hidden("never fetched", "1")
        .change(|request| {
            let blobs = request.blobs.as_mut().expect("has a source");
            "wrong".clone_into(&mut blobs.tokens[0].token);
        })
        .judge();
    let nobody = world
        .ask(Language::Python, "print(1)")
        .hidden("never fetched either", "1")
        .change(|request| {
            let blobs = request.blobs.as_mut().expect("has a source");
            blobs.url = "http://127.0.0.1:9".to_owned();
        })
        .judge();
    for answer in [missing, forbidden, nobody] {
        let failure = answer.failure();
        assert_eq!(failure.reason, "blob_unavailable", "{failure:?}");
        assert!(failure.retryable);
        assert!(!failure.message.contains("wrong"), "{failure:?}");
    }
}

#[test]
fn other_bytes_than_the_name_says_are_not_taken() {
    let world = world();
    let asked = world
        .ask(Language::Python, "print(input())")
        .hidden("good bytes", "good bytes");
    let blob = asked.request.judging.tests[0].input.clone();
    asked.world.blobs.corrupt(&blob, b"evil bytes");
    assert_eq!(asked.judge().failure().reason, "blob_unavailable");
    asked
        .world
        .blobs
        .corrupt(&blob, b"good bytes, and more of them");
    assert_eq!(asked.judge().failure().reason, "blob_unavailable");
    asked.world.blobs.add(b"good bytes");
    assert_eq!(asked.judge().verdict().verdict, Verdict::Accepted);
}
