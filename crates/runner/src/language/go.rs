//! Go: compiled and linked directly against packages of the standard library that were compiled once.
//!
//! `go build` would look for modules and keep a cache of its own; its two tools need neither. `scripts/toolchains.sh`
//! compiles the packages that programs use, and lists them in `importcfg`.

use std::path::Path;

use contract::Language;

use super::{
    ArrangeError, Code, Command, Found, Hints, Product, Sources, Spec, arrange_apart, never,
    nothing, path, words,
};
use crate::verdict::Allowance;

/// Go.
pub(super) static GO: Spec = Spec {
    id: Language::Go,
    name: "Go",
    toolchain: "go",
    extensions: &["go"],
    template: "package main\n\nimport \"fmt\"\n\nfunc main() {\n\tvar a, b int64\n\tfmt.Scan(&a, &b)\n\tfmt.Println(a + b)\n}\n",
    compile_shown: Some("go build solution.go"),
    run_shown: "./main",
    find,
    version: |home| words([path(&home.join("root/bin/go")), "version"]),
    arrange,
    compile,
    product: Product::File("main"),
    is_noise: never,
    run: |_: &Path, _: &Sources, _: &Allowance| words(["/app/main"]),
    processes: 64,
    own_memory_kib: 0,
    reserved_kib: nothing,
    preparations: &[],
};

/// `tools` holds the compiler and the linker, `importcfg` says where packages lie.
const SCRIPT: &str = r#"home=$1; shift
"$home/tools/compile" -p main -complete -pack -trimpath "$PWD" -importcfg "$home/importcfg" -o main.a "$@" &&
    exec "$home/tools/link" -s -w -importcfg "$home/importcfg" -o main main.a"#;

fn find(hints: &Hints) -> Result<Found, String> {
    let mut found = hints.toolchain("go")?;
    for part in ["root/bin/go", "tools/compile", "tools/link", "importcfg"] {
        if !found.home.join(part).exists() {
            return Err(format!("no {part} below {}", found.home.display()));
        }
    }
    found.show_target("root")?;
    Ok(found)
}

fn arrange(code: &Code<'_>) -> Result<Sources, ArrangeError> {
    arrange_apart(code, "main.go", "solution.go", |line| {
        line.starts_with("package ") || line.starts_with("import ")
    })
}

fn compile(command: &Command<'_>) -> Vec<String> {
    let mut argv = words(["/bin/sh", "-c", SCRIPT, "sh", path(command.home)]);
    argv.extend(words(command.sources.of_kind(&["go"])));
    argv
}
