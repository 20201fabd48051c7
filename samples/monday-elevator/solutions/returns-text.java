// Does not compile: a text is returned where a number is promised.
class Solution {
    public int countTrips(int[] weights, int maxWeight, int maxPeople) {
        int trips = 0;
        int weight = 0;
        int people = 0;
        for (int next : weights) {
            boolean fits = people < maxPeople && weight + next <= maxWeight;
            if (trips == 0 || !fits) {
                trips++;
                weight = 0;
                people = 0;
            }
            weight += next;
            people++;
        }
        return "" + trips;
    }
}
