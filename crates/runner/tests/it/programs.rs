//! Small programs in every language, each with one fate.

use contract::Language;

/// The languages that the build and the servers need themselves: no machine is without them.
pub(crate) const NEEDED: [Language; 5] = [
    Language::C,
    Language::Cpp,
    Language::Java,
    Language::Python,
    Language::Javascript,
];

/// What a program does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Reads two numbers and writes their sum.
    Right,
    /// Writes their difference.
    Wrong,
    /// Never ends.
    Endless,
    /// Sleeps.
    Sleeping,
    /// Takes memory without end.
    Hungry,
    /// Writes without end.
    Talkative,
    /// Crashes.
    Crashing,
    /// Does not compile; the mistake stands on the third line.
    Broken,
}

/// The program.
pub(crate) fn program(language: Language, fate: Fate) -> &'static str {
    match language {
        Language::C => c(fate),
        Language::Cpp => cpp(fate),
        Language::Java => java(fate),
        Language::Python | Language::Pypy => python(fate),
        Language::Javascript => javascript(fate),
        Language::Typescript => typescript(fate),
        Language::Go => go(fate),
        Language::Rust => rust(fate),
        Language::Kotlin => kotlin(fate),
    }
}

fn c(fate: Fate) -> &'static str {
    match fate {
        Fate::Right => {
            "#include <stdio.h>\nint main(void) { long a, b; scanf(\"%ld %ld\", &a, &b); printf(\"%ld\\n\", a + b); }\n"
        }
        Fate::Wrong => {
            "#include <stdio.h>\nint main(void) { long a, b; scanf(\"%ld %ld\", &a, &b); printf(\"%ld\\n\", a - b); }\n"
        }
        Fate::Endless => "int main(void) { volatile int i = 0; for (;;) i++; }\n",
        Fate::Sleeping => "#include <unistd.h>\nint main(void) { sleep(100); }\n",
        Fate::Hungry => {
            "#include <stdlib.h>\n#include <string.h>\nint main(void) { for (;;) { char *p = malloc(1 << 20); memset(p, 1, 1 << 20); } }\n"
        }
        Fate::Talkative => {
            "#include <stdio.h>\nint main(void) { for (;;) puts(\"talk talk talk talk\"); }\n"
        }
        Fate::Crashing => {
            "#include <stdio.h>\nint main(void) { fputs(\"before\", stderr); volatile int *p = 0; *p = 1; }\n"
        }
        Fate::Broken => "#include <stdio.h>\nint main(void) {\n  int x = ;\n}\n",
    }
}

fn cpp(fate: Fate) -> &'static str {
    match fate {
        Fate::Right => {
            "#include <iostream>\nint main() { long a, b; std::cin >> a >> b; std::cout << a + b << std::endl; }\n"
        }
        Fate::Wrong => {
            "#include <iostream>\nint main() { long a, b; std::cin >> a >> b; std::cout << a - b << std::endl; }\n"
        }
        Fate::Endless => "int main() { volatile int i = 0; for (;;) i = i + 1; }\n",
        Fate::Sleeping => {
            "#include <thread>\n#include <chrono>\nint main() { std::this_thread::sleep_for(std::chrono::seconds(100)); }\n"
        }
        Fate::Hungry => {
            "#include <vector>\nint main() { std::vector<std::vector<int>> all; for (;;) all.emplace_back(1 << 18, 7); }\n"
        }
        Fate::Talkative => {
            "#include <iostream>\nint main() { for (;;) std::cout << \"talk talk talk talk\\n\"; }\n"
        }
        Fate::Crashing => {
            "#include <stdexcept>\nint main() { throw std::runtime_error(\"before\"); }\n"
        }
        Fate::Broken => "#include <iostream>\nint main() {\n  undeclared = 1;\n}\n",
    }
}

