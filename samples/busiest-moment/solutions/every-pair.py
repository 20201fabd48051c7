# Too slow: for each visitor's arrival, asks all visitors whether they are in the room.
import sys


def main():
    numbers = list(map(int, sys.stdin.read().split()))
    starts, ends = numbers[1::2], numbers[2::2]

    most = when = 0
    for time in sorted(starts):
        inside = 0
        for start, end in zip(starts, ends):
            if start <= time < end:
                inside += 1
        if inside > most:
            most, when = inside, time
    print(most, when)


main()
