//! Where the learner's code stands in a driver.

use contract::Language;

use super::{Fault, check_code};

/// The line at which the learner's code stands.
const PLACE: &str = "{{code}}";

/// What is wrong with a driver: the learner's code must have one place in it, or be imported by it.
pub(crate) fn check_driver(pointer: &str, language: Language, driver: &str) -> Option<Fault> {
    if let Some(fault) = check_code(pointer, driver) {
        return Some(fault);
    }
    let places = driver.lines().filter(|line| line.trim() == PLACE).count();
    match places {
        1 => None,
        0 if imports_solution(language, driver) => None,
        0 if driver.contains(PLACE) => Some(Fault::new(
            pointer,
            "driver-place",
            "`{{code}}` must stand alone on its line",
        )),
        0 => Some(Fault::new(
            pointer,
            "driver-place",
            match module_kind(language) {
                Some(_) => {
                    "a driver has one line `{{code}}`, or imports the module `solution` in which the learner's code will be"
                }
                None => "a driver has one line `{{code}}`, where the learner's code will be",
            },
        )),
        _ => Some(Fault::new(
            pointer,
            "driver-place",
            "a driver has only one line `{{code}}`",
        )),
    }
}

enum Modules {
    Python,
    Ecma,
}

/// Languages whose drivers can import the learner's file.
fn module_kind(language: Language) -> Option<Modules> {
    match language {
        Language::Python | Language::Pypy => Some(Modules::Python),
        Language::Javascript | Language::Typescript => Some(Modules::Ecma),
        _ => None,
    }
}

/// Whether it seems to import the module. What this overlooks can always be written in the plain way.
fn imports_solution(language: Language, driver: &str) -> bool {
    match module_kind(language) {
        Some(Modules::Python) => driver.lines().any(|line| {
            let line = line.trim_start();
            let modules = line
                .strip_prefix("import ")
                .or_else(|| line.strip_prefix("from "))
                .unwrap_or_default();
            modules
                .split(',')
                .any(|module| module.split_whitespace().next() == Some("solution"))
        }),
        Some(Modules::Ecma) => ["", ".js", ".mjs", ".cjs", ".ts"].iter().any(|ending| {
            ['\'', '"', '`'].iter().any(|quote| {
                driver.contains(&format!("{quote}./solution{ending}{quote}"))
                    || driver.contains(&format!("{quote}solution{ending}{quote}"))
            })
        }),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(language: Language, driver: &str) -> Option<String> {
        check_driver("/driver", language, driver).map(|fault| fault.message)
    }

    #[test]
    fn accepts_one_place_or_an_import() {
        for (language, driver) in [
            (Language::C, "#include <stdio.h>\n{{code}}\nint main() {}\n"),
            (Language::Java, "class Main {\r\n\t{{code}}\r\n}"),
            (
                Language::Python,
                "import sys\nfrom solution import f\nprint(f())\n",
            ),
            (Language::Python, "if True:\n    import json, solution\n"),
            (Language::Python, "import solution as s\n"),
            (Language::Python, "{{code}}\nprint(f())"),
            (
                Language::Javascript,
                "const { f } = require('./solution');\n",
            ),
            (
                Language::Javascript,
                "import { f } from \"./solution.js\";\n",
            ),
        ] {
            assert_eq!(fault(language, driver), None, "{driver}");
        }
    }

    #[test]
    fn refuses_none_two_and_half_a_line() {
        for (language, driver) in [
            (Language::C, "int main() {}"),
            (Language::C, "#include \"solution\"\n"),
            (Language::C, "{{code}}\n{{code}}\n"),
            (Language::Cpp, "namespace a { {{code}} }\n"),
            (Language::Python, "print('import the solution')\n"),
            (Language::Python, "import solutions\n"),
            (Language::Javascript, "// solution\n"),
            (Language::Python, " \n"),
        ] {
            assert!(fault(language, driver).is_some(), "{driver}");
        }
        assert!(
            fault(
                Language::C,
                &format!("{{{{code}}}}\n{}", "x".repeat(65_536))
            )
            .is_some()
        );
        assert!(fault(Language::C, "{{code}}\n\0").is_some());
    }
}
