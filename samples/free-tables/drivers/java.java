// The driver: reads the arguments from standard input, one JSON value a line, calls seatGroups and
// writes the result as one line of JSON to descriptor 3. What the function itself prints stays on
// standard output and is not judged. Where descriptor 3 is not open, the result goes to standard
// output, too.
import java.util.*;

{{code}}

// Names of the library are written in full: classes of the solution may have the same ones.
public class Main {
    private static byte[] input;
    private static int at;

    public static void main(String[] args) throws java.io.IOException {
        input = System.in.readAllBytes();
        int[] tables = readInts();
        int[] groups = readInts();
        int[] result = new Solution().seatGroups(tables, groups);
        write(java.util.Arrays.toString(result));
    }

    private static void write(String result) throws java.io.IOException {
        byte[] line = (result + "\n").getBytes(java.nio.charset.StandardCharsets.UTF_8);
        // Only a pipe: where none was opened, the virtual machine may have a file of its own there.
        java.nio.file.Path results = java.nio.file.Path.of("/proc/self/fd/3");
        boolean isPipe = java.nio.file.Files.isSymbolicLink(results)
                && java.nio.file.Files.readSymbolicLink(results).toString().startsWith("pipe:");
        if (isPipe) {
            try (java.io.OutputStream out = new java.io.FileOutputStream(results.toString())) {
                out.write(line);
            }
        } else {
            System.out.write(line);
            System.out.flush();
        }
    }

    private static IllegalArgumentException expected(String what) {
        return new IllegalArgumentException("input: expected " + what);
    }

    /** The next byte that is not white space, or -1; it stays in the input. */
    private static int next() {
        while (at < input.length && input[at] <= ' ') {
            at++;
        }
        return at < input.length ? input[at] : -1;
    }

    private static int readInt() {
        next();
        int from = at;
        while (at < input.length && (input[at] == '-' || input[at] >= '0' && input[at] <= '9')) {
            at++;
        }
        try {
            return Integer.parseInt(new String(input, from, at - from, java.nio.charset.StandardCharsets.US_ASCII));
        } catch (NumberFormatException error) {
            throw expected("an integer of 32 bits");
        }
    }

    private static int[] readInts() {
        if (next() != '[') {
            throw expected("[");
        }
        at++;
        int[] values = new int[16];
        int count = 0;
        while (next() != ']') {
            if (count > 0) {
                if (next() != ',') {
                    throw expected(", or ]");
                }
                at++;
            }
            if (count == values.length) {
                values = java.util.Arrays.copyOf(values, count * 2);
            }
            values[count++] = readInt();
        }
        at++;
        return java.util.Arrays.copyOf(values, count);
    }
}
