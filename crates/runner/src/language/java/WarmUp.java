import java.io.*;
import java.util.*;
import java.util.function.*;
import java.util.stream.*;

/** Uses what programs of learners use, so that compiling it loads the compiler's usual classes. */
public class WarmUp {
    record Point(int x, int y) implements Comparable<Point> {
        public int compareTo(Point other) {
            return Integer.compare(x * y, other.x * other.y);
        }
    }

    enum Kind { ONE, TWO }

    interface Shape { double area(); }

    static abstract class Base<T extends Comparable<T>> {
        private final List<T> items = new ArrayList<>();
        abstract T pick(Predicate<? super T> wanted);
        void add(T item) { items.add(item); }
        List<T> items() { return items; }
    }

    static class First extends Base<Point> {
        @Override
        Point pick(Predicate<? super Point> wanted) {
            for (Point point : items()) {
                if (wanted.test(point)) return point;
            }
            throw new NoSuchElementException("none");
        }
    }

    static int[][] grid = new int[10][10];

    static long gcd(long a, long b) { return b == 0 ? a : gcd(b, a % b); }

    public static void main(String[] args) throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        StringTokenizer words = new StringTokenizer(in.readLine());
        Scanner scanner = new Scanner(System.in);
        int n = Integer.parseInt(words.nextToken());
        Map<String, List<Integer>> map = new TreeMap<>();
        Deque<int[]> queue = new ArrayDeque<>();
        PriorityQueue<Point> heap = new PriorityQueue<>(Comparator.comparing(Point::x).reversed());
        StringBuilder out = new StringBuilder();
        outer:
        for (int i = 0; i < n; i++) {
            for (int j = i; j-- > 0; ) {
                if ((i ^ j) % 3 == 1) continue outer;
                grid[i][j] += i << 2 | j >>> 1;
                queue.add(new int[] {i, j});
            }
            map.computeIfAbsent("k" + i % 3, key -> new ArrayList<>()).add(i);
            heap.add(new Point(i, -i));
        }
        do { n /= 2; } while (n > 0);
        Object thing = heap.peek();
        if (thing instanceof Point point) out.append(point.x());
        var kind = Kind.values()[0];
        String name = switch (kind) {
            case ONE -> "one";
            case TWO -> { String two = "t" + "wo"; yield two; }
        };
        switch (n) {
            case 0: out.append('a'); break;
            default: out.append(1L).append(2.5).append(true);
        }
        Shape shape = () -> 3.0;
        Supplier<First> make = First::new;
        BiFunction<Long, Long, Long> both = WarmUp::gcd;
        try (PrintWriter writer = new PrintWriter(new BufferedWriter(new OutputStreamWriter(System.out)))) {
            writer.println(IntStream.rangeClosed(1, 5).mapToObj(Integer::toString).collect(Collectors.joining(",")));
            writer.printf("%d %s %.2f%n", both.apply(12L, 18L), name, shape.area());
        } catch (RuntimeException | Error error) {
            System.err.println(error.getMessage());
        } finally {
            System.out.print(out);
        }
        List<Integer> sorted = map.values().stream().flatMap(List::stream).filter(x -> x % 2 == 0).sorted().toList();
        Collections.sort(new ArrayList<>(sorted), (a, b) -> b - a);
        Arrays.sort(new Integer[] {3, 1}, Collections.reverseOrder());
        synchronized (out) { assert scanner.hasNext() : make.get(); }
        Runnable later = new Runnable() {
            @Override
            public void run() { System.out.println(Math.max(1, (int) 2.5f)); }
        };
        later.run();
    }
}
