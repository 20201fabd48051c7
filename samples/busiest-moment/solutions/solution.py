import sys


def main():
    numbers = list(map(int, sys.stdin.read().split()))
    visitors = numbers[0]
    events = []
    for i in range(visitors):
        events.append((numbers[2 * i + 1], 1))
        events.append((numbers[2 * i + 2], -1))
    # At the same time, those who leave (-1) come before those who arrive (+1).
    events.sort()

    inside = most = when = 0
    for time, change in events:
        inside += change
        if inside > most:
            most, when = inside, time
    print(most, when)


main()
