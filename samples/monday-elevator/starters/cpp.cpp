#include <vector>

int countTrips(std::vector<int> &weights, int maxWeight, int maxPeople) {
    return 0;
}
