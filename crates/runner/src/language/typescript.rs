//! TypeScript by the native `tsc` of Microsoft: types are checked, and what comes out is run by Node.js.
//!
//! `scripts/toolchains.sh` fetches it and Node's types with npm; nothing is fetched when judging.

use std::path::PathBuf;

use contract::Language;

use super::{
    Code, Command, Found, Hints, Product, Spec, arrange_script, find_program, javascript, never,
    path, words,
};

const OUT: &str = "out/";

/// TypeScript.
pub(super) static TYPESCRIPT: Spec = Spec {
    id: Language::Typescript,
    name: "TypeScript",
    toolchain: "tsc",
    extensions: &["ts", "mts"],
    template: "import { readFileSync } from 'fs';\n\nconst [a, b]: number[] = readFileSync(0, 'utf8').split(/\\s+/).map(Number);\nconsole.log(a + b);\n",
    compile_shown: Some("tsc --target es2023 --module commonjs --strict false solution.ts"),
    run_shown: "node solution.js",
    find,
    version: |home| words([path(&home.join(TSC)), "--version"]),
    arrange: |code: &Code<'_>| arrange_script(code, "main.ts", "solution.ts"),
    compile,
    product: Product::Below {
        directory: OUT,
        extension: ".js",
    },
    is_noise: never,
    run: |_, sources, allowance| {
        let entry = sources.entry.replace(".ts", ".js");
        // Node was found where the toolchain was.
        let node = find_program("node", "nodejs")
            .map_or_else(|_| PathBuf::from("/usr/bin/node"), |found| found.home);
        let mut argv = javascript::node(&node, allowance);
        argv.push("--enable-source-maps".to_owned());
        argv.push(format!("/app/{OUT}{entry}"));
        argv
    },
    processes: 64,
    own_memory_kib: 48 << 10,
    reserved_kib: javascript::reserved_kib,
    preparations: &[],
};

/// The compiler below the folder that npm filled; a link made by the script hides the name of the platform.
const TSC: &str = "native/lib/tsc";
const TYPES: &str = "node_modules/@types";

fn find(hints: &Hints) -> Result<Found, String> {
    let node = find_program("node", "nodejs")?;
    let mut found = hints.toolchain("typescript")?;
    for part in [TSC, TYPES] {
        if !found.home.join(part).exists() {
            return Err(format!("no {part} below {}", found.home.display()));
        }
    }
    found.visible.extend(node.visible);
    Ok(found)
}

fn compile(command: &Command<'_>) -> Vec<String> {
    let mut argv = words([path(&command.home.join(TSC))]);
    argv.extend(words([
        "--outDir",
        OUT,
        "--rootDir",
        ".",
        "--target",
        "es2023",
        "--lib",
        "es2023",
        "--module",
        "commonjs",
        "--strict",
        "false",
        "--skipLibCheck",
        "--noEmitOnError",
        "--inlineSourceMap",
        "--pretty",
        "false",
        "--types",
        "node",
        "--typeRoots",
    ]));
    argv.push(path(&command.home.join(TYPES)).to_owned());
    argv.extend(words(command.sources.of_kind(&["ts", "mts"])));
    argv
}
