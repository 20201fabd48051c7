//! Small programs in every language, each with one fate.

use contract::Language;

/// The languages that a machine with all toolchains has.
pub(crate) const ALL: [Language; 5] = [
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
        Language::Python => python(fate),
        Language::Javascript => javascript(fate),
        other => panic!("no programs in {other}"),
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
