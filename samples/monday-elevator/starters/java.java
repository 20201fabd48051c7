class Solution {
    public int countTrips(int[] weights, int maxWeight, int maxPeople) {
        return 0;
    }
}
