//! Whose line is it? From the lines of the files that are compiled back to the learner's own.
//!
//! A driver's code stands around the learner's, and files are named by us. Messages of compilers and traces of crashes
//! are rewritten so that the learner's lines read `<solution>:line` and the driver's `<driver>:line`.

/// The learner's file in messages.
pub(crate) const SOLUTION: &str = "<solution>";
/// The driver in messages.
pub(crate) const DRIVER: &str = "<driver>";
/// The line of a driver where the learner's code stands.
const PLACEHOLDER: &str = "{{code}}";
/// Directories that files lie in inside the sandbox, with the form of a URL.
const PLACES: [&str; 4] = ["file:///app/", "file:///box/", "/app/", "/box/"];

/// Which lines of which files are the learner's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct LineMap {
    files: Vec<(String, Origin)>,
}

/// Where the lines of a file come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// All of them from the learner.
    Solution,
    /// All of them from the driver.
    Driver,
    /// `count` lines from `first` on from the learner, the others from the driver.
    Around {
        /// From 1.
        first: usize,
        /// How many.
        count: usize,
    },
}

/// The driver with `code` in place of its first line `{{code}}`; `None` when there is no such line.
pub(crate) fn fill(driver: &str, code: &str) -> Option<(String, Origin)> {
    let mut before = 0;
    let mut lines = driver.split_inclusive('\n');
    let mut line_number = 1;
    let placeholder = lines.find(|line| {
        let found = line.trim() == PLACEHOLDER;
        if !found {
            before += line.len();
            line_number += 1;
        }
        found
    })?;
    let mut text = driver[..before].to_owned();
    text.push_str(code);
    if !code.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(&driver[before + placeholder.len()..]);
    let count = code.lines().count().max(1);
    Some((
        text,
        Origin::Around {
            first: line_number,
            count,
        },
    ))
}

impl LineMap {
    /// A map of these files.
    pub(crate) fn new(files: impl IntoIterator<Item = (String, Origin)>) -> Self {
        Self {
            files: files.into_iter().collect(),
        }
    }

    /// Rewrites every mention of a line of our files. Three forms are known: `name:line`,
    /// Python's `File "name", line N`, and TypeScript's `name(line,column)`.
    pub(crate) fn rewrite(&self, text: &str) -> String {
        self.files
            .iter()
            .fold(text.to_owned(), |text, (name, origin)| {
                rewrite_file(&text, name, *origin)
            })
    }
}

fn rewrite_file(text: &str, name: &str, origin: Origin) -> String {
    let mut done = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(name) {
        let (before, behind) = (&rest[..at], &rest[at + name.len()..]);
        let place = PLACES
            .iter()
            .find_map(|place| before.strip_suffix(place))
            .unwrap_or(before);
        // `Main.java` inside `MyMain.java` or `lib/Main.java` is another file.
        let is_whole = !place.ends_with(|c: char| c.is_alphanumeric() || "_./-".contains(c));
        if let Some((line, end)) = line_behind(behind).filter(|_| is_whole) {
            done.push_str(place);
            done.push_str(&origin.locate(line));
            let end = end + column_behind(behind, end, &mut done);
            // The quote that opened a Python file name closes behind the line.
            if behind.starts_with('"') {
                done.push('"');
            }
            rest = &behind[end..];
        } else {
            done.push_str(before);
            done.push_str(name);
            rest = behind;
        }
    }
    done.push_str(rest);
    done
}

/// The line number right behind a file name, and where it ends.
fn line_behind(behind: &str) -> Option<(usize, usize)> {
    let lead = [":", "\", line ", "("]
        .into_iter()
        .find(|lead| behind.starts_with(lead))?
        .len();
    let digits = behind[lead..]
        .bytes()
        .take_while(u8::is_ascii_digit)
        .count();
    let line = behind[lead..lead + digits].parse().ok()?;
    Some((line, lead + digits))
}

