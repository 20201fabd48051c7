//! What a well-behaved program gets.

use sandbox::Status;

use crate::support::{ask, python, text};

#[test]
fn runs_a_program_and_tells_its_code_and_output() {
    let outcome = ask(&["/bin/sh", "-c", "echo out; echo err >&2; exit 3"]).run();
    assert_eq!(outcome.status, Status::Exited(3));
    assert_eq!(text(&outcome), "out\n");
    assert_eq!(outcome.stderr, b"err\n");
}

#[test]
fn runs_python() {
    let outcome = python("print(6 * 7)").run();
    assert_eq!(
        (outcome.status, text(&outcome).as_str()),
        (Status::Exited(0), "42\n"),
        "{}",
        String::from_utf8_lossy(&outcome.stderr)
    );
    assert!(
        outcome.memory_bytes > 1 << 20 && outcome.cpu.as_micros() > 1000,
        "{outcome:?}"
    );
}
