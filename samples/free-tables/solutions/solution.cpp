#include <set>
#include <utility>
#include <vector>

std::vector<int> seatGroups(std::vector<int> &tables, std::vector<int> &groups) {
    std::set<std::pair<int, int>> free;
    for (int number = 0; number < static_cast<int>(tables.size()); ++number) {
        free.emplace(tables[number], number);
    }

    std::vector<int> result;
    for (int people : groups) {
        auto table = free.lower_bound({people, 0});
        if (table == free.end()) {
            result.push_back(-1);
        } else {
            result.push_back(table->second);
            free.erase(table);
        }
    }
    return result;
}
