//! Python 3 by PyPy: the same files and checks as [`super::python`], run by a machine that compiles what is hot.

use contract::Language;

use super::python::{BARE, check};
use super::{Code, Product, Spec, arrange_script, find_program, never, nothing, path, words};

/// PyPy.
pub(super) static PYPY: Spec = Spec {
    id: Language::Pypy,
    name: "Python 3 (PyPy)",
    toolchain: "PyPy",
    extensions: &["py"],
    template: "a, b = map(int, input().split())\nprint(a + b)\n",
    compile_shown: None,
    run_shown: "pypy3 -E -s -B solution.py",
    find: |_| find_program("pypy3", "pypy3"),
    // What it says by itself begins with the version of the language.
    version: |home| {
        words([
            path(home),
            "-c",
            "import sys; print('%d.%d.%d' % sys.pypy_version_info[:3])",
        ])
    },
    arrange: |code: &Code<'_>| arrange_script(code, "main.py", "solution.py"),
    compile: check,
    product: Product::Sources,
    is_noise: never,
    run: |home, sources, _| {
        let mut argv = words([path(home)]);
        argv.extend(words(BARE));
        argv.push(format!("/app/{}", sources.entry));
        argv
    },
    processes: 16,
    own_memory_kib: 64 << 10,
    reserved_kib: nothing,
    preparations: &[],
};
