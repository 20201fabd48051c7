//! A learner's code with its comments and strings blanked out, and the loops found in it.
//!
//! Lexical only: no parser for ten languages. Rules that read it give hints, never verdicts.

use contract::Language;

use super::loops::{self, Nest};

/// Code with comments and the insides of strings replaced by spaces; lines stay where they are.
#[derive(Debug)]
pub(super) struct Source {
    language: Language,
    lines: Vec<String>,
}

impl Source {
    pub(super) fn new(language: Language, code: &str) -> Self {
        let blanked = if language_is_python(language) {
            blank_python(code)
        } else {
            blank_braces(language, code)
        };
        Self {
            language,
            lines: blanked.lines().map(str::to_owned).collect(),
        }
    }

    /// The lines that hold code, each with its number from 1.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines
            .iter()
            .enumerate()
            .map(|(index, line)| (index + 1, line.as_str()))
            .filter(|(_, line)| !line.trim().is_empty())
    }

    /// The first line that holds one of these texts.
    pub(super) fn find(&self, any: &[&str]) -> Option<usize> {
        self.lines()
            .find(|(_, line)| any.iter().any(|text| line.contains(text)))
            .map(|(number, _)| number)
    }

    /// Whether one of these texts is anywhere.
    pub(super) fn has(&self, any: &[&str]) -> bool {
        self.find(any).is_some()
    }

    /// The deepest nest of loops, if there is any loop.
    pub(super) fn deepest_loop(&self) -> Option<Nest> {
        self.nests().max_by(|a, b| {
            // The first one of equal depth.
            a.depth.cmp(&b.depth).then(b.line.cmp(&a.line))
        })
    }

    /// The first line inside a loop that holds one of these texts.
    pub(super) fn find_in_loop(&self, any: &[&str]) -> Option<usize> {
        let depths = if language_is_python(self.language) {
            self.python_depths()
        } else {
            loops::nests(self.language, &self.lines).depths
        };
        self.lines()
            .find(|(number, line)| {
                depths[number - 1] > 0 && any.iter().any(|text| line.contains(text))
            })
            .map(|(number, _)| number)
    }

    fn nests(&self) -> impl Iterator<Item = Nest> {
        let nests = if language_is_python(self.language) {
            self.python_nests()
        } else {
            loops::nests(self.language, &self.lines).found
        };
        nests.into_iter()
    }

    fn python_nests(&self) -> Vec<Nest> {
        let depths = self.python_depths();
        self.lines()
            .filter(|(_, line)| is_python_loop(line))
            .map(|(line, _)| Nest {
                depth: depths[line - 1] + 1,
                line,
            })
            .collect()
    }

    /// For each line, how many loops it lies in.
    fn python_depths(&self) -> Vec<usize> {
        // Indents of the loops that are open.
        let mut open: Vec<usize> = Vec::new();
        let mut depths = vec![0; self.lines.len()];
        for (number, line) in self.lines() {
            let indent = line.len() - line.trim_start().len();
            while open.last().is_some_and(|&outer| indent <= outer) {
                open.pop();
            }
            depths[number - 1] = open.len();
            if is_python_loop(line) {
                open.push(indent);
            }
        }
        depths
    }
}

pub(super) fn language_is_python(language: Language) -> bool {
    matches!(language, Language::Python | Language::Pypy)
}

fn is_python_loop(line: &str) -> bool {
    let line = line.trim_start();
    let line = line.strip_prefix("async ").unwrap_or(line);
    (line.starts_with("for ") || line.starts_with("while ") || line.starts_with("while("))
        && line.contains(':')
}

/// What a stretch of code is, while comments and strings are blanked out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum In {
    Code,
    LineComment,
    BlockComment,
    /// Ends with this; a line's end ends it too, unless it is a long one.
    Text {
        quote: char,
        long: bool,
    },
}

fn blank_python(code: &str) -> String {
    blank(code, |rest| {
        let quote = rest.chars().next()?;
        match quote {
            '#' => Some((In::LineComment, 1)),
            '"' | '\'' => {
                let long = rest.starts_with("\"\"\"") || rest.starts_with("'''");
                Some((In::Text { quote, long }, if long { 3 } else { 1 }))
            }
            _ => None,
        }
    })
}

