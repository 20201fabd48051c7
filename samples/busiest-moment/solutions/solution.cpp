#include <iostream>
#include <map>

int main() {
    std::ios::sync_with_stdio(false);
    std::cin.tie(nullptr);

    int visitors;
    std::cin >> visitors;
    // How much the number of people changes at each time at which it does.
    std::map<int, int> changes;
    for (int i = 0; i < visitors; ++i) {
        int start, end;
        std::cin >> start >> end;
        ++changes[start];
        --changes[end];
    }

    int inside = 0, most = 0, when = 0;
    for (auto [time, change] : changes) {
        inside += change;
        if (inside > most) {
            most = inside;
            when = time;
        }
    }
    std::cout << most << ' ' << when << '\n';
}
