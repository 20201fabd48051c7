//! Loops in languages with braces, found word by word.
//!
//! Knows heads with parentheses (`for (…) x;`) and without (`for … {`), and bodies without braces. Never fails: code that is
//! no code gives some number.

use contract::Language;

/// A loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Nest {
    /// How many loops it lies in, itself included.
    pub(super) depth: usize,
    /// Its line, from 1.
    pub(super) line: usize,
}

/// The loops of a program.
#[derive(Debug)]
pub(super) struct Nests {
    pub(super) found: Vec<Nest>,
    /// For each line, the number of loops that some part of it lies in.
    pub(super) depths: Vec<usize>,
}

/// Finds the loops in lines without comments and strings.
pub(super) fn nests(language: Language, lines: &[String]) -> Nests {
    let mut walk = Walk::new(language);
    let depths = lines
        .iter()
        .enumerate()
        .map(|(index, line)| walk.line(line, index + 1))
        .collect();
    Nests {
        found: walk.found,
        depths,
    }
}

/// What is open while words and signs go by.
#[derive(Debug)]
struct Walk {
    language: Language,
    open: Vec<Open>,
    parentheses: usize,
    head: Head,
    found: Vec<Nest>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Braces {
        of_loop: bool,
    },
    /// The body of a loop without braces.
    Statement,
}

/// Where the head of a loop is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Head {
    None,
    /// Until the next brace at this depth of parentheses.
    Bare {
        depth: usize,
    },
    /// Its parentheses are to come, or are open.
    Parentheses {
        depth: usize,
    },
    /// Its body is next.
    Over,
}

impl Walk {
    fn new(language: Language) -> Self {
        Self {
            language,
            open: Vec::new(),
            parentheses: 0,
            head: Head::None,
            found: Vec::new(),
        }
    }

    fn line(&mut self, line: &str, number: usize) -> usize {
        let mut most = self.depth();
        let mut rest = line;
        while let Some(first) = rest.chars().next() {
            let word = rest
                .find(|c: char| !(c.is_alphanumeric() || c == '_'))
                .unwrap_or(rest.len());
            if word > 0 {
                self.word(&rest[..word], line, number);
                rest = &rest[word..];
            } else {
                if !first.is_whitespace() {
                    self.sign(first);
                }
                rest = &rest[first.len_utf8()..];
            }
            most = most.max(self.depth());
        }
        most
    }

    fn depth(&self) -> usize {
        let is_loop = |open: &&Open| !matches!(open, Open::Braces { of_loop: false });
        self.open.iter().filter(is_loop).count()
    }

    fn word(&mut self, word: &str, line: &str, number: usize) {
        self.begin_statement();
        let bare = matches!(self.language, Language::Rust | Language::Go);
        let head = match word {
            // `impl Trait for Type {` is no loop.
            "for" if self.language == Language::Rust && !line.contains(" in ") => return,
            "for" | "while" if bare => Head::Bare {
                depth: self.parentheses,
            },
            "for" | "while" => Head::Parentheses {
                depth: self.parentheses,
            },
            "loop" if self.language == Language::Rust => Head::Bare {
                depth: self.parentheses,
            },
            "do" if !bare => Head::Bare {
                depth: self.parentheses,
            },
            _ => return,
        };
        self.head = head;
        self.found.push(Nest {
            depth: self.depth() + 1,
            line: number,
        });
    }

    fn sign(&mut self, sign: char) {
        match sign {
            '{' => {
                let of_loop = match self.head {
                    Head::Over => true,
                    Head::Bare { depth } => depth == self.parentheses,
                    _ => false,
                };
                if of_loop {
                    self.head = Head::None;
                }
                self.open.push(Open::Braces { of_loop });
            }
            '}' => {
                self.end_statements();
                self.open.pop();
                self.end_statements();
            }
            ';' => match self.head {
                Head::Over => {
                    self.head = Head::None;
                    self.end_statements();
                }
                Head::None => self.end_statements(),
                Head::Bare { .. } | Head::Parentheses { .. } => {}
            },
            '(' | '[' => {
                self.begin_statement();
                self.parentheses += 1;
            }
            ')' | ']' => {
                self.parentheses = self.parentheses.saturating_sub(1);
                if self.head
                    == (Head::Parentheses {
                        depth: self.parentheses,
                    })
                {
                    self.head = Head::Over;
                }
            }
            _ => self.begin_statement(),
        }
    }

    /// A loop's body begins with something else than a brace.
    fn begin_statement(&mut self) {
        if self.head == Head::Over {
            self.head = Head::None;
            self.open.push(Open::Statement);
        }
    }

    fn end_statements(&mut self) {
        while self.open.last() == Some(&Open::Statement) {
            self.open.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deepest(language: Language, code: &str) -> Option<(usize, usize)> {
        let lines: Vec<String> = code.lines().map(str::to_owned).collect();
        nests(language, &lines)
            .found
            .iter()
            .map(|nest| (nest.depth, nest.line))
            .max_by_key(|(depth, _)| *depth)
    }

    #[test]
    fn counts_loops_with_and_without_braces() {
        for (language, code, expected) in [
            (Language::Cpp, "int main() { return 0; }", None),
            (
                Language::Cpp,
                "for (;;) { x(); }\nfor (;;) y();",
                Some((1, 2)),
            ),
            (
                Language::C,
                "for (int i = 0; i < n; i++)\n  for (int j = 0; j < n; j++)\n    s += a[i][j];\nfor (;;) ;",
                Some((2, 2)),
            ),
            (
                Language::Java,
                "while (a(b[0])) { if (x) { for (int i : v) { } } }",
                Some((2, 1)),
            ),
            (
                Language::Cpp,
                "do { for (;;) f(); } while (x);",
                Some((2, 1)),
            ),
            (
                Language::Go,
                "for i := 0; i < n; i++ {\n for {\n }\n}",
                Some((2, 2)),
            ),
            (
                Language::Rust,
                "impl A for B {\n fn f() {\n  for x in y {\n   while z {} } loop {} } }",
                Some((2, 4)),
            ),
            (
                Language::Javascript,
                "for (const a of f(() => { g(); })) { h(); }",
                Some((1, 1)),
            ),
        ] {
            assert_eq!(deepest(language, code), expected, "{code}");
        }
    }

    #[test]
    fn survives_what_is_no_code() {
        for code in [
            "}}}}",
            "for",
            "for (((",
            "{ { { for (",
            "); } while",
            "for for for ;",
        ] {
            deepest(Language::Cpp, code);
        }
    }
}
