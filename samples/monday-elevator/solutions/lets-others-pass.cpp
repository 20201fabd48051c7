// Wrong: when the person at the front does not fit, somebody from further behind gets in.
#include <vector>

int countTrips(std::vector<int> &weights, int maxWeight, int maxPeople) {
    int trips = 0;
    std::vector<int> line = weights;
    while (!line.empty()) {
        ++trips;
        int weight = 0, people = 0;
        std::vector<int> left;
        for (int next : line) {
            if (people < maxPeople && weight + next <= maxWeight) {
                weight += next;
                ++people;
            } else {
                left.push_back(next);
            }
        }
        line = left;
    }
    return trips;
}
