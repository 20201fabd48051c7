//! Rust by rustc, without cargo: a program is its main file and the modules beside it.

use std::path::Path;

use contract::Language;

use super::{
    ArrangeError, Code, Command, Found, Hints, Product, Sources, Spec, find_program, main_text,
    never, nothing, path, with_main, words,
};
use crate::lines::{self, LineMap, Origin};
use crate::verdict::Allowance;

const MAIN: &str = "main.rs";

/// Rust.
pub(super) static RUST: Spec = Spec {
    id: Language::Rust,
    name: "Rust 2024",
    toolchain: "rustc",
    extensions: &["rs"],
    template: "use std::io::{self, Read};\n\nfn main() {\n    let mut text = String::new();\n    io::stdin().read_to_string(&mut text).unwrap();\n    let sum: i64 = text.split_whitespace().map(|word| word.parse::<i64>().unwrap()).sum();\n    println!(\"{sum}\");\n}\n",
    compile_shown: Some("rustc --edition 2024 -O solution.rs"),
    run_shown: "./main",
    find,
    version: |home| words([path(&home.join("bin/rustc")), "--version"]),
    arrange,
    compile,
    product: Product::File("main"),
    is_noise: never,
    run: |_: &Path, _: &Sources, _: &Allowance| words(["/app/main"]),
    processes: 16,
    own_memory_kib: 0,
    reserved_kib: nothing,
    preparations: &[],
};

fn find(hints: &Hints) -> Result<Found, String> {
    // It links with it.
    find_program("cc", "gcc")?;
    let mut found = hints.toolchain("rust")?;
    if !found.home.join("bin/rustc").is_file() {
        return Err(format!("no bin/rustc below {}", found.home.display()));
    }
    found.show_target("")?;
    Ok(found)
}

fn arrange(code: &Code<'_>) -> Result<Sources, ArrangeError> {
    let text = main_text(code);
    let (text, origin) = match code.driver {
        None => (text.to_owned(), Origin::Solution),
        Some(driver) => lines::fill(driver, text).ok_or(ArrangeError::NoPlaceholder)?,
    };
    Ok(Sources {
        files: with_main(code, super::file(MAIN, text))?,
        entry: MAIN.to_owned(),
        lines: LineMap::new([(MAIN.to_owned(), origin)]),
    })
}

fn compile(command: &Command<'_>) -> Vec<String> {
    let mut argv = words([path(&command.home.join("bin/rustc"))]);
    argv.extend(words([
        "--edition",
        "2024",
        "-O",
        "-C",
        "debuginfo=0",
        "-C",
        "strip=symbols",
        "-o",
        "main",
        MAIN,
    ]));
    argv
}
