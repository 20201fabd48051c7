# Crashes: one call for each step of a way, and Python gives up after a thousand of them.
import sys


def main():
    size, *lines = sys.stdin.read().splitlines()
    rows, columns = map(int, size.split())
    plan = lines[:rows]
    shortest = [[rows * columns + 1] * columns for _ in range(rows)]

    def walk(row, column, seconds):
        if not (0 <= row < rows and 0 <= column < columns):
            return
        if plan[row][column] == "#" or shortest[row][column] <= seconds:
            return
        shortest[row][column] = seconds
        walk(row - 1, column, seconds + 1)
        walk(row + 1, column, seconds + 1)
        walk(row, column - 1, seconds + 1)
        walk(row, column + 1, seconds + 1)

    last = 0
    for row in range(rows):
        for column in range(columns):
            if plan[row][column] == "E":
                walk(row, column, 0)
    for row in range(rows):
        for column in range(columns):
            if plan[row][column] == "P":
                last = max(last, shortest[row][column])
    print(last if last <= rows * columns else -1)


main()
