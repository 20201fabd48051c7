//! Function-style questions: a driver around the learner's code, results apart from prints, lines that stay the learner's.

use contract::Language;
use contract::verdict::Verdict;

use crate::ask::{Answer, Ask};
use crate::support::{World, world};

/// A driver that calls `add`, a right solution that also prints, one that crashes in line 3, one broken in line 3.
struct Question {
    language: Language,
    driver: &'static str,
    right: &'static str,
    crashing: &'static str,
    broken: &'static str,
}

const QUESTIONS: [Question; 6] = [
    Question {
        language: Language::C,
        driver: "#include <stdio.h>\n{{code}}\nint main(void) { int a, b; scanf(\"%d %d\", &a, &b); dprintf(3, \"%d\\n\", add(a, b)); }\n",
        right: "int add(int a, int b) {\n    puts(\"adding\");\n    return a + b;\n}",
        crashing: "int add(int a, int b) {\n    volatile int *p = 0;\n    return *p + a + b;\n}",
        broken: "int add(int a, int b) {\n\n    return a + b\n}",
    },
    Question {
        language: Language::Cpp,
        driver: "#include <bits/stdc++.h>\nusing namespace std;\n{{code}}\nint main() { int a, b; cin >> a >> b; dprintf(3, \"%d\\n\", add(a, b)); }\n",
        right: "int add(int a, int b) {\n    cout << \"adding\" << endl;\n    return a + b;\n}",
        crashing: "int add(int a, int b) {\n    vector<int> v;\n    return v.at(a) + b;\n}",
        broken: "int add(int a, int b) {\n\n    return unknown;\n}\n",
    },
    Question {
        language: Language::Java,
        driver: "import java.util.*;\nimport java.io.*;\n{{code}}\npublic class Main {\n  public static void main(String[] x) throws IOException {\n    Scanner s = new Scanner(System.in);\n    int r = new Solution().add(s.nextInt(), s.nextInt());\n    try (PrintStream out = new PrintStream(\"/proc/self/fd/3\")) { out.println(r); }\n  }\n}\n",
        right: "public class Solution { int add(int a, int b) {\n    System.out.println(\"adding\");\n    return a + b;\n} }",
        crashing: "class Solution { int add(int a, int b) {\n    int[] x = {};\n    return x[a] + b;\n} }",
        broken: "class Solution {\n\n  int add(int a, int b) { return \"\"; }\n}\n",
    },
    Question {
        language: Language::Python,
        driver: "import os\n{{code}}\na, b = map(int, input().split())\nos.write(3, f\"{add(a, b)}\\n\".encode())\n",
        right: "def add(a, b):\n    print('adding')\n    return a + b\n",
        crashing: "def add(a, b):\n    x = []\n    return x[a]\n",
        broken: "def add(a, b):\n    pass\n    return a +\n",
    },
    Question {
        language: Language::Python,
        driver: "import os\nfrom solution import add\na, b = map(int, input().split())\nos.write(3, f\"{add(a, b)}\\n\".encode())\n",
        right: "def add(a, b):\n    print('adding')\n    return a + b\n",
        crashing: "def add(a, b):\n    x = []\n    return x[a]\n",
        broken: "def add(a, b):\n    pass\n    return a +\n",
    },
    Question {
        language: Language::Javascript,
        driver: "const fs = require('fs');\n{{code}}\nconst [a, b] = fs.readFileSync(0, 'utf8').split(' ').map(Number);\nfs.writeSync(3, add(a, b) + '\\n');\n",
        right: "function add(a, b) {\n  console.log('adding');\n  return a + b;\n}\n",
        crashing: "function add(a, b) {\n  const x = null;\n  return x.y;\n}\n",
        broken: "function add(a, b) {\n\n  return a + ;\n}\n",
    },
];

fn asked<'a>(world: &'a World, question: &Question, code: &str) -> Ask<'a> {
    world
        .ask(question.language, code)
        .driver(question.driver)
        .sample("1 2\n", "3\n")
}

fn name(question: &Question) -> String {
    format!("{} with {:?}", question.language, question.driver)
}

fn errors(answer: &Answer) -> &str {
    &answer.tests()[0].detail.as_ref().expect("a sample").stderr
}

#[test]
fn what_the_driver_reports_is_judged_and_prints_are_not() {
    let world = world();
    for question in &QUESTIONS {
        let answer = asked(&world, question, question.right).judge();
        assert_eq!(
            answer.verdict().verdict,
            Verdict::Accepted,
            "{}: {answer:?}",
            name(question)
        );
        assert_eq!(
            answer.tests()[0].detail.as_ref().expect("a sample").output,
            "3\n"
        );
    }
}