/// TypeScript's `name(line,column)`: adds the column as others write it, and tells how long it was.
fn column_behind(behind: &str, end: usize, done: &mut String) -> usize {
    let rest = &behind[end..];
    let column = rest
        .strip_prefix(',')
        .filter(|_| behind.starts_with('('))
        .and_then(|rest| rest.split_once(')'))
        .map(|(column, _)| column)
        .filter(|column| !column.is_empty() && column.bytes().all(|byte| byte.is_ascii_digit()));
    let Some(column) = column else { return 0 };
    done.push(':');
    done.push_str(column);
    column.len() + 2
}

impl Origin {
    fn locate(self, line: usize) -> String {
        match self {
            Self::Solution => format!("{SOLUTION}:{line}"),
            Self::Driver => format!("{DRIVER}:{line}"),
            Self::Around { first, .. } if line < first => format!("{DRIVER}:{line}"),
            Self::Around { first, count } if line < first + count => {
                format!("{SOLUTION}:{}", line - first + 1)
            }
            // In the driver, the line `{{code}}` is a single one.
            Self::Around { count, .. } => format!("{DRIVER}:{}", line - count + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fills_the_first_line_that_asks_for_code() {
        let (text, origin) = fill("a\n  {{code}} \nb\n", "x\ny").expect("has the line");
        assert_eq!(text, "a\nx\ny\nb\n");
        assert_eq!(origin, Origin::Around { first: 2, count: 2 });
        assert_eq!(fill("a {{code}}\n", "x"), None);
        assert_eq!(
            fill("{{code}}", "").map(|(text, _)| text).as_deref(),
            Some("\n")
        );
    }

    #[test]
    fn rewrites_what_compilers_and_traces_say() {
        let map = LineMap::new([("main.py".to_owned(), Origin::Around { first: 3, count: 2 })]);
        let trace =
            "  File \"/app/main.py\", line 4, in f\n  File \"/app/main.py\", line 9, in <module>\n";
        assert_eq!(
            map.rewrite(trace),
            "  File \"<solution>:2\", in f\n  File \"<driver>:8\", in <module>\n"
        );
        assert_eq!(
            map.rewrite("/box/main.py:3:7: oops"),
            "<solution>:1:7: oops"
        );
        assert_eq!(map.rewrite("main.py:2"), "<driver>:2");
        let map = LineMap::new([("Main.java".to_owned(), Origin::Solution)]);
        assert_eq!(
            map.rewrite("\tat Main.main(Main.java:5)\n"),
            "\tat Main.main(<solution>:5)\n"
        );
        let map = LineMap::new([("main.ts".to_owned(), Origin::Solution)]);
        assert_eq!(
            map.rewrite("main.ts(3,7): error TS2322: x (main.ts)"),
            "<solution>:3:7: error TS2322: x (main.ts)"
        );
        let map = LineMap::new([("main.mjs".to_owned(), Origin::Solution)]);
        assert_eq!(
            map.rewrite("at file:///app/main.mjs:5:7"),
            "at <solution>:5:7"
        );
    }

    #[test]
    fn leaves_other_files_and_other_words_alone() {
        let map = LineMap::new([("Main.java".to_owned(), Origin::Solution)]);
        for text in [
            "MyMain.java:3",
            "lib/Main.java:3",
            "Main.java",
            "Main.java: 3",
            "Main.java:x",
            "Main.java:99999999999999999999999",
        ] {
            assert_eq!(map.rewrite(text), text);
        }
    }

    proptest! {
        #[test]
        fn every_line_of_the_code_finds_home(before in 0usize..5, code in "[ab]{0,3}(\n[ab]{0,3}){0,5}", behind in 0usize..5) {
            let driver = format!("{}{{{{code}}}}\n{}", "d\n".repeat(before), "d\n".repeat(behind));
            let (text, origin) = fill(&driver, &code).expect("has the line");
            let map = LineMap::new([("m".to_owned(), origin)]);
            for (index, line) in code.lines().enumerate() {
                let placed = before + index + 1;
                prop_assert_eq!(text.lines().nth(placed - 1), Some(line));
                prop_assert_eq!(map.rewrite(&format!("m:{placed}")), format!("<solution>:{}", index + 1));
            }
            let last = text.lines().count();
            if behind > 0 {
                prop_assert_eq!(map.rewrite(&format!("m:{last}")), format!("<driver>:{}", driver.lines().count()));
            }
        }
    }
}
