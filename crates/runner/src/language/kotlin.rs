//! Kotlin for the Java machine, by the compiler that Maven has.
//!
//! The compiler is a large Java program; most of its start is saved by an archive of its classes that
//! `scripts/toolchains.sh` makes beside the jars.

use std::path::Path;

use contract::Language;

use super::{
    ArrangeError, Code, Command, Found, Hints, Product, Sources, Spec, arrange_apart, java, never,
    path, words,
};
use crate::verdict::Allowance;

const MAIN: &str = "main.kt";
const OUT: &str = "out/";
/// The class that a file `main.kt` becomes.
const MAIN_CLASS: &str = "MainKt";

/// Kotlin.
pub(super) static KOTLIN: Spec = Spec {
    id: Language::Kotlin,
    name: "Kotlin",
    toolchain: "kotlinc",
    extensions: &["kt"],
    template: "fun main() {\n    val (a, b) = readln().trim().split(\" \").map { it.toLong() }\n    println(a + b)\n}\n",
    compile_shown: Some("kotlinc solution.kt"),
    run_shown: "java -XX:+UseSerialGC -cp …:kotlin-stdlib.jar MainKt",
    find,
    version: |home| words(["/bin/cat", path(&home.join("version"))]),
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
    reserved_kib: java::reserved_kib,
    preparations: &[],
};

fn find(hints: &Hints) -> Result<Found, String> {
    let mut found = hints.toolchain("kotlin")?;
    for part in [
        "version",
        "classpath",
        "jdk/bin/java",
        "lib/kotlin-stdlib.jar",
    ] {
        if !found.home.join(part).exists() {
            return Err(format!("no {part} below {}", found.home.display()));
        }
    }
    found.show_target("jdk")?;
    let own = Hints {
        java_home: Some(found.home.join("jdk")),
        toolchains: Vec::new(),
    };
    found.visible.extend(java::find(&own)?.visible);
    Ok(found)
}

fn arrange(code: &Code<'_>) -> Result<Sources, ArrangeError> {
    let mut sources = arrange_apart(code, MAIN, "solution.kt", |line| {
        line.starts_with("package ") || line.starts_with("import ") || line.starts_with("@file:")
    })?;
    let main = sources.files.iter().find(|file| file.name == MAIN);
    sources.entry = entry(main.map_or("", |file| file.content.as_str()));
    Ok(sources)
}

/// The class that is started: that of the file, or of the object around `main`.
fn entry(text: &str) -> String {
    let package = text.lines().find_map(|line| line.strip_prefix("package "));
    let top = ["fun main", "suspend fun main"];
    let class = if text
        .lines()
        .any(|line| top.iter().any(|lead| line.starts_with(lead)))
    {
        MAIN_CLASS
    } else {
        text.find("@JvmStatic")
            .and_then(|at| enclosing(&text[..at]))
            .unwrap_or(MAIN_CLASS)
    };
    match package {
        Some(package) => format!("{}.{class}", package.trim().trim_end_matches(';')),
        None => class.to_owned(),
    }
}

/// The last named class or object before a place.
fn enclosing(text: &str) -> Option<&str> {
    let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    let mut found = None;
    while let Some(word) = words.next() {
        if matches!(word, "class" | "object") {
            found = words.next().filter(|name| !name.is_empty()).or(found);
        }
    }
    found
}

fn compile(command: &Command<'_>) -> Vec<String> {
    let home = path(command.home);
    let mut argv = vec![format!("{home}/jdk/bin/java")];
    argv.extend(words(java::LEAN));
    argv.extend([
        "-XX:TieredStopAtLevel=1".to_owned(),
        "-Xmx640m".to_owned(),
        // Where it does not fit the machine it is left alone.
        format!("-XX:SharedArchiveFile={home}/kotlin.jsa"),
        "-Xshare:auto".to_owned(),
        "-Xlog:cds=off".to_owned(),
        "-Xlog:cds+dynamic=off".to_owned(),
        // The class path lies in a file, for it must be the same to the letter as when the archive was made.
        format!("@{home}/classpath"),
        "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler".to_owned(),
        "-no-stdlib".to_owned(),
        "-no-reflect".to_owned(),
        "-cp".to_owned(),
        format!("{home}/lib/kotlin-stdlib.jar"),
        "-d".to_owned(),
        OUT.to_owned(),
    ]);
    argv.extend(words(command.sources.of_kind(&["kt"])));
    argv
}

fn run(home: &Path, sources: &Sources, allowance: &Allowance) -> Vec<String> {
    let mut argv = java::machine(&home.join("jdk"), allowance);
    argv.extend([
        "-cp".to_owned(),
        format!("/app/{OUT}:{}/lib/kotlin-stdlib.jar", path(home)),
        sources.entry.clone(),
    ]);
    argv
}

#[cfg(test)]
mod tests {
    use super::entry;

    #[test]
    fn finds_what_is_started() {
        for (text, class) in [
            ("fun main() {}\n", "MainKt"),
            ("package a.b\n\nsuspend fun main() {}\n", "a.b.MainKt"),
            (
                "object App {\n    @JvmStatic fun main(args: Array<String>) {}\n}\n",
                "App",
            ),
            (
                "class Main { companion object {\n  @JvmStatic fun main(a: Array<String>) {} } }\n",
                "Main",
            ),
            ("", "MainKt"),
        ] {
            assert_eq!(entry(text), class, "{text}");
        }
    }
}
