//! Python 3, started bare: no environment, no packages of a user, nothing written.

use contract::Language;

use super::{
    Code, Command, Product, Spec, arrange_script, find_program, never, nothing, path, words,
};

/// Like `-I`, but the learner's own further files can be imported. With `site`: without it there is no `exit` and no `quit`.
pub(super) const BARE: [&str; 5] = ["-E", "-s", "-B", "-X", "utf8"];

/// Compiles each file without running it, and says what is wrong as compilers do.
const CHECK: &str = r#"
import sys
for name in sys.argv[1:]:
    try:
        with open(name, "rb") as source:
            compile(source.read(), name, "exec", dont_inherit=True)
    except SyntaxError as error:
        kind = type(error).__name__
        print(f"{name}:{error.lineno or 1}:{error.offset or 1}: {kind}: {error.msg}", file=sys.stderr)
        if error.text and error.offset:
            text = error.text.rstrip()
            rest = text.lstrip()
            print(f"    {rest}\n    {' ' * (error.offset - 1 - len(text) + len(rest))}^", file=sys.stderr)
        sys.exit(1)
    except BaseException as error:
        print(f"{name}:1: {type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(1)
"#;

/// Python.
pub(super) static PYTHON: Spec = Spec {
    id: Language::Python,
    name: "Python 3",
    toolchain: "CPython",
    extensions: &["py"],
    template: "a, b = map(int, input().split())\nprint(a + b)\n",
    compile_shown: None,
    run_shown: "python3 -E -s -B solution.py",
    find: |_| find_program("python3", "python3"),
    version: |home| words([path(home), "-V"]),
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
    own_memory_kib: 0,
    reserved_kib: nothing,
    preparations: &[],
};

pub(super) fn check(command: &Command<'_>) -> Vec<String> {
    let mut argv = words([path(command.home)]);
    argv.extend(words(BARE));
    argv.extend(words(["-c", CHECK]));
    argv.extend(words(command.sources.of_kind(&["py"])));
    argv
}
