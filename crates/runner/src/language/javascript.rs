//! JavaScript by Node.js, as CommonJS or, where the code is written so, as a module.

use std::path::Path;

use contract::Language;

use super::{Code, Product, Sources, Spec, arrange_script, find_program, path, words};
use crate::verdict::Allowance;

/// `import` and `export` work without being announced; without them nothing changes.
const MODULES: &str = "--experimental-detect-module";
/// Largest stack asked of V8, in kibibytes; its own default is made for servers and ends recursion at 10,000 calls.
const STACK_KIB: u64 = 64 << 10;
/// Threads that Node starts for itself. Where it cannot start one it hangs.
const OWN_THREADS: u64 = 8;

/// JavaScript.
pub(super) static JAVASCRIPT: Spec = Spec {
    id: Language::Javascript,
    name: "JavaScript",
    toolchain: "Node.js",
    extensions: &["js", "mjs", "cjs"],
    template: "const [a, b] = require('fs').readFileSync(0, 'utf8').split(/\\s+/).map(Number);\nconsole.log(a + b);\n",
    compile_shown: None,
    run_shown: "node solution.js",
    find: |_| find_program("node", "nodejs"),
    // One that is too old to know the option says so, and not first to a learner.
    version: |home| words([path(home), MODULES, "--version"]),
    arrange: |code: &Code<'_>| arrange_script(code, "main.js", "solution.js"),
    compile: |command| {
        // The learner's text stands in the first file, alone or inside the driver.
        let learner = command.sources.files.first();
        let name = learner.map_or("main.js", |file| file.name.as_str());
        words([path(command.home), MODULES, "--check", name])
    },
    product: Product::Sources,
    is_noise,
    run,
    processes: 64,
    own_memory_kib: 48 << 10,
    reserved_kib,
    preparations: &[],
};

/// Node's own frames, and its name at the end.
fn is_noise(line: &str) -> bool {
    (line.starts_with("    at ") && line.contains("node:internal")) || line.starts_with("Node.js v")
}

fn run(home: &Path, sources: &Sources, allowance: &Allowance) -> Vec<String> {
    let mut argv = node(home, allowance);
    argv.push(format!("/app/{}", sources.entry));
    argv
}

/// Stacks of its own threads, each as large as the program's may grow.
pub(super) fn reserved_kib(allowance: &Allowance) -> u64 {
    OWN_THREADS * (allowance.stack_bytes() >> 10)
}

/// Node with its limits.
pub(super) fn node(home: &Path, allowance: &Allowance) -> Vec<String> {
    // The kernel's limit is the one that counts: the heap's own lies beyond it, so that a program that needs too much is
    // told so, and not that it crashed.
    let heap_mib = (allowance.memory_kib >> 10) * 2;
    let stack_kib = STACK_KIB.min(allowance.memory_kib / 2);
    let mut argv = words([path(home), MODULES]);
    argv.push(format!("--max-old-space-size={heap_mib}"));
    argv.push(format!("--stack-size={stack_kib}"));
    argv
}
