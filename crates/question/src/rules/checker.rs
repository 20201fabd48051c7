//! What a checker must be: tolerances, and programs of the question's own.

use contract::{
    job::SourceFile,
    manifest::{Checker, CheckerProtocol},
};

use super::{Fault, nul, range};

/// A checker's files together; testlib alone is a fifth of it.
const MAX_FILES_BYTES: usize = 1 << 20;
const MAX_FILES: usize = 32;
const MAX_ARGS: usize = 64;
const MAX_ARG_BYTES: usize = 1 << 10;

/// What is wrong with a checker.
pub(crate) fn check_checker(checker: &Checker, faults: &mut Vec<Fault>) {
    match checker {
        Checker::Float { abs, rel } => {
            for (name, tolerance) in [("abs", *abs), ("rel", *rel)] {
                if !tolerance.is_finite() || tolerance < 0.0 {
                    faults.push(range(&format!("/checker/{name}"), "0 or more"));
                }
            }
        }
        Checker::Program {
            files,
            protocol,
            args,
            interactive,
            passes,
            ..
        } => {
            check_files(files, faults);
            check_args(args, faults);
            if !(1..=100).contains(passes) {
                faults.push(range("/checker/passes", "1 to 100"));
            }
            // A testlib program has no way to ask for a second pass, and its interactors are called otherwise.
            if *protocol == CheckerProtocol::Testlib && *passes > 1 {
                faults.push(Fault::new(
                    "/checker/passes",
                    "value",
                    "only a checker of the protocol kattis can ask for another pass",
                ));
            }
            if *interactive && *passes > 1 {
                faults.push(Fault::new(
                    "/checker/passes",
                    "value",
                    "an interactive question has one pass",
                ));
            }
        }
        Checker::Tokens { .. } | Checker::Lines {} | Checker::Exact {} | Checker::Unordered {} => {}
    }
}

fn check_files(files: &[SourceFile], faults: &mut Vec<Fault>) {
    if files.is_empty() || files.len() > MAX_FILES {
        faults.push(range("/checker/files", "1 to 32 files"));
    }
    if files.iter().map(|file| file.content.len()).sum::<usize>() > MAX_FILES_BYTES {
        faults.push(Fault::new(
            "/checker/files",
            "too-long",
            "at most 1 MiB, all files together",
        ));
    }
    for (index, file) in files.iter().enumerate() {
        let pointer = format!("/checker/files/{index}/name");
        if !is_plain(&file.name) {
            faults.push(Fault::new(
                pointer,
                "format",
                "1 to 100 of letters, digits, _ . and -, the first a letter, a digit or _",
            ));
        } else if files[..index].iter().any(|other| other.name == file.name) {
            faults.push(Fault::new(
                pointer,
                "duplicate",
                "another file has this name",
            ));
        }
    }
    if files
        .first()
        .is_some_and(|main| main.content.trim().is_empty())
    {
        faults.push(Fault::new(
            "/checker/files/0/content",
            "empty",
            "there is no program in it",
        ));
    }
}

fn check_args(args: &[String], faults: &mut Vec<Fault>) {
    if args.len() > MAX_ARGS || args.iter().any(|arg| arg.len() > MAX_ARG_BYTES) {
        faults.push(range("/checker/args", "64 arguments of 1 KiB"));
    }
    for (index, arg) in args.iter().enumerate() {
        if arg.contains('\0') {
            faults.push(nul(&format!("/checker/args/{index}")));
        }
    }
}

/// Whether a name can neither leave a directory nor be taken for an option.
fn is_plain(name: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    name.len() <= 100
        && name.starts_with(is_word)
        && name.chars().all(|c| is_word(c) || c == '.' || c == '-')
}
