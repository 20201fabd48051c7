import java.util.Scanner;

public class Main {
    public static void main(String[] args) {
        Scanner in = new Scanner(System.in);
        long tangerines = in.nextLong();
        long capacity = in.nextLong();
        long boxes = (tangerines + capacity - 1) / capacity;
        System.out.println(boxes + " " + (boxes * capacity - tangerines));
    }
}
