// Too much memory: has a counter for every second up to the last one, hundreds of millions of them.
#include <algorithm>
#include <iostream>
#include <vector>

int main() {
    int visitors;
    std::cin >> visitors;
    std::vector<int> starts(visitors), ends(visitors);
    for (int i = 0; i < visitors; ++i) {
        std::cin >> starts[i] >> ends[i];
    }

    std::vector<int> change(*std::max_element(ends.begin(), ends.end()) + 1);
    for (int i = 0; i < visitors; ++i) {
        ++change[starts[i]];
        --change[ends[i]];
    }

    int inside = 0, most = 0;
    std::size_t when = 0;
    for (std::size_t second = 0; second < change.size(); ++second) {
        inside += change[second];
        if (inside > most) {
            most = inside;
            when = second;
        }
    }
    std::cout << most << ' ' << when << '\n';
}
