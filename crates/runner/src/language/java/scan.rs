//! Just enough of Java's grammar to name a file and find the class that is started.
//!
//! Reads words and braces, and skips comments and literals. What it cannot make sense of it leaves to the compiler,
//! which says it better.

use std::ops::Range;

/// What a file declares at its top.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Unit<'a> {
    package: String,
    types: Vec<TopType<'a>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct TopType<'a> {
    name: &'a str,
    /// Where its modifier `public` stands.
    public: Option<Range<usize>>,
    has_main: bool,
}

impl<'a> Unit<'a> {
    /// Reads a file.
    pub(super) fn scan(text: &'a str) -> Self {
        let mut unit = Self::default();
        let mut words = Words { text, at: 0 };
        let mut depth = 0usize;
        let mut public = None;
        let mut last = "";
        while let Some(word) = words.next() {
            let spelled = &text[word.clone()];
            match spelled {
                "{" => depth += 1,
                "}" => depth = depth.saturating_sub(1),
                "public" if depth == 0 => public = Some(word),
                "package" if depth == 0 && unit.types.is_empty() => {
                    unit.package = words.until_semicolon();
                }
                "class" | "interface" | "enum" | "record" if depth == 0 => {
                    let name = words.next().map(|name| &text[name]);
                    if let Some(name) = name.filter(|name| name.starts_with(is_word)) {
                        unit.types.push(TopType {
                            name,
                            public: public.take(),
                            has_main: false,
                        });
                    }
                }
                "main" if depth == 1 && last == "void" => {
                    if let Some(top) = unit.types.last_mut() {
                        top.has_main = true;
                    }
                }
                ";" if depth == 0 => public = None,
                _ => {}
            }
            last = spelled;
        }
        unit
    }

    /// The class that the file must be named after: the public one, else the one that is started.
    pub(super) fn file_class(&self) -> Option<&'a str> {
        let public = self.types.iter().find(|top| top.public.is_some());
        public.or_else(|| self.started()).map(|top| top.name)
    }

    /// The full name of the class that is started.
    pub(super) fn entry(&self, default: &str) -> String {
        let class = self
            .started()
            .map(|top| top.name)
            .or_else(|| self.file_class())
            .unwrap_or(default);
        if self.package.is_empty() {
            class.to_owned()
        } else {
            format!("{}.{class}", self.package)
        }
    }

    fn started(&self) -> Option<&TopType<'a>> {
        let mut starting = self.types.iter().filter(|top| top.has_main);
        let first = starting.next();
        first
            .filter(|top| top.public.is_some())
            .or_else(|| starting.find(|top| top.public.is_some()))
            .or(first)
    }
}

/// The text with the modifier `public` of its top types blanked out; every other character keeps its place.
pub(super) fn without_public_types(text: &str) -> String {
    let mut blanked = text.to_owned();
    for range in Unit::scan(text)
        .types
        .into_iter()
        .filter_map(|top| top.public)
    {
        blanked.replace_range(range.clone(), &" ".repeat(range.len()));
    }
    blanked
}

/// Identifiers and single symbols, each with its place.
struct Words<'a> {
    text: &'a str,
    at: usize,
}

impl Words<'_> {
    fn next(&mut self) -> Option<Range<usize>> {
        loop {
            let rest = &self.text[self.at..];
            let first = rest.chars().next()?;
            let length = match first {
                _ if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
                _ if rest.starts_with("/*") => end_of(rest, 2, "*/"),
                _ if rest.starts_with("\"\"\"") => end_of(rest, 3, "\"\"\""),
                '"' | '\'' => literal(rest, first),
                _ if is_word(first) => {
                    let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                    let start = self.at;
                    self.at += length;
                    return Some(start..start + length);
                }
                _ if first.is_whitespace() => first.len_utf8(),
                _ => {
                    let start = self.at;
                    self.at += first.len_utf8();
                    return Some(start..self.at);
                }
            };
            self.at += length;
        }
    }

    fn until_semicolon(&mut self) -> String {
        let mut name = String::new();
        while let Some(word) = self.next() {
            match &self.text[word] {
                ";" => break,
                part => name.push_str(part),
            }
        }
        name
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// Length up to and with `close`, looked for behind the first `from` bytes.
fn end_of(rest: &str, from: usize, close: &str) -> usize {
    rest[from..]
        .find(close)
        .map_or(rest.len(), |at| from + at + close.len())
}

/// Length of a literal in single or double quotes; it ends at the line's end at the latest.
fn literal(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            '\n' => return at,
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(text: &str) -> (Option<&str>, String) {
        let unit = Unit::scan(text);
        (unit.file_class(), unit.entry("Main"))
    }

    #[test]
    fn the_public_class_names_the_file_and_the_one_with_main_is_started() {
        let main = "public static void main(String[] args) {}";
        for (text, file, entry) in [
            (
                format!("public class Main {{ {main} }}"),
                Some("Main"),
                "Main",
            ),
            (
                format!("class A {{}} public final class Solution {{ {main} }}"),
                Some("Solution"),
                "Solution",
            ),
            (
                format!("class Helper {{}} class Start {{ {main} }}"),
                Some("Start"),
                "Start",
            ),
            (
                format!("public class Data {{}} class Start {{ {main} }}"),
                Some("Data"),
                "Start",
            ),
            (
                format!("package a . b; import x.*; public class M {{ {main} }}"),
                Some("M"),
                "a.b.M",
            ),
            (
                format!(
                    "// public class No {{\n/* class X {{ */ class Y {{ String s = \"class Z {{ \\\" }}\"; char c = '\\''; {main} }}"
                ),
                Some("Y"),
                "Y",
            ),
            (
                format!("class T {{ String s = \"\"\"\n class U {{ \"quote\" \n\"\"\"; {main} }}"),
                Some("T"),
                "T",
            ),
            (
                format!("class Out {{ static class In {{ {main} }} }}"),
                None,
                "Main",
            ),
            ("public record P(int a) {}".to_owned(), Some("P"), "P"),
            (String::new(), None, "Main"),
            ("}}}} class \"".to_owned(), None, "Main"),
        ] {
            assert_eq!(names(&text), (file, entry.to_owned()), "{text}");
        }
    }

    #[test]
    fn public_types_lose_the_word_and_nothing_moves() {
        let text = "import a;\npublic class S {\n public int x; }\npublic interface I {}";
        let blanked = without_public_types(text);
        assert_eq!(
            blanked,
            "import a;\n       class S {\n public int x; }\n       interface I {}"
        );
    }

    proptest! {
        #[test]
        fn reads_anything_to_its_end(text in "(\\PC|[\"'/*{}\\\\\n]|class |main ){0,40}") {
            prop_assert_eq!(without_public_types(&text).len(), text.len());
        }
    }
}
