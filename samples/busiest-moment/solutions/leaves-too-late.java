// Wrong: still counts a visitor at the very moment of leaving.
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Scanner;

public class Main {
    record Event(int time, int change) {}

    public static void main(String[] args) {
        Scanner in = new Scanner(System.in);
        int visitors = in.nextInt();
        List<Event> events = new ArrayList<>();
        for (int i = 0; i < visitors; i++) {
            events.add(new Event(in.nextInt(), 1));
            events.add(new Event(in.nextInt(), -1));
        }
        events.sort(Comparator.comparingInt(Event::time).thenComparingInt(event -> -event.change()));

        int inside = 0;
        int most = 0;
        int when = 0;
        for (Event event : events) {
            inside += event.change();
            if (inside > most) {
                most = inside;
                when = event.time();
            }
        }
        System.out.println(most + " " + when);
    }
}
