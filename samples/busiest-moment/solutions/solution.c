#include <stdio.h>
#include <stdlib.h>

static int compare(const void *left, const void *right) {
    int a = *(const int *)left, b = *(const int *)right;
    return (a > b) - (a < b);
}

int main(void) {
    static int starts[20000], ends[20000];
    int visitors;
    if (scanf("%d", &visitors) != 1) {
        return 1;
    }
    for (int i = 0; i < visitors; i++) {
        if (scanf("%d %d", &starts[i], &ends[i]) != 2) {
            return 1;
        }
    }
    qsort(starts, visitors, sizeof starts[0], compare);
    qsort(ends, visitors, sizeof ends[0], compare);

    int most = 0, when = 0, left = 0;
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
    printf("%d %d\n", most, when);
    return 0;
}
