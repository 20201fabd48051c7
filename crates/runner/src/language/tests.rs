//! The table as a whole, and how files are arranged.

use super::*;

fn source(name: &str, content: &str) -> SourceFile {
    file(name, content)
}

fn arrange(id: Language, code: &str, driver: Option<&str>) -> Result<Sources, ArrangeError> {
    let files = [source("anything", code)];
    let code = Code {
        files: &files,
        driver,
    };
    (spec(id).expect("in the table").arrange)(&code)
}

fn names(sources: &Sources) -> Vec<&str> {
    sources
        .files
        .iter()
        .map(|file| file.name.as_str())
        .collect()
}

#[test]
fn every_entry_is_for_a_language_of_its_own() {
    for (index, spec) in SPECS.iter().enumerate() {
        assert!(SPECS[..index].iter().all(|other| other.id != spec.id));
        assert!(!spec.extensions.is_empty() && spec.template.ends_with('\n'));
    }
}

#[test]
fn a_program_is_the_learners_file_alone() {
    for (id, main) in [
        (Language::C, "<solution>"),
        (Language::Cpp, "<solution>"),
        (Language::Python, "main.py"),
        (Language::Javascript, "main.js"),
        (Language::Java, "Main.java"),
    ] {
        let sources = arrange(id, "code", None).expect("arranges");
        assert_eq!(names(&sources), [main], "{id}");
        assert_eq!(sources.files[0].content, "code");
    }
}

#[test]
fn a_driver_of_c_includes_the_learners_file() {
    let sources = arrange(
        Language::C,
        "int f;",
        Some("#include <stdio.h>\n{{code}}\nint main;\n"),
    )
    .expect("arranges");
    assert_eq!(names(&sources), ["<solution>", "<driver>"]);
    assert_eq!(
        sources.files[1].content,
        "#include <stdio.h>\n#include \"<solution>\"\nint main;\n"
    );
    assert_eq!(sources.entry, "<driver>");
}

#[test]
fn a_driver_with_a_line_for_the_code_is_one_file_with_it() {
    let sources = arrange(
        Language::Python,
        "def f(): pass\n",
        Some("import sys\n{{code}}\nf()\n"),
    )
    .expect("arranges");
    assert_eq!(names(&sources), ["main.py"]);
    assert_eq!(sources.files[0].content, "import sys\ndef f(): pass\nf()\n");
    assert_eq!(sources.lines.rewrite("main.py:2"), "<solution>:1");
}

#[test]
fn a_driver_without_one_imports_the_learners_module() {
    for (id, main, module) in [
        (Language::Python, "main.py", "solution.py"),
        (Language::Javascript, "main.js", "solution.js"),
    ] {
        let sources = arrange(id, "code", Some("import it\n")).expect("arranges");
        assert_eq!(names(&sources), [module, main]);
        assert_eq!(sources.entry, main);
        assert_eq!(
            sources.lines.rewrite(&format!("{module}:3 {main}:4")),
            "<solution>:3 <driver>:4"
        );
    }
    for id in [Language::C, Language::Cpp, Language::Java] {
        assert_eq!(
            arrange(id, "code", Some("import it\n")),
            Err(ArrangeError::NoPlaceholder)
        );
    }
}

#[test]
fn a_java_driver_takes_a_public_solution() {
    let driver = "import java.util.*;\n{{code}}\npublic class Main {\n  public static void main(String[] a) {}\n}\n";
    let sources =
        arrange(Language::Java, "public class Solution {}", Some(driver)).expect("arranges");
    assert_eq!(names(&sources), ["Main.java"]);
    assert_eq!(sources.entry, "Main");
    assert!(
        sources.files[0]
            .content
            .contains("\n       class Solution {}\n")
    );
}

#[test]
fn further_files_keep_their_names_unless_taken() {
    let files = [source("a.py", "1"), source("util.py", "2")];
    let code = Code {
        files: &files,
        driver: None,
    };
    let python = spec(Language::Python).expect("in the table");
    assert_eq!(
        names(&(python.arrange)(&code).expect("arranges")),
        ["main.py", "util.py"]
    );
    for (driver, taken) in [
        (None, "main.py"),
        (Some("import solution"), "main.py"),
        (Some("import solution"), "solution.py"),
    ] {
        let files = [source("a.py", "1"), source(taken, "2")];
        let code = Code {
            files: &files,
            driver,
        };
        assert_eq!(
            (python.arrange)(&code),
            Err(ArrangeError::TakenName(taken.to_owned()))
        );
    }
}

#[test]
fn commands_name_only_what_is_compiled() {
    let files = [
        source("a.c", "1"),
        source("util.c", "2"),
        source("util.h", "3"),
    ];
    let code = Code {
        files: &files,
        driver: None,
    };
    let c = spec(Language::C).expect("in the table");
    let sources = (c.arrange)(&code).expect("arranges");
    let argv = (c.compile)(&Command {
        home: Path::new("/usr/bin/gcc"),
        sources: &sources,
        prepared: false,
    });
    assert_eq!(
        argv.join(" "),
        "/usr/bin/gcc -O2 -std=c17 -pipe -Wall -Wextra -Wno-unused-result -o main -x c <solution> -x none util.c -lm"
    );
}
