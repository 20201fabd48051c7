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

        StringBuilder chart = new StringBuilder();
        for (int height = highest; height >= 1; height--) {
            StringBuilder line = new StringBuilder();
            for (int amount : rain) {
                line.append(amount >= height ? '#' : ' ');
            }
            chart.append(String.format("%2d|%s\n", height, line.toString().stripTrailing()));
        }
        chart.append("  +").append("-".repeat(rain.length)).append('\n');
        System.out.print(chart);
    }
}
