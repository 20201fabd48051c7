// The driver: reads the arguments from standard input, one JSON value a line, calls seatGroups and
// writes the result as one line of JSON to descriptor 3. What the function itself prints stays on
// standard output and is not judged. Where descriptor 3 is not open, the result goes to standard
// output, too.
#include <bits/stdc++.h>

{{code}}

namespace codementor {

[[noreturn]] void expected(const char *what) {
    std::fprintf(stderr, "input: expected %s\n", what);
    std::exit(2);
}

int read_int() {
    int value;
    if (!(std::cin >> value)) {
        expected("an integer of 32 bits");
    }
    return value;
}

std::vector<int> read_ints() {
    std::vector<int> values;
    char mark = 0;
    if (!(std::cin >> mark) || mark != '[') {
        expected("[");
    }
    if ((std::cin >> std::ws).peek() == ']') {
        std::cin.get();
        return values;
    }
    do {
        values.push_back(read_int());
        if (!(std::cin >> mark) || (mark != ',' && mark != ']')) {
            expected(", or ]");
        }
    } while (mark == ',');
    return values;
}

void write(std::FILE *results, const std::vector<int> &values) {
    std::fputs("[", results);
    for (std::size_t i = 0; i < values.size(); ++i) {
        std::fprintf(results, i > 0 ? ", %d" : "%d", values[i]);
    }
    std::fputs("]\n", results);
}

}  // namespace codementor

int main() {
    std::vector<int> tables = codementor::read_ints();
    std::vector<int> groups = codementor::read_ints();
    auto result = seatGroups(tables, groups);

    std::FILE *results = fdopen(3, "w");
    if (results == nullptr) {
        results = stdout;
    }
    codementor::write(results, result);
    std::fflush(results);
}
