import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.ArrayDeque;
import java.util.Arrays;

public class Main {
    public static void main(String[] args) throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        String[] size = in.readLine().split(" ");
        int rows = Integer.parseInt(size[0]);
        int columns = Integer.parseInt(size[1]);
        // A wall around the plan, so that no step leads out of the array.
        int width = columns + 2;
        char[] plan = new char[(rows + 2) * width];
        Arrays.fill(plan, '#');
        for (int row = 1; row <= rows; row++) {
            in.readLine().getChars(0, columns, plan, row * width + 1);
        }

        int[] distance = new int[plan.length];
        Arrays.fill(distance, -1);
        ArrayDeque<Integer> queue = new ArrayDeque<>();
        for (int cell = 0; cell < plan.length; cell++) {
            if (plan[cell] == 'E') {
                distance[cell] = 0;
                queue.add(cell);
            }
        }
        int[] steps = {-width, width, -1, 1};
        while (!queue.isEmpty()) {
            int cell = queue.remove();
            for (int step : steps) {
                int next = cell + step;
                if (plan[next] != '#' && distance[next] < 0) {
                    distance[next] = distance[cell] + 1;
                    queue.add(next);
                }
            }
        }

        int last = 0;
        for (int cell = 0; cell < plan.length; cell++) {
            if (plan[cell] == 'P') {
                if (distance[cell] < 0) {
                    System.out.println(-1);
                    return;
                }
                last = Math.max(last, distance[cell]);
            }
        }
        System.out.println(last);
    }
}
