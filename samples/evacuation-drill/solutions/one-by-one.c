// Too slow: a search of its own for every person.
#include <stdio.h>
#include <string.h>

#define LARGEST 500
#define WIDTH (LARGEST + 2)

static char plan[WIDTH * WIDTH];
static int distance[WIDTH * WIDTH], queue[WIDTH * WIDTH];

static int seconds_to_leave(int person) {
    static const int steps[] = {-WIDTH, WIDTH, -1, 1};
    int head = 0, tail = 0;
    memset(distance, -1, sizeof distance);
    distance[person] = 0;
    queue[tail++] = person;
    while (head < tail) {
        int cell = queue[head++];
        if (plan[cell] == 'E') {
            return distance[cell];
        }
        for (int i = 0; i < 4; i++) {
            int next = cell + steps[i];
            if (plan[next] != '#' && distance[next] < 0) {
                distance[next] = distance[cell] + 1;
                queue[tail++] = next;
            }
        }
    }
    return -1;
}

int main(void) {
    int rows, columns;
    if (scanf("%d %d", &rows, &columns) != 2) {
        return 1;
    }
    memset(plan, '#', sizeof plan);
    for (int row = 1; row <= rows; row++) {
        char line[LARGEST + 1];
        if (scanf("%500s", line) != 1) {
            return 1;
        }
        memcpy(&plan[row * WIDTH + 1], line, columns);
    }

    int last = 0;
    for (int cell = 0; cell < WIDTH * WIDTH; cell++) {
        if (plan[cell] == 'P') {
            int seconds = seconds_to_leave(cell);
            if (seconds < 0) {
                printf("-1\n");
                return 0;
            }
            if (seconds > last) {
                last = seconds;
            }
        }
    }
    printf("%d\n", last);
    return 0;
}
