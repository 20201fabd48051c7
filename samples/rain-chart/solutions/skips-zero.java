// Floods: from an odd height, steps of two never meet zero, and the loop goes on below it.
import java.util.Scanner;

public class Main {
    public static void main(String[] args) {
        Scanner in = new Scanner(System.in);
        int[] rain = new int[in.nextInt()];
        int highest = 0;
        for (int day = 0; day < rain.length; day++) {
            rain[day] = in.nextInt();
            highest = Math.max(highest, rain[day]);
        }

        for (int height = highest; height != 0; height -= 2) {
            StringBuilder line = new StringBuilder();
            for (int amount : rain) {
                line.append(amount >= height ? '#' : ' ');
            }
            System.out.printf("%2d|%s\n", height, line.toString().stripTrailing());
        }
        System.out.println("  +" + "-".repeat(rain.length));
    }
}
