// Wrong: does not say how long the result is.
#include <stdlib.h>

int *seatGroups(int *tables, int tableCount, int *groups, int groupCount, int *resultCount) {
    (void)resultCount;
    int *result = malloc((groupCount + 1) * sizeof *result);
    for (int i = 0; i < groupCount; i++) {
        result[i] = -1;
        for (int number = 0; number < tableCount; number++) {
            if (tables[number] >= groups[i] && (result[i] < 0 || tables[number] < tables[result[i]])) {
                result[i] = number;
            }
        }
        if (result[i] >= 0) {
            tables[result[i]] = 0;
        }
    }
    return result;
}
