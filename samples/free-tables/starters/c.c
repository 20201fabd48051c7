#include <stdlib.h>

/* Returns an array of *resultCount numbers, made by malloc. */
int *seatGroups(int *tables, int tableCount, int *groups, int groupCount, int *resultCount) {
    int *result = malloc(groupCount * sizeof *result);
    *resultCount = groupCount;
    for (int i = 0; i < groupCount; i++) {
        result[i] = -1;
    }
    return result;
}
