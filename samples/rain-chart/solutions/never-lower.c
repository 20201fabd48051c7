// Floods: the loop never gets to a lower height, so it prints the same line for ever.
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

    int height = highest;
    while (height >= 1) {
        printf("%2d|", height);
        for (int day = 0; day < days && rain[day] >= height; day++) {
            putchar('#');
        }
        putchar('\n');
    }
    return 0;
}
