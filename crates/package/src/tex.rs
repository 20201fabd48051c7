//! Statements in TeX as Markdown: the dialect that problems are written in, read by rules of our own.
//!
//! Nothing is run and no file is opened, so `\input` and the like are words as any other. Formulas stay as they are, between
//! dollars. What has no place in Markdown is left out or kept as text, and told with its line.

/// Environments that only group, and what stands for their begin.
const ENVIRONMENTS: [(&str, &str); 9] = [
    ("itemize", ""),
    ("enumerate", ""),
    ("center", ""),
    ("quote", ""),
    ("document", ""),
    ("verbatim", "```"),
    ("lstlisting", "```"),
    ("equation", "$$"),
    ("equation*", "$$"),
];

/// Words that stand for a text.
const WORDS: [(&str, &str); 17] = [
    ("ldots", "…"),
    ("dots", "…"),
    ("textbackslash", "\\\\"),
    ("newline", "\n"),
    ("par", "\n\n"),
    ("noindent", ""),
    ("medskip", "\n\n"),
    ("bigskip", "\n\n"),
    ("smallskip", "\n\n"),
    ("centering", ""),
    ("maketitle", ""),
    ("textellipsis", "…"),
    ("quad", " "),
    ("qquad", " "),
    ("LaTeX", "LaTeX"),
    ("item", "\n- "),
    ("protect", ""),
];

/// Words with one argument, and what stands before and behind it.
const AROUND: [(&str, &str, &str); 16] = [
    ("textbf", "**", "**"),
    ("emph", "*", "*"),
    ("textit", "*", "*"),
    ("textsl", "*", "*"),
    ("texttt", "`", "`"),
    ("verb", "`", "`"),
    ("section", "\n\n## ", "\n\n"),
    ("section*", "\n\n## ", "\n\n"),
    ("subsection", "\n\n### ", "\n\n"),
    ("subsection*", "\n\n### ", "\n\n"),
    ("paragraph", "\n\n**", "** "),
    ("textsc", "", ""),
    ("underline", "", ""),
    ("mbox", "", ""),
    ("url", "<", ">"),
    ("text", "", ""),
];

/// Markdown, and what was not understood: line and what.
pub fn tex_to_markdown(tex: &str) -> (String, Vec<(usize, String)>) {
    let mut reader = Reader {
        rest: tex,
        line: 1,
        out: String::with_capacity(tex.len()),
        left: Vec::new(),
        closings: Vec::new(),
        lists: Vec::new(),
    };
    reader.read();
    let mut text = String::with_capacity(reader.out.len());
    let mut blank = 0;
    for line in reader.out.lines() {
        let line = line.trim_end();
        blank = if line.is_empty() { blank + 1 } else { 0 };
        if blank < 2 {
            text.push_str(line);
            text.push('\n');
        }
    }
    (text.trim().to_owned() + "\n", reader.left)
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
    out: String,
    left: Vec<(usize, String)>,
    /// What stands behind the braces that are open.
    closings: Vec<&'static str>,
    /// Open lists: whether each is numbered.
    lists: Vec<bool>,
}

impl<'a> Reader<'a> {
    fn read(&mut self) {
        while let Some(c) = self.rest.chars().next() {
            match c {
                '\\' => self.command(),
                '%' => self.skip_comment(),
                '$' => self.formula(),
                '{' => {
                    self.advance(1);
                    self.closings.push("");
                }
                '}' => {
                    self.advance(1);
                    let closing = self.closings.pop().unwrap_or_default();
                    self.out.push_str(closing);
                }
                '~' => self.replace(1, " "),
                '`' if self.rest.starts_with("``") => self.replace(2, "“"),
                '`' => self.replace(1, "‘"),
                '\'' if self.rest.starts_with("''") => self.replace(2, "”"),
                '-' if self.rest.starts_with("---") => self.replace(3, "—"),
                '-' if self.rest.starts_with("--") => self.replace(2, "–"),
                '*' | '_' | '<' => {
                    self.out.push('\\');
                    self.keep(1);
                }
                _ => self.keep(c.len_utf8()),
            }
        }
    }

    fn advance(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.line += taken.matches('\n').count();
        self.rest = rest;
        taken
    }

    fn keep(&mut self, bytes: usize) {
        let taken = self.advance(bytes);
        self.out.push_str(taken);
    }

    fn replace(&mut self, bytes: usize, by: &str) {
        self.advance(bytes);
        self.out.push_str(by);
    }

    fn skip_comment(&mut self) {
        let end = self.rest.find('\n').map_or(self.rest.len(), |at| at + 1);
        self.advance(end);
    }

    /// Between dollars, or to the end where the second one is missing.
    fn formula(&mut self) {
        let mark = if self.rest.starts_with("$$") {
            "$$"
        } else {
            "$"
        };
        let inside = &self.rest[mark.len()..];
        let mut end = None;
        let mut escaped = false;
        for (at, c) in inside.char_indices() {
            if c == '$' && !escaped {
                end = Some(at);
                break;
            }
            escaped = c == '\\' && !escaped;
        }
        if let Some(end) = end {
            self.keep((mark.len() + end + mark.len()).min(self.rest.len()));
        } else {
            self.left
                .push((self.line, "a formula has no end".to_owned()));
            self.keep(self.rest.len());
        }
    }

