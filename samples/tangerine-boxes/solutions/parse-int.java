// Crashes: Integer.parseInt refuses numbers of more than 31 bits.
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;

public class Main {
    public static void main(String[] args) throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        String[] words = in.readLine().split(" ");
        int tangerines = Integer.parseInt(words[0]);
        int capacity = Integer.parseInt(words[1]);
        int boxes = tangerines / capacity + (tangerines % capacity > 0 ? 1 : 0);
        System.out.println(boxes + " " + (boxes * capacity - tangerines));
    }
}
