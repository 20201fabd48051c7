//! Java by a JDK.
//!
//! A public class must lie in a file of its name, and which class is started must be known: both are read from the code
//! (see [`scan`]). The virtual machine's heap may grow beyond the limit, so that it is the kernel that says when memory
//! ran out; generations are sized so that a program that only makes garbage stays far below it.

mod scan;

use std::path::{Path, PathBuf};

use contract::Language;

use super::{
    ArrangeError, Code, Command, Found, Hints, Preparation, Product, Sources, Spec, file,
    find_program, main_text, never, outside_usual, path, with_main, words,
};
use crate::lines::{self, LineMap, Origin};
use crate::verdict::Allowance;
use scan::Unit;

/// The file and the class where code says nothing else.
const DEFAULT: &str = "Main";
/// Start fast: what a compiler or a learner's program needs is over before more would pay.
pub(super) const LEAN: [&str; 3] = [
    "-XX:+UseSerialGC",
    "-XX:-UsePerfData",
    "-XX:-UseContainerSupport",
];
/// Classes of the compiler, loaded from memory instead of being parsed.
const ARCHIVE: &str = "javac.jsa";
const OUT: &str = "out/";
/// Threads that the machine starts for itself. Each has a stack as large as the program's, and uses a few pages of it.
const OWN_THREADS: u64 = 16;
/// Programs like a learner's, compiled once so that the archive holds what compiling them loads.
const WARM_UP: &str = include_str!("java/WarmUp.java");

/// Java.
pub(super) static JAVA: Spec = Spec {
    id: Language::Java,
    name: "Java",
    toolchain: "OpenJDK",
    extensions: &["java"],
    template: "import java.util.Scanner;\n\npublic class Main {\n    public static void main(String[] args) {\n        Scanner in = new Scanner(System.in);\n        long a = in.nextLong(), b = in.nextLong();\n        System.out.println(a + b);\n    }\n}\n",
    compile_shown: Some("javac -encoding UTF-8 Main.java"),
    run_shown: "java -XX:+UseSerialGC Main",
    find,
    version: |home| words([path(&home.join("bin/java")), "--version"]),
    arrange,
    compile,
    product: Product::Below {
        directory: OUT,
        extension: ".class",
    },
    is_noise: never,
    run,
    processes: 128,
    own_memory_kib: 64 << 10,
    reserved_kib,
    preparations: &[Preparation {
        name: ARCHIVE,
        files: &[("WarmUp.java", WARM_UP)],
        command: |home| {
            let mut argv = javac(home, &["-XX:ArchiveClassesAtExit=javac.jsa"]);
            argv.extend(words(["WarmUp.java"]));
            argv
        },
        output: ARCHIVE,
    }],
};

/// The JDK that was configured, else the one behind `javac`.
pub(super) fn find(hints: &Hints) -> Result<Found, String> {
    let home = match &hints.java_home {
        Some(home) => home
            .canonicalize()
            .map_err(|error| format!("{}: {error}", home.display()))?,
        None => find_program("javac", "default-jdk-headless")?
            .home
            .parent()
            .and_then(Path::parent)
            .map(Path::to_owned)
            .ok_or("javac lies in no JDK")?,
    };
    let java = home.join("bin/java");
    if !java.is_file() || !home.join("bin/javac").is_file() {
        return Err(format!("no java and javac below {}", home.display()));
    }
    let mut visible = outside_usual(&java);
    visible.extend(settings(&home));
    Ok(Found { home, visible })
}

/// Debian keeps a JDK's settings in `/etc`, behind links.
fn settings(home: &Path) -> Option<PathBuf> {
    let target = home.join("lib/jvm.cfg").canonicalize().ok()?;
    let directory = target.parent()?;
    directory.starts_with("/etc").then(|| directory.to_owned())
}

fn arrange(code: &Code<'_>) -> Result<Sources, ArrangeError> {
    let text = main_text(code);
    let (text, origin) = match code.driver {
        None => (text.to_owned(), Origin::Solution),
        // Only one public class has room in a file, and that may be the driver's.
        Some(driver) => lines::fill(driver, &scan::without_public_types(text))
            .ok_or(ArrangeError::NoPlaceholder)?,
    };
    let unit = Unit::scan(&text);
    let name = format!("{}.java", unit.file_class().unwrap_or(DEFAULT));
    let entry = unit.entry(DEFAULT);
    let lines = LineMap::new([(name.clone(), origin)]);
    Ok(Sources {
        files: with_main(code, file(&name, text))?,
        entry,
        lines,
    })
}

fn javac(home: &Path, machine: &[&str]) -> Vec<String> {
    let mut argv = words([path(&home.join("bin/javac"))]);
    let quick = ["-XX:TieredStopAtLevel=1", "-Xmx640m"];
    let flags = LEAN.iter().chain(&quick).chain(machine);
    argv.extend(flags.map(|flag| format!("-J{flag}")));
    argv.extend(words([
        "-encoding",
        "UTF-8",
        "-proc:none",
        "-Xlint:all,-serial,-path,-processing",
        "-d",
        OUT,
    ]));
    argv
}

fn compile(command: &Command<'_>) -> Vec<String> {
    let archive = "-XX:SharedArchiveFile=/app/javac.jsa";
    let machine: &[&str] = if command.prepared { &[archive] } else { &[] };
    let mut argv = javac(command.home, machine);
    argv.extend(words(command.sources.of_kind(&["java"])));
    argv
}

fn run(home: &Path, sources: &Sources, allowance: &Allowance) -> Vec<String> {
    let mut argv = machine(home, allowance);
    argv.extend([
        "-cp".to_owned(),
        format!("/app/{OUT}"),
        sources.entry.clone(),
    ]);
    argv
}

/// The stack of each thread.
fn stack_mib(allowance: &Allowance) -> u64 {
    ((allowance.memory_kib >> 10) / 10).clamp(1, 64)
}

/// Stacks of its own threads.
pub(super) fn reserved_kib(allowance: &Allowance) -> u64 {
    (OWN_THREADS * stack_mib(allowance)) << 10
}

/// The virtual machine with its limits.
pub(super) fn machine(home: &Path, allowance: &Allowance) -> Vec<String> {
    let mib = allowance.memory_kib >> 10;
    let mut argv = words([path(&home.join("bin/java"))]);
    argv.extend(words(LEAN));
    argv.extend([
        // Beyond the kernel's limit; untouched memory costs nothing.
        format!("-Xmx{}m", mib * 2),
        format!("-Xms{}m", mib / 2),
        // The young generation fills up before it is collected: its size is what garbage costs.
        format!("-Xmn{}m", (mib / 4).max(2)),
        // Grow by little, for what has grown is filled before the next collection.
        "-XX:MinHeapFreeRatio=20".to_owned(),
        "-XX:MaxHeapFreeRatio=40".to_owned(),
        // When a stack overflows, the machine takes seven times its size for a moment: that must fit, or endless
        // recursion would look like a lack of memory.
        format!("-Xss{}m", stack_mib(allowance)),
        "-Dfile.encoding=UTF-8".to_owned(),
    ]);
    argv
}
