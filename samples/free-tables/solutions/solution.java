import java.util.ArrayDeque;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;

class Solution {
    public int[] seatGroups(int[] tables, int[] groups) {
        // The numbers of the free tables of each size, smallest first.
        TreeMap<Integer, Queue<Integer>> free = new TreeMap<>();
        for (int number = 0; number < tables.length; number++) {
            free.computeIfAbsent(tables[number], seats -> new ArrayDeque<>()).add(number);
        }

        int[] result = new int[groups.length];
        for (int i = 0; i < groups.length; i++) {
            Map.Entry<Integer, Queue<Integer>> fitting = free.ceilingEntry(groups[i]);
            if (fitting == null) {
                result[i] = -1;
                continue;
            }
            result[i] = fitting.getValue().remove();
            if (fitting.getValue().isEmpty()) {
                free.remove(fitting.getKey());
            }
        }
        return result;
    }
}