fn java(fate: Fate) -> &'static str {
    match fate {
        Fate::Right => {
            "import java.util.Scanner;\npublic class Main { public static void main(String[] a) { Scanner s = new Scanner(System.in); System.out.println(s.nextLong() + s.nextLong()); } }\n"
        }
        Fate::Wrong => {
            "import java.util.Scanner;\npublic class Main { public static void main(String[] a) { Scanner s = new Scanner(System.in); System.out.println(s.nextLong() - s.nextLong()); } }\n"
        }
        Fate::Endless => {
            "public class Main { public static void main(String[] a) { long i = 0; while (true) { i++; if (i < 0) System.out.println(i); } } }\n"
        }
        Fate::Sleeping => {
            "public class Main { public static void main(String[] a) throws Exception { Thread.sleep(100000); } }\n"
        }
        Fate::Hungry => {
            "import java.util.*;\npublic class Main { public static void main(String[] a) { List<int[]> all = new ArrayList<>(); for (;;) { int[] part = new int[1 << 18]; Arrays.fill(part, 7); all.add(part); } } }\n"
        }
        Fate::Talkative => {
            "public class Main { public static void main(String[] a) { for (;;) System.out.println(\"talk talk talk talk\"); } }\n"
        }
        Fate::Crashing => {
            "public class Main { public static void main(String[] a) {\n  int[] x = new int[1];\n  x[Integer.parseInt(\"7\")] = 1;\n} }\n"
        }
        Fate::Broken => {
            "public class Main {\n  public static void main(String[] a) {\n    int x = \"no number\";\n  }\n}\n"
        }
    }
}

fn python(fate: Fate) -> &'static str {
    match fate {
        Fate::Right => "a, b = map(int, input().split())\nprint(a + b)\n",
        Fate::Wrong => "a, b = map(int, input().split())\nprint(a - b)\n",
        Fate::Endless => "while True:\n    pass\n",
        Fate::Sleeping => "import time\ntime.sleep(100)\n",
        Fate::Hungry => "all = []\nwhile True:\n    all.append(bytearray(b'7' * (1 << 20)))\n",
        Fate::Talkative => "while True:\n    print('talk talk talk talk')\n",
        Fate::Crashing => "x = 1\n\nx[7] = 0\n",
        Fate::Broken => "x = 1\n\nif x = 2:\n    pass\n",
    }
}

fn javascript(fate: Fate) -> &'static str {
    match fate {
        Fate::Right => {
            "const [a, b] = require('fs').readFileSync(0, 'utf8').split(' ').map(Number);\nconsole.log(a + b);\n"
        }
        Fate::Wrong => {
            "const [a, b] = require('fs').readFileSync(0, 'utf8').split(' ').map(Number);\nconsole.log(a - b);\n"
        }
        Fate::Endless => "let i = 0;\nwhile (true) i++;\n",
        Fate::Sleeping => "setTimeout(() => {}, 100000);\n",
        Fate::Hungry => "const all = [];\nfor (;;) all.push(new Array(100000).fill(1.5));\n",
        Fate::Talkative => {
            "const fs = require('fs');\nfor (;;) fs.writeSync(1, 'talk talk talk talk\\n');\n"
        }
        Fate::Crashing => "const x = null;\n\nx.y = 1;\n",
        Fate::Broken => "const x = 1;\n\nlet y = ;\n",
    }
}

fn typescript(fate: Fate) -> &'static str {
    match fate {
        Fate::Right => {
            "import * as fs from 'fs';\nconst [a, b]: number[] = fs.readFileSync(0, 'utf8').split(' ').map(Number);\nconsole.log(a + b);\n"
        }
        Fate::Wrong => {
            "import * as fs from 'fs';\nconst [a, b]: number[] = fs.readFileSync(0, 'utf8').split(' ').map(Number);\nconsole.log(a - b);\n"
        }
        Fate::Endless => "let i: number = 0;\nwhile (true) i++;\n",
        Fate::Sleeping => "setTimeout(() => {}, 100000);\n",
        Fate::Hungry => {
            "const all: number[][] = [];\nfor (;;) all.push(new Array(100000).fill(1.5));\n"
        }
        Fate::Talkative => {
            "import { writeSync } from 'fs';\nfor (;;) writeSync(1, 'talk talk talk talk\\n');\n"
        }
        Fate::Crashing => "type T = { y: number };\n\nlet x: T = JSON.parse('null'); x.y = 1;\n",
        Fate::Broken => "const x = 1;\n\nlet y: number = 'no number';\n",
    }
}