#[test]
fn a_run_shows_prints_and_result_apart() {
    let world = world();
    for question in &QUESTIONS {
        let answer = asked(&world, question, question.right).run("40 2\n");
        let output = answer.outputs()[0];
        assert_eq!(output.stdout, "adding\n", "{}", name(question));
        assert_eq!(output.result.as_deref(), Some("42\n"), "{}", name(question));
        assert_eq!(answer.verdict().verdict, Verdict::Accepted);
    }
}

#[test]
fn compilers_name_the_learners_lines() {
    let world = world();
    for question in &QUESTIONS {
        let answer = asked(&world, question, question.broken).judge();
        let log = &answer.compiled().log;
        assert_eq!(
            answer.verdict().verdict,
            Verdict::CompileError,
            "{}: {answer:?}",
            name(question)
        );
        assert!(log.contains("<solution>:3"), "{}: {log}", name(question));
        assert!(!log.contains("In file included from <driver>"), "{log}");
    }
}

#[test]
fn traces_name_the_learners_lines() {
    let world = world();
    for question in &QUESTIONS {
        let answer = asked(&world, question, question.crashing).judge();
        assert_eq!(
            answer.verdicts(),
            [Verdict::RuntimeError],
            "{}: {answer:?}",
            name(question)
        );
        if question.language != Language::C && question.language != Language::Cpp {
            assert!(
                errors(&answer).contains("<solution>:3"),
                "{}: {}",
                name(question),
                errors(&answer)
            );
            assert!(
                errors(&answer).contains("<driver>:"),
                "{}: {}",
                name(question),
                errors(&answer)
            );
        }
    }
}

#[test]
fn what_stands_in_the_driver_is_told_as_the_drivers() {
    let world = world();
    // The function that the driver calls is missing: its line is the driver's, behind three lines of the learner's.
    let question = &QUESTIONS[3];
    let answer = asked(&world, question, "x = 1\ny = 2\nz = 3\n").judge();
    assert!(
        errors(&answer).contains("File \"<driver>:4\""),
        "{}",
        errors(&answer)
    );
}

#[test]
fn an_unclosed_comment_does_not_swallow_the_driver() {
    let world = world();
    let answer = asked(
        &world,
        &QUESTIONS[1],
        "int add(int a, int b) { return 0; }\n/* oops",
    )
    .judge();
    let log = &answer.compiled().log;
    assert!(
        log.contains("<solution>:2") && log.contains("unterminated comment"),
        "{log}"
    );
}

#[test]
fn a_driver_without_a_place_for_the_code_is_the_teachers_fault() {
    let world = world();
    let answer = world
        .ask(Language::C, "int f;")
        .driver("int main;\n")
        .sample("", "")
        .judge();
    assert_eq!(answer.verdict().verdict, Verdict::InternalError);
    assert!(answer.compiled().log.contains("{{code}}"));
}

#[test]
fn any_public_class_can_be_the_program() {
    let world = world();
    let code = "package my.answer;\npublic class Answer {\n  public static void main(String[] a) { System.out.println(Helper.word()); }\n}\nclass Helper { static String word() { return \"hi\"; } }\n";
    let answer = world.ask(Language::Java, code).sample("", "hi\n").judge();
    assert_eq!(answer.verdict().verdict, Verdict::Accepted, "{answer:?}");
}

#[test]
fn further_files_belong_to_the_program() {
    let world = world();
    for (language, main, name, text) in [
        (
            Language::C,
            "#include \"util.h\"\n#include <stdio.h>\nint main(void) { printf(\"%d\\n\", f()); }\n",
            "util.h",
            "static int f(void) { return 7; }\n",
        ),
        (
            Language::Cpp,
            "int f();\n#include <iostream>\nint main() { std::cout << f(); }\n",
            "util.cpp",
            "int f() { return 7; }\n",
        ),
        (
            Language::Java,
            "public class Main { public static void main(String[] a) { System.out.println(Util.f()); } }\n",
            "Util.java",
            "class Util { static int f() { return 7; } }\n",
        ),
        (
            Language::Python,
            "import util\nprint(util.f())\n",
            "util.py",
            "def f(): return 7\n",
        ),
        (
            Language::Javascript,
            "console.log(require('./util').f())\n",
            "util.js",
            "exports.f = () => 7\n",
        ),
    ] {
        let answer = world
            .ask(language, main)
            .file(name, text)
            .sample("", "7")
            .judge();
        assert_eq!(
            answer.verdict().verdict,
            Verdict::Accepted,
            "{language}: {answer:?}"
        );
    }
}

#[test]
fn javascript_may_be_written_as_a_module() {
    let world = world();
    let code = "import { readFileSync } from 'fs';\nconst word = readFileSync(0, 'utf8').trim();\nconsole.log(word);\n";
    let answer = world
        .ask(Language::Javascript, code)
        .sample("hi\n", "hi\n")
        .judge();
    assert_eq!(answer.verdict().verdict, Verdict::Accepted, "{answer:?}");
    assert_eq!(errors(&answer), "");
}
