// Wrong: of several tables of the same size, takes the one with the largest number.
#include <map>
#include <vector>

std::vector<int> seatGroups(std::vector<int> &tables, std::vector<int> &groups) {
    std::map<int, std::vector<int>> free;
    for (int number = 0; number < static_cast<int>(tables.size()); ++number) {
        free[tables[number]].push_back(number);
    }

    std::vector<int> result;
    for (int people : groups) {
        auto fitting = free.lower_bound(people);
        if (fitting == free.end()) {
            result.push_back(-1);
            continue;
        }
        result.push_back(fitting->second.back());
        fitting->second.pop_back();
        if (fitting->second.empty()) {
            free.erase(fitting);
        }
    }
    return result;
}
