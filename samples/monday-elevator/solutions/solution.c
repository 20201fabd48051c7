int countTrips(int *weights, int count, int maxWeight, int maxPeople) {
    int trips = 0, weight = 0, people = 0;
    for (int i = 0; i < count; i++) {
        if (people == 0 || weight + weights[i] > maxWeight || people == maxPeople) {
            trips++;
            weight = 0;
            people = 0;
        }
        weight += weights[i];
        people++;
    }
    return trips;
}
