#include <stdio.h>
#include <string.h>

#define LARGEST 500
#define WIDTH (LARGEST + 2)

/* The plan with a wall around it, so that no step leads out of the array. */
static char plan[WIDTH][WIDTH + 1];
static int distance[WIDTH][WIDTH];
static int queue[LARGEST * LARGEST];

int main(void) {
    static const int row_step[] = {-1, 1, 0, 0}, column_step[] = {0, 0, -1, 1};
    int rows, columns, head = 0, tail = 0;
    if (scanf("%d %d", &rows, &columns) != 2) {
        return 1;
    }
    memset(plan, '#', sizeof plan);
    memset(distance, -1, sizeof distance);
    for (int row = 1; row <= rows; row++) {
        char line[LARGEST + 1];
        if (scanf("%500s", line) != 1) {
            return 1;
        }
        memcpy(&plan[row][1], line, columns);
        for (int column = 1; column <= columns; column++) {
            if (plan[row][column] == 'E') {
                distance[row][column] = 0;
                queue[tail++] = row * WIDTH + column;
            }
        }
    }

    while (head < tail) {
        int row = queue[head] / WIDTH, column = queue[head] % WIDTH;
        head++;
        for (int i = 0; i < 4; i++) {
            int next_row = row + row_step[i], next_column = column + column_step[i];
            if (plan[next_row][next_column] != '#' && distance[next_row][next_column] < 0) {
                distance[next_row][next_column] = distance[row][column] + 1;
                queue[tail++] = next_row * WIDTH + next_column;
            }
        }
    }

    int last = 0;
    for (int row = 1; row <= rows; row++) {
        for (int column = 1; column <= columns; column++) {
            if (plan[row][column] != 'P') {
                continue;
            }
            if (distance[row][column] < 0) {
                printf("-1\n");
                return 0;
            }
            if (distance[row][column] > last) {
                last = distance[row][column];
            }
        }
    }
    printf("%d\n", last);
    return 0;
}
