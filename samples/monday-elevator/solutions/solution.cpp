#include <vector>

int countTrips(std::vector<int> &weights, int maxWeight, int maxPeople) {
    int trips = 0;
    auto next = weights.begin();
    while (next != weights.end()) {
        ++trips;
        int weight = 0, people = 0;
        while (next != weights.end() && people < maxPeople && weight + *next <= maxWeight) {
            weight += *next++;
            ++people;
        }
    }
    return trips;
}
