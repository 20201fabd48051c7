#include <vector>

std::vector<int> seatGroups(std::vector<int> &tables, std::vector<int> &groups) {
    std::vector<int> result(groups.size(), -1);
    return result;
}
