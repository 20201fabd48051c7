/* The driver: reads the arguments from standard input, one JSON value a line, calls
   countMirrorPieces and writes the result as one line of JSON to descriptor 3. What the function
   itself prints stays on standard output and is not judged. Where descriptor 3 is not open, the
   result goes to standard output, too. */
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

{{code}}

/* Of POSIX: <stdio.h> leaves it out under -std=c17. */
FILE *fdopen(int descriptor, const char *mode);

static _Noreturn void driver_expected(const char *what) {
    fprintf(stderr, "input: expected %s\n", what);
    exit(2);
}

/* The next character that is not white space; it stays in the input. */
static int driver_next(void) {
    int next;
    do {
        next = getchar();
    } while (next == ' ' || next == '\t' || next == '\r' || next == '\n');
    ungetc(next, stdin);
    return next;
}

/* A string without escapes. */
static char *driver_string(void) {
    size_t capacity = 64, length = 0;
    char *text = malloc(capacity);
    if (driver_next() != '"') {
        driver_expected("a string");
    }
    getchar();
    for (int next; (next = getchar()) != '"';) {
        if (next == EOF || next == '\\') {
            driver_expected("a string without escapes");
        }
        if (length + 1 == capacity) {
            capacity *= 2;
            text = realloc(text, capacity);
        }
        if (text == NULL) {
            abort();
        }
        text[length++] = (char)next;
    }
    text[length] = '\0';
    return text;
}

int main(void) {
    char *beads = driver_string();
    long long result = countMirrorPieces(beads);

    FILE *results = fdopen(3, "w");
    if (results == NULL) {
        results = stdout;
    }
    fprintf(results, "%lld\n", result);
    fflush(results);
    return 0;
}
