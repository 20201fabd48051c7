#include <stdlib.h>

typedef struct {
    int seats, number;
} Table;

static int compare(const void *left, const void *right) {
    const Table *a = left, *b = right;
    return a->seats != b->seats ? a->seats - b->seats : a->number - b->number;
}

/* The first place from `place` on, in order of size, whose table is free. Paths are halved on the way. */
static int find_free(int *next, int place) {
    while (next[place] != place) {
        next[place] = next[next[place]];
        place = next[place];
    }
    return place;
}

int *seatGroups(int *tables, int tableCount, int *groups, int groupCount, int *resultCount) {
    Table *sorted = malloc((tableCount + 1) * sizeof *sorted);
    int *next = malloc((tableCount + 1) * sizeof *next);
    int *result = malloc((groupCount + 1) * sizeof *result);
    for (int i = 0; i < tableCount; i++) {
        sorted[i] = (Table){tables[i], i};
    }
    qsort(sorted, tableCount, sizeof *sorted, compare);
    for (int i = 0; i <= tableCount; i++) {
        next[i] = i;
    }

    for (int i = 0; i < groupCount; i++) {
        int low = 0, high = tableCount;
        while (low < high) {
            int middle = (low + high) / 2;
            if (sorted[middle].seats < groups[i]) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        int place = find_free(next, low);
        if (place == tableCount) {
            result[i] = -1;
        } else {
            result[i] = sorted[place].number;
            next[place] = place + 1;
        }
    }
    free(sorted);
    free(next);
    *resultCount = groupCount;
    return result;
}
