//! Questions that go out as packages and come back.

use std::{io::Write, path::Path};

use contract::manifest::TestRef;
use package::write::Content;
use serde_json::{Value, json};

use super::*;
use crate::document::Document;

fn blobs() -> (tempfile::TempDir, Blobs) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let blobs = Blobs::open(folder.path()).expect("opens");
    (folder, blobs)
}

fn document() -> Value {
    json!({
        "slug": "two-sum",
        "kind": "function",
        "titles": {"ko": "두 수의 \"합\": #1", "en": "Two sum"},
        "statements": {"ko": "찾으세요.\n", "en": "Find *them*.\r\n\n$a+b$"},
        "difficulty": 3,
        "tags": ["array", "해시"],
        "limits": {"time_ms": 1500, "memory_kib": 100_001, "output_kib": 70},
        "checker": {"kind": "float", "abs": 1e-7, "rel": 0.0},
        "judging": "lazy",
        "feedback": "samples",
        "groups": [{"name": "small", "score": "min", "points": 40.0}],
        "languages": {"python": {"driver": "import solution\n", "starter": "def f(): pass", "time_factor": 4.5}},
        "solutions": [
            {"language": "python", "code": "def f():\n    return 1\n", "expect": "AC"},
            {"language": "cpp", "code": "int main() {}", "expect": "CE"},
            {"language": "pypy", "code": "while 1: pass", "expect": "TLE"},
        ],
    })
}

fn test(blobs: &Blobs, name: &str, sample: bool) -> TestRef {
    let body = |text: String| {
        blobs
            .stage_bytes(text.as_bytes(), 1 << 20)
            .expect("stages")
            .blob
    };
    serde_json::from_value(json!({
        "name": name, "sample": sample, "group": (!sample).then_some("small"), "points": 2.5,
        "input": body(format!("in {name}")), "output": body(format!("out {name}")),
    }))
    .expect("is a test")
}

/// The bodies as they were made.
fn zipped(document: &Document, tests: &[TestRef]) -> Vec<u8> {
    let name = |blob: &contract::manifest::BlobRef| {
        let of = |test: &&TestRef| test.input == *blob || test.output == *blob;
        let test = tests.iter().find(of).expect("is one of them");
        let side = if test.input == *blob { "in" } else { "out" };
        format!("{side} {}", test.name)
    };
    let files = export(document, tests, |blob| Content::from(name(blob)));
    let mut bytes = std::io::Cursor::new(Vec::new());
    package::write_zip(files, &mut bytes).expect("writes");
    bytes.into_inner()
}

fn imported(bytes: &[u8], blobs: &Blobs) -> Result<Imported, QuestionError> {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(bytes).expect("writes");
    import(Path::new(file.path()), blobs)
}

fn parsed(value: Value) -> Document {
    Document::parse(value).expect("is a document")
}

#[test]
fn what_goes_out_comes_back_and_goes_out_the_same() {
    let (_folder, blobs) = blobs();
    let tests: Vec<_> = [("b", false), ("a", true), ("c", false)]
        .map(|(name, sample)| test(&blobs, name, sample))
        .into();
    let mut programs = document();
    programs["checker"] = json!({"kind": "program", "language": "python", "protocol": "testlib",
        "files": [{"name": "check.py", "content": "print(1)\n"}, {"name": "help.py", "content": ""}]});
    for value in [document(), programs] {
        let before = parsed(value);
        let first = zipped(&before, &tests);
        let back = imported(&first, &blobs).expect("is a package");
        assert_eq!(back.warnings, []);
        assert_eq!(back.tests, tests, "with their order");
        let after = parsed(back.document);
        assert_eq!(after, before);
        assert!(!back.slug_is_ours);
        assert_eq!(zipped(&after, &back.tests), first);
    }
}

#[test]
fn what_others_see_of_it_is_a_package_of_2025_09() {
    let (_folder, blobs) = blobs();
    let tests = [test(&blobs, "a", true), test(&blobs, "b", false)];
    let bytes = zipped(&parsed(document()), &tests);
    let mut file = tempfile::NamedTempFile::with_suffix(".zip").expect("a temporary file");
    file.write_all(&bytes).expect("writes");
    let files = Files::open(file.path(), Limits::default()).expect("opens");
    let read = Package::read(files).expect("is a package");
    assert_eq!(read.metadata.format, package::Format::V2025);
    assert_eq!(read.title(&["ko"]), "두 수의 \"합\": #1");
    assert_eq!(read.metadata.time_limit, Some(1.5));
    assert_eq!(
        read.tests.tests[1].output_validator_args,
        [
            "float_absolute_tolerance",
            "1e-7",
            "float_relative_tolerance",
            "0e0"
        ]
    );
    let names: Vec<_> = read
        .submissions
        .iter()
        .map(package::Submission::name)
        .collect();
    assert_eq!(
        names,
        [
            "accepted/01.py",
            "compiler_error/02.cpp",
            "time_limit_exceeded/03.py"
        ]
    );
}