fn go(fate: Fate) -> &'static str {
    match fate {
        Fate::Right => {
            "package main\n\nimport \"fmt\"\n\nfunc main() {\n\tvar a, b int\n\tfmt.Scan(&a, &b)\n\tfmt.Println(a + b)\n}\n"
        }
        Fate::Wrong => {
            "package main\n\nimport \"fmt\"\n\nfunc main() {\n\tvar a, b int\n\tfmt.Scan(&a, &b)\n\tfmt.Println(a - b)\n}\n"
        }
        Fate::Endless => "package main\n\nvar i int\n\nfunc main() {\n\tfor {\n\t\ti++\n\t}\n}\n",
        Fate::Sleeping => {
            "package main\n\nimport \"time\"\n\nfunc main() {\n\ttime.Sleep(100 * time.Second)\n}\n"
        }
        Fate::Hungry => {
            "package main\n\nfunc main() {\n\tvar all [][]byte\n\tfor {\n\t\tpart := make([]byte, 1<<20)\n\t\tfor i := range part {\n\t\t\tpart[i] = 7\n\t\t}\n\t\tall = append(all, part)\n\t}\n}\n"
        }
        Fate::Talkative => {
            "package main\n\nimport \"fmt\"\n\nfunc main() {\n\tfor {\n\t\tfmt.Println(\"talk talk talk talk\")\n\t}\n}\n"
        }
        Fate::Crashing => "package main\n\nfunc main() { var p *int\n\t*p = 1\n}\n",
        Fate::Broken => "package main\n\nfunc main() { x := 1 }\n",
    }
}

fn rust(fate: Fate) -> &'static str {
    match fate {
        Fate::Right => {
            "fn main() {\n    let line = std::io::read_to_string(std::io::stdin()).unwrap();\n    let sum: i64 = line.split_whitespace().map(|word| word.parse::<i64>().unwrap()).sum();\n    println!(\"{sum}\");\n}\n"
        }
        Fate::Wrong => {
            "fn main() {\n    let line = std::io::read_to_string(std::io::stdin()).unwrap();\n    let n: Vec<i64> = line.split_whitespace().map(|word| word.parse().unwrap()).collect();\n    println!(\"{}\", n[0] - n[1]);\n}\n"
        }
        Fate::Endless => {
            "fn main() {\n    let mut i = 0u64;\n    loop {\n        i = std::hint::black_box(i + 1);\n    }\n}\n"
        }
        Fate::Sleeping => {
            "fn main() {\n    std::thread::sleep(std::time::Duration::from_secs(100));\n}\n"
        }
        Fate::Hungry => {
            "fn main() {\n    let mut all = Vec::new();\n    loop {\n        all.push(vec![7u8; 1 << 20]);\n    }\n}\n"
        }
        Fate::Talkative => {
            "fn main() {\n    loop {\n        println!(\"talk talk talk talk\");\n    }\n}\n"
        }
        Fate::Crashing => {
            "fn main() {\n    let n: Result<i32, _> = \"x\".parse::<i32>();\n    n.unwrap();\n}\n"
        }
        Fate::Broken => {
            "fn main() {\n    let x = 1;\n    let y: i32 = \"no number\";\n    println!(\"{x}{y}\");\n}\n"
        }
    }
}

fn kotlin(fate: Fate) -> &'static str {
    match fate {
        Fate::Right => {
            "fun main() {\n    val (a, b) = readln().split(\" \").map { it.toLong() }\n    println(a + b)\n}\n"
        }
        Fate::Wrong => {
            "fun main() {\n    val (a, b) = readln().split(\" \").map { it.toLong() }\n    println(a - b)\n}\n"
        }
        Fate::Endless => {
            "fun main() {\n    var i = 0L\n    while (true) {\n        i++\n        if (i < 0) println(i)\n    }\n}\n"
        }
        Fate::Sleeping => "fun main() {\n    Thread.sleep(100000)\n}\n",
        Fate::Hungry => {
            "fun main() {\n    val all = ArrayList<IntArray>()\n    while (true) all.add(IntArray(1 shl 18) { 7 })\n}\n"
        }
        Fate::Talkative => "fun main() {\n    while (true) println(\"talk talk talk talk\")\n}\n",
        Fate::Crashing => "fun main() {\n    val x = IntArray(1)\n    x[\"7\".toInt()] = 1\n}\n",
        Fate::Broken => {
            "fun main() {\n    val x = 1\n    val y: Int = \"no number\"\n    println(x + y)\n}\n"
        }
    }
}