    fn command(&mut self) {
        let after = &self.rest[1..];
        let letters = after
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(after.len());
        if letters == 0 {
            return self.symbol(after.chars().next());
        }
        let starred = after[letters..].starts_with('*');
        let name = &after[..letters + usize::from(starred)];
        let line = self.line;
        self.advance(1 + name.len());
        match name {
            "begin" => self.begin(),
            "end" => self.end(),
            "problemname" | "label" | "vspace" | "vspace*" | "hspace" | "usepackage"
            | "documentclass" => {
                self.argument();
            }
            "item" if self.lists.last() == Some(&true) => self.out.push_str("\n1. "),
            "includegraphics" | "illustration" | "input" | "include" | "newcommand" | "def" => {
                while self.argument().is_some() {}
                self.left.push((line, format!("\\{name} is left out")));
            }
            _ => self.word(name, line),
        }
    }

    fn word(&mut self, name: &str, line: usize) {
        if let Some((_, before, behind)) = AROUND.iter().find(|(own, ..)| *own == name) {
            if self.rest.starts_with('{') {
                self.advance(1);
                self.out.push_str(before);
                self.closings.push(behind);
            }
            return;
        }
        match WORDS
            .iter()
            .find(|(own, _)| *own == name.trim_end_matches('*'))
        {
            Some((_, text)) => {
                self.out.push_str(text);
                // TeX swallows the space behind a word.
                if self.rest.starts_with(' ') {
                    self.advance(1);
                }
            }
            // Its arguments stay as text.
            None => self
                .left
                .push((line, format!("\\{name} is not understood"))),
        }
    }

    fn symbol(&mut self, symbol: Option<char>) {
        match symbol {
            Some('\\') => self.replace(2, "  \n"),
            Some('[') => self.displayed("\\]"),
            Some('(') => self.displayed("\\)"),
            Some(c @ ('%' | '$' | '&' | '#' | '_' | '{' | '}')) => {
                self.advance(2);
                if matches!(c, '$' | '_' | '#') {
                    self.out.push('\\');
                }
                self.out.push(c);
            }
            Some(',' | ' ' | ';' | ':') => self.replace(2, " "),
            Some(c) => {
                self.advance(1 + c.len_utf8());
            }
            None => {
                self.advance(1);
            }
        }
    }

    /// `\[ … \]` and `\( … \)`.
    fn displayed(&mut self, end: &str) {
        let mark = if end == "\\]" { "$$" } else { "$" };
        self.advance(2);
        let inside = self.rest.find(end).unwrap_or(self.rest.len());
        self.out.push_str(mark);
        self.keep(inside);
        self.out.push_str(mark);
        self.advance(end.len().min(self.rest.len()));
    }

    fn begin(&mut self) {
        let line = self.line;
        let Some(name) = self.argument() else { return };
        let known = ENVIRONMENTS.iter().find(|(own, _)| *own == name);
        match known {
            Some((_, "```")) => self.verbatim(name, "\n```\n"),
            Some((_, "$$")) => self.verbatim(name, "\n$$\n"),
            Some(_) => {
                if matches!(name, "itemize" | "enumerate") {
                    self.lists.push(name == "enumerate");
                }
                self.out.push('\n');
            }
            None => self
                .left
                .push((line, format!("the environment {name} is not understood"))),
        }
    }

    fn verbatim(&mut self, name: &str, fence: &str) {
        let end = format!("\\end{{{name}}}");
        let inside = self.rest.find(&end).unwrap_or(self.rest.len());
        self.out.push_str(fence);
        let text = self.advance(inside);
        self.out.push_str(text.trim_matches('\n'));
        self.out.push_str(fence);
        self.advance(end.len().min(self.rest.len()));
    }

    fn end(&mut self) {
        if matches!(self.argument(), Some("itemize" | "enumerate")) {
            self.lists.pop();
        }
        self.out.push_str("\n\n");
    }

    /// `{…}` or `[…]` behind a word, without what is nested in it.
    fn argument(&mut self) -> Option<&'a str> {
        let (open, close) = match self.rest.chars().next()? {
            '{' => ('{', '}'),
            '[' => ('[', ']'),
            _ => return None,
        };
        let mut depth = 0_usize;
        for (at, c) in self.rest.char_indices() {
            if c == open {
                depth += 1;
            } else if c == close {
                depth -= 1;
                if depth == 0 {
                    let whole = self.advance(at + 1);
                    return Some(&whole[1..at]);
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn turns_what_problems_are_written_in() {
        let tex = "\\problemname{Odd}\n% a remark\nGiven $n \\le 10^5$ words, say ``hi''. \\textbf{Bold \\emph{and} so}.\n\
            \\section*{Input}\n\\begin{itemize}\n  \\item One 50\\% integer~$N$\n\\end{itemize}\n\\begin{verbatim}\na_b $x\n\\end{verbatim}\n\
            \\[ x^2 \\]\n\\texttt{done}\n";
        let (markdown, left) = tex_to_markdown(tex);
        assert_eq!(left, []);
        assert_eq!(
            markdown,
            "Given $n \\le 10^5$ words, say “hi”. **Bold *and* so**.\n\n## Input\n\n\n- One 50% integer $N$\n\n```\na_b $x\n```\n\n$$ x^2 $$\n`done`\n"
                .replace("\n\n\n", "\n\n")
        );
    }

    #[test]
    fn tells_what_it_leaves_out_and_opens_nothing() {
        let (markdown, left) = tex_to_markdown(
            "a\n\\input{/etc/passwd}\n\\includegraphics[width=3cm]{cave.jpg}\n\\strange{kept}\n",
        );
        assert_eq!(
            left,
            [
                (2, "\\input is left out".to_owned()),
                (3, "\\includegraphics is left out".to_owned()),
                (4, "\\strange is not understood".to_owned()),
            ]
        );
        assert!(markdown.contains("kept") && !markdown.contains("passwd"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_to_its_end(text in r"([\\{}$%\[\]a-z가*`'~\n-]|\\begin\{verbatim\}|\\end\{itemize\}|\\item){0,60}") {
            let _ = tex_to_markdown(&text);
        }
    }
}
