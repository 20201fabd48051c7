//! C and C++ by GCC.
//!
//! The learner's file is named `<solution>` in the sandbox and included by the driver, so the compiler itself says whose
//! line it means, shows the line, and an unclosed comment or `#if` cannot swallow the driver.

use std::path::Path;

use contract::Language;

use super::{
    ArrangeError, Code, Command, Preparation, Product, Sources, Spec, file, find_program,
    main_text, nothing, path, with_main, words,
};
use crate::lines::{DRIVER, LineMap, SOLUTION};
use crate::verdict::Allowance;

const C_FLAGS: &str = "-O2 -std=c17 -pipe -Wall -Wextra -Wno-unused-result";
const CPP_FLAGS: &str = "-O2 -std=c++20 -pipe -Wall -Wextra -Wno-unused-result";

/// C.
pub(super) static C: Spec = Spec {
    id: Language::C,
    name: "C 17",
    toolchain: "gcc",
    extensions: &["c", "h"],
    template: "#include <stdio.h>\n\nint main(void) {\n    long long a, b;\n    if (scanf(\"%lld %lld\", &a, &b) != 2) return 1;\n    printf(\"%lld\\n\", a + b);\n}\n",
    compile_shown: Some("gcc -O2 -std=c17 -pipe -Wall -Wextra solution.c -lm"),
    run_shown: "./main",
    find: |_| find_program("gcc", "gcc"),
    version: full_version,
    arrange,
    compile: |command| compile(command, C_FLAGS, "c", &["c"]),
    product: Product::File("main"),
    is_noise,
    run,
    processes: 16,
    own_memory_kib: 0,
    reserved_kib: nothing,
    preparations: &[],
};

/// C++.
pub(super) static CPP: Spec = Spec {
    id: Language::Cpp,
    name: "C++ 20",
    toolchain: "g++",
    extensions: &["cpp", "cc", "cxx", "hpp", "h"],
    template: "#include <iostream>\n\nint main() {\n    long long a, b;\n    std::cin >> a >> b;\n    std::cout << a + b << '\\n';\n}\n",
    compile_shown: Some("g++ -O2 -std=c++20 -pipe -Wall -Wextra solution.cpp"),
    run_shown: "./main",
    find: |_| find_program("g++", "g++"),
    version: full_version,
    arrange,
    compile: |command| compile(command, CPP_FLAGS, "c++", &["cpp", "cc", "cxx"]),
    product: Product::File("main"),
    is_noise,
    run,
    processes: 16,
    own_memory_kib: 0,
    reserved_kib: nothing,
    preparations: &[
        Preparation {
            name: "iostream.gch",
            files: &[("all.h", "#include <iostream>\n")],
            command: precompile,
            output: "all.gch",
        },
        Preparation {
            name: "bits/stdc++.h.gch",
            files: &[("all.h", "#include <bits/stdc++.h>\n")],
            command: precompile,
            output: "all.gch",
        },
    ],
};

fn full_version(home: &Path) -> Vec<String> {
    words([path(home), "-dumpfullversion"])
}

fn arrange(code: &Code<'_>) -> Result<Sources, ArrangeError> {
    let mut files = with_main(code, file(SOLUTION, main_text(code)))?;
    let mut entry = SOLUTION;
    if let Some(driver) = code.driver {
        let include = format!("#include \"{SOLUTION}\"\n");
        let (filled, _) =
            crate::lines::fill(driver, &include).ok_or(ArrangeError::NoPlaceholder)?;
        files.push(file(DRIVER, filled));
        entry = DRIVER;
    }
    Ok(Sources {
        files,
        entry: entry.to_owned(),
        lines: LineMap::default(),
    })
}

fn compile(command: &Command<'_>, flags: &str, language: &str, extensions: &[&str]) -> Vec<String> {
    let mut argv = words([path(command.home)]);
    argv.extend(words(flags.split(' ')));
    if command.prepared {
        argv.extend(words(["-I", "/app"]));
    }
    argv.extend(words([
        "-o",
        "main",
        "-x",
        language,
        &command.sources.entry,
        "-x",
        "none",
    ]));
    argv.extend(words(command.sources.of_kind(extensions)));
    argv.extend(words(["-lm"]));
    argv
}

fn precompile(home: &Path) -> Vec<String> {
    let mut argv = words([path(home)]);
    argv.extend(words(CPP_FLAGS.split(' ')));
    argv.extend(words(["-x", "c++-header", "all.h", "-o", "all.gch"]));
    argv
}

/// That the learner's file is included by the driver is our doing.
fn is_noise(line: &str) -> bool {
    line.starts_with("In file included from <driver>")
}

fn run(_: &Path, _: &Sources, _: &Allowance) -> Vec<String> {
    words(["/app/main"])
}
