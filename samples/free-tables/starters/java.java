import java.util.Arrays;

class Solution {
    public int[] seatGroups(int[] tables, int[] groups) {
        int[] result = new int[groups.length];
        Arrays.fill(result, -1);
        return result;
    }
}
