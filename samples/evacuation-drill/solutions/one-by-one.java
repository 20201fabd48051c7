// Too slow: a search of its own for every person.
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.Arrays;

public class Main {
    private static char[] plan;
    private static int[] steps;
    private static int[] distance;
    private static int[] queue;

    public static void main(String[] args) throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        String[] size = in.readLine().split(" ");
        int rows = Integer.parseInt(size[0]);
        int columns = Integer.parseInt(size[1]);
        int width = columns + 2;
        steps = new int[] {-width, width, -1, 1};
        plan = new char[(rows + 2) * width];
        Arrays.fill(plan, '#');
        for (int row = 1; row <= rows; row++) {
            in.readLine().getChars(0, columns, plan, row * width + 1);
        }
        distance = new int[plan.length];
        queue = new int[plan.length];

        int last = 0;
        for (int cell = 0; cell < plan.length && last >= 0; cell++) {
            if (plan[cell] == 'P') {
                int seconds = secondsToLeave(cell);
                last = seconds < 0 ? -1 : Math.max(last, seconds);
            }
        }
        System.out.println(last);
    }

    private static int secondsToLeave(int person) {
        Arrays.fill(distance, -1);
        distance[person] = 0;
        int head = 0;
        int tail = 0;
        queue[tail++] = person;
        while (head < tail) {
            int cell = queue[head++];
            if (plan[cell] == 'E') {
                return distance[cell];
            }
            for (int step : steps) {
                int next = cell + step;
                if (plan[next] != '#' && distance[next] < 0) {
                    distance[next] = distance[cell] + 1;
                    queue[tail++] = next;
                }
            }
        }
        return -1;
    }
}
