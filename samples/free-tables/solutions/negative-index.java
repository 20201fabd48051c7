// Crashes: a search without an exact match gives a negative number, which is used as a place.
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

class Solution {
    public int[] seatGroups(int[] tables, int[] groups) {
        List<Integer> seats = new ArrayList<>();
        List<Integer> numbers = new ArrayList<>();
        for (int number = 0; number < tables.length; number++) {
            numbers.add(number);
        }
        numbers.sort((a, b) -> tables[a] != tables[b] ? tables[a] - tables[b] : a - b);
        for (int number : numbers) {
            seats.add(tables[number]);
        }

        int[] result = new int[groups.length];
        for (int i = 0; i < groups.length; i++) {
            int place = Collections.binarySearch(seats, groups[i]);
            if (place == seats.size()) {
                result[i] = -1;
                continue;
            }
            seats.remove(place);
            result[i] = numbers.remove(place);
        }
        return result;
    }
}