fn foreign(files: &[(&str, &str)]) -> Vec<u8> {
    let files = files
        .iter()
        .map(|(name, text)| ((*name).to_owned(), Content::from((*text).to_owned())));
    let mut bytes = std::io::Cursor::new(Vec::new());
    package::write_zip(files.collect(), &mut bytes).expect("writes");
    bytes.into_inner()
}

#[test]
fn a_package_of_others_becomes_a_draft_with_warnings() {
    let (_folder, blobs) = blobs();
    let back = imported(
        &foreign(&[
            (
                "hello/problem.yaml",
                "name: Hello, World!\nlicense: cc0\nkeywords: Easy easy\n",
            ),
            ("hello/.timelimit", "3"),
            (
                "hello/problem_statement/problem.en.tex",
                "\\problemname{Hello}\nSay $x$.\n\\includegraphics{a.png}\n",
            ),
            ("hello/data/sample/1.in", ""),
            ("hello/data/sample/1.ans", "hi\n"),
            ("hello/data/secret/g/2.in", "2"),
            ("hello/data/secret/g/2.ans", "hi\n"),
            ("hello/submissions/accepted/a.py", "print('hi')"),
            ("hello/submissions/accepted/a.hs", "main = putStrLn \"hi\""),
        ]),
        &blobs,
    )
    .expect("is a package");
    let places: Vec<_> = back
        .warnings
        .iter()
        .map(|warning| warning.place.as_str())
        .collect();
    assert_eq!(
        places,
        [
            "problem.yaml: license",
            "problem_statement/problem.en.tex: line 3",
            "submissions/accepted/a.hs",
            "problem.yaml",
        ]
    );
    let document = parsed(back.document);
    assert_eq!(
        (document.slug.as_str(), document.limits.time_ms),
        ("hello-world", 3_000)
    );
    assert_eq!(document.tags, ["easy"]);
    assert_eq!(document.solutions.len(), 1);
    let names: Vec<_> = back
        .tests
        .iter()
        .map(|test| (test.name.as_str(), test.sample))
        .collect();
    assert_eq!(names, [("sample-1", true), ("g-2", false)]);
}

#[test]
fn points_of_others_become_groups() {
    let (_folder, blobs) = blobs();
    let back = imported(
        &foreign(&[
            (
                "problem.yaml",
                "problem_format_version: 2025-09\nname: P\ntype: scoring\n",
            ),
            ("statement/problem.en.md", "Do."),
            ("data/sample/1.in", ""),
            ("data/sample/1.ans", ""),
            ("data/secret/a/test_group.yaml", "max_score: 40\n"),
            ("data/secret/a/1.in", ""),
            ("data/secret/a/1.ans", ""),
            (
                "data/secret/b/test_group.yaml",
                "max_score: 60\nscore_aggregation: sum\nrequire_pass: secret/a\n",
            ),
            ("data/secret/b/1.in", ""),
            ("data/secret/b/1.ans", ""),
            ("data/secret/b/2.in", ""),
            ("data/secret/b/2.ans", ""),
        ]),
        &blobs,
    )
    .expect("is a package");
    let document = parsed(back.document);
    let groups: Vec<_> = document
        .groups
        .iter()
        .map(|group| (group.name.as_str(), group.points, group.depends_on.len()))
        .collect();
    assert_eq!(groups, [("a", Some(40.0), 0), ("b", Some(60.0), 1)]);
    let points: Vec<_> = back.tests.iter().map(|test| test.points).collect();
    assert_eq!(points, [Some(0.0), None, Some(30.0), Some(30.0)]);
}

#[test]
fn what_is_wrong_is_named_by_its_place() {
    let (_folder, blobs) = blobs();
    let cases: [(&[(&str, &str)], &str); 4] = [
        (&[("a.txt", "")], "/problem.yaml"),
        (&[("problem.yaml", "name: [")], "/problem.yaml"),
        (
            &[(
                "problem.yaml",
                "type: submit-answer\nproblem_format_version: 2025-09\n",
            )],
            "/problem.yaml: type",
        ),
        (
            &[
                ("problem.yaml", "name: a"),
                ("codementor.json", "{\"form\": 2}"),
            ],
            "/codementor.json",
        ),
    ];
    for (files, place) in cases {
        let Err(QuestionError::Invalid(faults)) = imported(&foreign(files), &blobs) else {
            panic!("{place} is refused");
        };
        assert_eq!(faults[0].pointer, place);
    }
}
