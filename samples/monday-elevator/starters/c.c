/* weights: the weights of `count` people, from the front of the line to its end. */
int countTrips(int *weights, int count, int maxWeight, int maxPeople) {
    return 0;
}
