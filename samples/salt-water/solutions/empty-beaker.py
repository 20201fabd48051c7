# Crashes: divides by zero when the beaker is empty.
import sys

mass = 0
salt = 0.0
lines = sys.stdin.read().splitlines()
for line in lines[1:]:
    command, *numbers = line.split()
    if command == "ADD":
        amount, percent = map(int, numbers)
        mass += amount
        salt += amount * percent / 100
    elif command == "POUR":
        left = max(mass - int(numbers[0]), 0)
        salt = salt * left / mass
        mass = left
    else:
        print(f"{salt / mass * 100:.9f}")
