import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.StreamTokenizer;
import java.io.InputStreamReader;
import java.util.Arrays;

public class Main {
    public static void main(String[] args) throws IOException {
        StreamTokenizer in = new StreamTokenizer(new InputStreamReader(new BufferedInputStream(System.in)));
        in.nextToken();
        int visitors = (int) in.nval;
        int[] starts = new int[visitors];
        int[] ends = new int[visitors];
        for (int i = 0; i < visitors; i++) {
            in.nextToken();
            starts[i] = (int) in.nval;
            in.nextToken();
            ends[i] = (int) in.nval;
        }
        Arrays.sort(starts);
        Arrays.sort(ends);

        int most = 0;
        int when = 0;
        int left = 0;
        for (int came = 0; came < visitors; came++) {
            while (ends[left] <= starts[came]) {
                left++;
            }
            int inside = came + 1 - left;
            if (inside > most) {
                most = inside;
                when = starts[came];
            }
        }
        System.out.println(most + " " + when);
    }
}
