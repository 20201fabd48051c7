#include <stdio.h>

int main(void) {
    int days, rain[50], highest = 0;
    if (scanf("%d", &days) != 1) {
        return 1;
    }
    for (int day = 0; day < days; day++) {
        if (scanf("%d", &rain[day]) != 1) {
            return 1;
        }
        if (rain[day] > highest) {
            highest = rain[day];
        }
    }

    for (int height = highest; height >= 1; height--) {
        char line[51];
        int length = 0;
        for (int day = 0; day < days; day++) {
            line[day] = rain[day] >= height ? '#' : ' ';
            if (line[day] == '#') {
                length = day + 1;
            }
        }
        line[length] = '\0';
        printf("%2d|%s\n", height, line);
    }

    printf("  +");
    for (int day = 0; day < days; day++) {
        putchar('-');
    }
    putchar('\n');
    return 0;
}
