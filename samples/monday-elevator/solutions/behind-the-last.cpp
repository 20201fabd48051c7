// Crashes: asks for the weight of the person behind the last one.
#include <cstddef>
#include <vector>

int countTrips(std::vector<int> &weights, int maxWeight, int maxPeople) {
    int trips = 0;
    std::size_t next = 0;
    while (next < weights.size()) {
        ++trips;
        int weight = weights.at(next), people = 1;
        while (people < maxPeople && weight + weights.at(next + 1) <= maxWeight) {
            ++next;
            weight += weights.at(next);
            ++people;
        }
        ++next;
    }
    return trips;
}
