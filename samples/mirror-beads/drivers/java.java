// The driver: reads the arguments from standard input, one JSON value a line, calls
// countMirrorPieces and writes the result as one line of JSON to descriptor 3. What the function
// itself prints stays on standard output and is not judged. Where descriptor 3 is not open, the
// result goes to standard output, too.
import java.util.*;

{{code}}

// Names of the library are written in full: classes of the solution may have the same ones.
public class Main {
    private static byte[] input;
    private static int at;

    public static void main(String[] args) throws java.io.IOException {
        input = System.in.readAllBytes();
        String beads = readString();
        long result = new Solution().countMirrorPieces(beads);
        write(String.valueOf(result));
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

    /** A string without escapes. */
    private static String readString() {
        if (next() != '"') {
            throw expected("a string");
        }
        int from = ++at;
        while (at < input.length && input[at] != '"' && input[at] != '\\') {
            at++;
        }
        if (at == input.length || input[at] != '"') {
            throw expected("a string without escapes");
        }
        return new String(input, from, at++ - from, java.nio.charset.StandardCharsets.UTF_8);
    }
}
