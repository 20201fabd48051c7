import java.util.Scanner;

public class Main {
    public static void main(String[] args) {
        Scanner in = new Scanner(System.in);
        long tangerines = in.nextLong();
        long capacity = in.nextLong();

        long boxes = 0;
        long missing = 0;
        // Work out both numbers here.

        System.out.println(boxes + " " + missing);
    }
}
