# Too much memory: has a counter for every second up to the last one, hundreds of millions of them.
import sys


def main():
    numbers = list(map(int, sys.stdin.read().split()))
    starts, ends = numbers[1::2], numbers[2::2]
    change = [0] * (max(ends) + 1)
    for start, end in zip(starts, ends):
        change[start] += 1
        change[end] -= 1

    inside = most = when = 0
    for second, difference in enumerate(change):
        inside += difference
        if inside > most:
            most, when = inside, second
    print(most, when)


main()
