//! What comes back from `/box`, and the traps that must not.

use sandbox::{Collect, Outcome, Profile, Status};

use crate::support::python;

fn collect(code: &str, what: Collect<'static>) -> Outcome {
    let outcome = python(code)
        .file("input", b"given")
        .change(|p| {
            p.profile = Profile::Compile;
            p.collect = what;
        })
        .run();
    assert_eq!(
        outcome.status,
        Status::Exited(0),
        "{}",
        String::from_utf8_lossy(&outcome.stderr)
    );
    outcome
}

fn names(outcome: &Outcome) -> Vec<&str> {
    outcome
        .files
        .iter()
        .map(|file| file.name.as_str())
        .collect()
}

#[test]
fn named_files_come_back_with_content_and_mode() {
    let outcome = collect(
        "import os; os.makedirs('a/b'); open('a/b/x', 'wb').write(b'\\0\\xff'); os.chmod('a/b/x', 0o711)",
        Collect::Named(&["a/b/x", "missing"]),
    );
    assert_eq!(names(&outcome), ["a/b/x"]);
    assert_eq!(
        (
            outcome.files[0].content.as_slice(),
            outcome.files[0].executable
        ),
        (b"\0\xff".as_slice(), true)
    );
}

#[test]
fn all_means_every_regular_file() {
    let outcome = collect(
        "import os; os.mkdir('d'); open('d/y', 'w'); open('x', 'w')",
        Collect::All,
    );
    assert_eq!(names(&outcome), ["d/y", "input", "x"]);
}

#[test]
fn links_pipes_devices_and_directories_do_not_come_back() {
    let code = "import os, socket\n\
        os.symlink('/etc/passwd', 'out'); os.symlink('/proc/self/environ', 'env'); os.symlink('input', 'inside'); os.symlink('/', 'root')\n\
        os.mkfifo('pipe'); os.mkdir('directory'); socket.socket(socket.AF_UNIX).bind('socket'); os.symlink('loop', 'loop')";
    let outcome = collect(
        code,
        Collect::Named(&[
            "out",
            "env",
            "inside",
            "root/etc/passwd",
            "pipe",
            "directory",
            "socket",
            "loop",
        ]),
    );
    assert_eq!(names(&outcome), [] as [&str; 0]);
    let outcome = collect(code, Collect::All);
    assert_eq!(names(&outcome), ["input"]);
}

#[test]
fn unreadable_files_and_closed_directories_still_come_back() {
    let outcome = collect(
        "import os; os.mkdir('d'); open('d/x', 'w').write('1'); os.chmod('d/x', 0); os.chmod('d', 0)",
        Collect::All,
    );
    assert_eq!(names(&outcome), ["d/x", "input"]);
}

#[test]
fn a_sparse_giant_is_too_large_not_a_memory_problem() {
    let outcome = python("open('x', 'wb').truncate(1 << 40)")
        .limits(|l| l.file_bytes = 1 << 41)
        .change(|p| {
            p.profile = Profile::Compile;
            p.collect = Collect::All;
        })
        .run();
    assert_eq!(
        (outcome.status, outcome.files.len()),
        (Status::LimitHit(sandbox::LimitKind::FileSize), 0),
        "{:?}",
        outcome.stderr
    );
}

#[test]
fn hundreds_of_files_come_back_whole() {
    let outcome = collect(
        "for i in range(700): open(f'f{i:03}', 'w').write(str(i))",
        Collect::All,
    );
    assert_eq!(outcome.files.len(), 701);
    assert!(
        outcome
            .files
            .iter()
            .take(700)
            .enumerate()
            .all(|(i, file)| file.content == i.to_string().as_bytes())
    );
}

#[test]
fn strange_names_do_no_harm() {
    let outcome = collect(
        "open(b'\\xff\\xfe', 'w'); open('new\\nline', 'w'); open('공백 있음', 'w'); open('-rf', 'w')",
        Collect::All,
    );
    assert_eq!(names(&outcome), ["-rf", "input", "new\nline", "공백 있음"]);
}

#[test]
fn files_come_back_from_a_failed_run_too() {
    let outcome = python("open('x', 'w').write('partial'); raise SystemExit(1)")
        .change(|p| {
            p.profile = Profile::Compile;
            p.collect = Collect::Named(&["x"]);
        })
        .run();
    assert_eq!(
        (outcome.status, names(&outcome)),
        (Status::Exited(1), vec!["x"])
    );
}