fn blank_braces(language: Language, code: &str) -> String {
    blank(code, |rest| {
        if rest.starts_with("//") {
            return Some((In::LineComment, 2));
        }
        if rest.starts_with("/*") {
            return Some((In::BlockComment, 2));
        }
        match rest.chars().next()? {
            // Lifetimes begin with the same sign.
            '\'' if language == Language::Rust && !is_rust_char(rest) => None,
            quote @ ('"' | '\'') => Some((In::Text { quote, long: false }, 1)),
            '`' => Some((
                In::Text {
                    quote: '`',
                    long: true,
                },
                1,
            )),
            _ => None,
        }
    })
}

fn is_rust_char(rest: &str) -> bool {
    let mut chars = rest.chars().skip(1);
    let first = chars.next();
    first == Some('\\') || chars.next() == Some('\'')
}

/// Replaces all but code by spaces. `begins` says what begins at a place in code, and how many bytes its mark has.
fn blank(code: &str, begins: impl Fn(&str) -> Option<(In, usize)>) -> String {
    let mut blanked = String::with_capacity(code.len());
    let mut state = In::Code;
    let mut rest = code;
    while let Some(sign) = rest.chars().next() {
        let (next, taken, shown) = match state {
            In::Code => match begins(rest) {
                // The quotes stay, so that a string still is something.
                Some((next @ In::Text { .. }, taken)) => (next, taken, true),
                Some((next, taken)) => (next, taken, false),
                None => (In::Code, sign.len_utf8(), true),
            },
            In::LineComment if sign == '\n' => (In::Code, 1, true),
            In::BlockComment if rest.starts_with("*/") => (In::Code, 2, false),
            In::LineComment | In::BlockComment => (state, sign.len_utf8(), false),
            In::Text { quote, long } => {
                let thrice = long && quote != '`';
                let ends = rest.starts_with(quote)
                    && (!thrice || rest.chars().take(3).filter(|&c| c == quote).count() == 3);
                let escaped = sign == '\\' && rest.len() > 1;
                if ends {
                    (In::Code, if thrice { 3 } else { 1 }, true)
                } else if sign == '\n' && !long {
                    (In::Code, 1, true)
                } else if escaped {
                    let second = rest[1..].chars().next().map_or(0, char::len_utf8);
                    (state, 1 + second, false)
                } else {
                    (state, sign.len_utf8(), false)
                }
            }
        };
        for taken in rest[..taken].chars() {
            blanked.push(if shown || taken == '\n' { taken } else { ' ' });
        }
        rest = &rest[taken..];
        state = next;
    }
    blanked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_strings_are_no_code() {
        let source = Source::new(
            Language::Cpp,
            "int a; // for (;;)\nconst char *s = \"while (\\\"1)\"; /* for\n for */ int b;\n",
        );
        assert!(!source.has(&["for", "while"]));
        assert_eq!(source.find(&["int b"]), Some(3));
        let source = Source::new(
            Language::Python,
            "s = '''for\nwhile True:\n'''\nx = 1 # print(x)\n",
        );
        assert!(!source.has(&["for", "while", "print"]));
        assert_eq!(source.find(&["x = 1"]), Some(4));
    }

    #[test]
    fn lifetimes_are_no_strings() {
        let source = Source::new(
            Language::Rust,
            "fn f<'a>(x: &'a str) { let c = 'x'; loop {} }\n",
        );
        assert!(source.has(&["loop"]));
    }

    #[test]
    fn python_loops_nest_by_indent() {
        let code = "for i in range(3):\n    for j in range(3):\n        print(i)\n    x = 1\nwhile True:\n    break\n";
        let source = Source::new(Language::Python, code);
        assert_eq!(source.deepest_loop(), Some(Nest { depth: 2, line: 2 }));
        assert_eq!(source.find_in_loop(&["x = 1"]), Some(4));
        assert_eq!(source.find_in_loop(&["while"]), None);
    }
}
