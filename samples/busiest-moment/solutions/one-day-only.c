// Crashes: has counters for the seconds of one day, and writes far behind them for later times.
#include <stdio.h>

#define SECONDS_OF_A_DAY 86400

static int change[SECONDS_OF_A_DAY + 1];

int main(void) {
    int visitors;
    if (scanf("%d", &visitors) != 1) {
        return 1;
    }
    for (int i = 0; i < visitors; i++) {
        int start, end;
        if (scanf("%d %d", &start, &end) != 2) {
            return 1;
        }
        change[start]++;
        change[end]--;
    }

    int inside = 0, most = 0, when = 0;
    for (int second = 0; second <= SECONDS_OF_A_DAY; second++) {
        inside += change[second];
        if (inside > most) {
            most = inside;
            when = second;
        }
    }
    printf("%d %d\n", most, when);
    return 0;
}
