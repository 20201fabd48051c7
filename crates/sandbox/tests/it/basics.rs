//! What a well-behaved program gets.

use std::io::Write;

use sandbox::{Content, InputFile, Profile, Status, Stdin};

use crate::support::{ask, python, text, with_sandbox};

#[test]
fn tells_code_and_both_outputs() {
    let outcome = ask(&["/bin/sh", "-c", "echo out; echo err >&2; exit 3"]).run();
    assert_eq!(outcome.status, Status::Exited(3));
    assert_eq!(text(&outcome), "out\n");
    assert_eq!(outcome.stderr, b"err\n");
}

#[test]
fn tells_the_signal_even_of_abort() {
    let outcome = python("import os; os.abort()").run();
    assert_eq!(outcome.status, Status::Signaled(libc::SIGABRT));
    let outcome = python("import os; os.kill(os.getpid(), 11)").run();
    assert_eq!(outcome.status, Status::Signaled(libc::SIGSEGV));
}

#[test]
fn measures_time_and_memory() {
    let outcome = python("import time; x = b'x' * (50 << 20); t = time.process_time()\nwhile time.process_time() - t < 0.2: pass").run();
    assert_eq!(outcome.status, Status::Exited(0));
    assert!(
        outcome.cpu.as_millis() >= 200 && outcome.cpu.as_millis() < 2000,
        "{:?}",
        outcome.cpu
    );
    assert!(outcome.wall >= outcome.cpu / 2, "{:?}", outcome.wall);
    assert!(
        (50 << 20..120 << 20).contains(&outcome.memory_bytes),
        "{}",
        outcome.memory_bytes
    );
}

#[test]
fn standard_input_comes_from_bytes_files_and_nothing() {
    let cat = || ask(&["/bin/cat"]);
    assert_eq!(text(&cat().run()), "");
    assert_eq!(
        text(&cat().change(|p| p.stdin = Stdin::Bytes(b"bytes")).run()),
        "bytes"
    );
    let sealed = sandbox::sealed_file(b"sealed").expect("memory for a line");
    let mut plain = tempfile::tempfile().expect("a temporary file");
    plain.write_all(b"plain").expect("writes");
    for (file, content) in [(&sealed, "sealed"), (&plain, "plain")] {
        for _ in 0..2 {
            assert_eq!(
                text(&cat().change(|p| p.stdin = Stdin::File(file)).run()),
                content
            );
        }
    }
}

#[test]
fn large_standard_input_arrives_whole() {
    let large = vec![b'x'; 5 << 20];
    let outcome = ask(&["/usr/bin/wc", "-c"])
        .change(|p| p.stdin = Stdin::Bytes(&large))
        .run();
    assert_eq!(text(&outcome).trim(), (5 << 20).to_string());
}

#[test]
fn standard_streams_can_be_opened_by_name() {
    let code = "open('/dev/stdout', 'w').write(open('/dev/stdin').read() + open('/dev/stdin').read()); open('/dev/stderr', 'w').write('e')";
    let sealed = sandbox::sealed_file(b"in").expect("memory for a line");
    for stdin in [Stdin::Bytes(b"in"), Stdin::File(&sealed)] {
        let outcome = python(code).change(|p| p.stdin = stdin).run();
        assert_eq!(
            (text(&outcome).as_str(), outcome.stderr.as_slice()),
            ("inin", b"e".as_slice()),
            "{outcome:?}"
        );
    }
}

#[test]
fn results_have_a_descriptor_of_their_own() {
    let outcome = python("import os; print('learner'); os.write(3, b'result')")
        .change(|p| p.results_fd = true)
        .run();
    assert_eq!(
        (text(&outcome).as_str(), outcome.results.as_slice()),
        ("learner\n", b"result".as_slice())
    );
    let outcome = python("import os; os.write(3, b'x')").run();
    assert_eq!(
        outcome.status,
        Status::Exited(1),
        "without being asked for there is no descriptor 3"
    );
}

#[test]
fn the_environment_is_only_what_was_given() {
    let given = [("GREETING".to_owned(), "안녕 = hello".to_owned())];
    let outcome = ask(&["/usr/bin/env"]).change(|p| p.env = &given).run();
    assert_eq!(text(&outcome), "GREETING=안녕 = hello\n");
}

#[test]
fn files_are_in_the_box_with_their_modes() {
    let outcome = ask(&["/bin/sh", "-c", "pwd; ./tool; cat deep/er/data"])
        .file("tool", b"#!/bin/sh\necho tool\n")
        .file("deep/er/data", b"data")
        .run();
    assert_eq!(text(&outcome), "/box\ntool\ndata", "{outcome:?}");
}

