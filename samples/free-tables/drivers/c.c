/* The driver: reads the arguments from standard input, one JSON value a line, calls seatGroups and
   writes the result as one line of JSON to descriptor 3. What the function itself prints stays on
   standard output and is not judged. Where descriptor 3 is not open, the result goes to standard
   output, too. */
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

static int driver_int(void) {
    long long value;
    if (scanf("%lld", &value) != 1 || value < INT_MIN || value > INT_MAX) {
        driver_expected("an integer of 32 bits");
    }
    return (int)value;
}

static int *driver_ints(int *count) {
    size_t capacity = 16;
    int *values = malloc(capacity * sizeof *values);
    *count = 0;
    if (driver_next() != '[') {
        driver_expected("[");
    }
    getchar();
    while (driver_next() != ']') {
        if (*count > 0) {
            if (driver_next() != ',') {
                driver_expected(", or ]");
            }
            getchar();
        }
        if ((size_t)*count == capacity) {
            capacity *= 2;
            values = realloc(values, capacity * sizeof *values);
        }
        if (values == NULL) {
            abort();
        }
        values[(*count)++] = driver_int();
    }
    getchar();
    return values;
}

int main(void) {
    int tableCount;
    int *tables = driver_ints(&tableCount);
    int groupCount;
    int *groups = driver_ints(&groupCount);
    int resultCount = 0;
    int *result = seatGroups(tables, tableCount, groups, groupCount, &resultCount);

    FILE *results = fdopen(3, "w");
    if (results == NULL) {
        results = stdout;
    }
    if (result == NULL && resultCount > 0) {
        fprintf(results, "null\n");
    } else {
        fprintf(results, "[");
        for (int i = 0; i < resultCount; i++) {
            fprintf(results, i > 0 ? ", %d" : "%d", result[i]);
        }
        fprintf(results, "]\n");
    }
    fflush(results);
    return 0;
}
