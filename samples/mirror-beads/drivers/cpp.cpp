// The driver: reads the arguments from standard input, one JSON value a line, calls
// countMirrorPieces and writes the result as one line of JSON to descriptor 3. What the function
// itself prints stays on standard output and is not judged. Where descriptor 3 is not open, the
// result goes to standard output, too.
#include <bits/stdc++.h>

{{code}}

namespace codementor {

[[noreturn]] void expected(const char *what) {
    std::fprintf(stderr, "input: expected %s\n", what);
    std::exit(2);
}

// A string without escapes.
std::string read_string() {
    char mark = 0;
    if (!(std::cin >> mark) || mark != '"') {
        expected("a string");
    }
    std::string text;
    if (!std::getline(std::cin, text, '"') || std::cin.eof() || text.find('\\') != std::string::npos) {
        expected("a string without escapes");
    }
    return text;
}

void write(std::FILE *results, long long value) {
    std::fprintf(results, "%lld\n", value);
}

}  // namespace codementor

int main() {
    std::string beads = codementor::read_string();
    auto result = countMirrorPieces(beads);

    std::FILE *results = fdopen(3, "w");
    if (results == nullptr) {
        results = stdout;
    }
    codementor::write(results, result);
    std::fflush(results);
}
