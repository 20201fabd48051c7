// The driver: reads the arguments from standard input, one JSON value a line, calls countTrips and
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

void write(std::FILE *results, long long value) {
    std::fprintf(results, "%lld\n", value);
}

}  // namespace codementor

int main() {
    std::vector<int> weights = codementor::read_ints();
    int maxWeight = codementor::read_int();
    int maxPeople = codementor::read_int();
    auto result = countTrips(weights, maxWeight, maxPeople);

    std::FILE *results = fdopen(3, "w");
    if (results == nullptr) {
        results = stdout;
    }
    codementor::write(results, result);
    std::fflush(results);
}