#[test]
fn a_large_file_and_an_open_file_arrive_whole() {
    let large = vec![b'y'; 3 << 20];
    let mut open = tempfile::tempfile().expect("a temporary file");
    open.write_all(b"from the host").expect("writes");
    let mut asked = ask(&["/bin/sh", "-c", "wc -c < large; cat open"]).file("large", &large);
    asked.files.push(InputFile {
        name: "open",
        mode: 0o644,
        content: Content::File(&open),
    });
    assert_eq!(text(&asked.run()), format!("{}\nfrom the host", 3 << 20));
}

#[test]
fn an_artefact_serves_many_runs_in_parallel() {
    with_sandbox(async |sandbox| {
        let files = [
            InputFile { name: "run.sh", mode: 0o755, content: Content::Bytes(b"#!/bin/sh\ncat /app/data/x - extra; touch /app/y 2>/dev/null && echo written\n") },
            InputFile { name: "data/x", mode: 0o644, content: Content::Bytes(b"shared ") },
        ];
        let artefact = sandbox
            .artefact(&files)
            .await
            .expect("the artefact is written");
        assert!(artefact.bytes() > 7);
        let one = |input: &'static [u8]| {
            ask(&["/app/run.sh"]).file("extra", b" file").change(|p| {
                p.artefact = Some(&artefact);
                p.stdin = Stdin::Bytes(input);
            })
        };
        let (first, second) = (one(b"1"), one(b"2"));
        for _ in 0..3 {
            let (first, second) = tokio::join!(first.run_in(sandbox), second.run_in(sandbox));
            assert_eq!(text(&first.expect("runs")), "shared 1 file");
            assert_eq!(text(&second.expect("runs")), "shared 2 file");
        }
    });
}

#[test]
fn a_program_that_cannot_be_executed_is_an_error_and_the_slot_lives() {
    with_sandbox(async |sandbox| {
        for (path, file) in [
            ("/box/missing", b"".as_slice()),
            ("/box/x", b"\x7fELF nonsense"),
            ("/box", b""),
        ] {
            let asked = ask(&[path]).file("x", file);
            let result = asked.run_in(sandbox).await;
            assert!(
                matches!(result, Err(sandbox::SandboxError::CannotExecute(_))),
                "{path}: {result:?}"
            );
        }
        assert_eq!(
            ask(&["/bin/true"])
                .run_in(sandbox)
                .await
                .expect("runs")
                .status,
            Status::Exited(0)
        );
    });
}

#[test]
fn bad_requests_are_refused_before_anything_starts() {
    with_sandbox(async |sandbox| {
        let bad = [
            ask(&["true"]),
            ask(&[]),
            ask(&["/bin/true\0"]),
            ask(&["/bin/true"]).file("../x", b""),
            ask(&["/bin/true"]).file("a", b"").file("a", b""),
            ask(&["/bin/true"]).limits(|limits| limits.processes = 0),
            ask(&["/bin/true"]).limits(|limits| limits.wall = std::time::Duration::ZERO),
        ];
        for asked in bad {
            let result = asked.run_in(sandbox).await;
            assert!(
                matches!(result, Err(sandbox::SandboxError::Invalid(_))),
                "{:?}: {result:?}",
                asked.argv
            );
        }
    });
}

#[test]
fn compiles_and_runs_c() {
    let source = b"#include <stdio.h>\nint main(void) { int n; scanf(\"%d\", &n); printf(\"%d\\n\", n + 1); return 0; }\n";
    with_sandbox(async |sandbox| {
        let compile = ask(&["/usr/bin/gcc", "-O2", "main.c", "-o", "main"])
            .file("main.c", source)
            .change(|p| {
                p.profile = Profile::Compile;
                p.collect = sandbox::Collect::Named(&["main"]);
            });
        let path = [("PATH".to_owned(), "/usr/bin:/bin".to_owned())];
        let compile = compile.change(|p| p.env = &path);
        let compiled = compile.run_in(sandbox).await.expect("gcc runs");
        assert_eq!(
            compiled.status,
            Status::Exited(0),
            "{}",
            String::from_utf8_lossy(&compiled.stderr)
        );
        let main = &compiled.files[0];
        assert!(main.executable);
        let files = [InputFile {
            name: "main",
            mode: 0o755,
            content: Content::Bytes(&main.content),
        }];
        let artefact = sandbox
            .artefact(&files)
            .await
            .expect("the artefact is written");
        let run = ask(&["/app/main"]).change(|p| {
            p.artefact = Some(&artefact);
            p.stdin = Stdin::Bytes(b"41");
        });
        assert_eq!(text(&run.run_in(sandbox).await.expect("runs")), "42\n");
    });
}
