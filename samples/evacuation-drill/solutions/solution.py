import sys


def main():
    size, *lines = sys.stdin.read().splitlines()
    rows, columns = map(int, size.split())
    # The plan as one text with a wall around it, so that no step leads out of it.
    width = columns + 2
    edge = "#" * width
    plan = edge + "".join(f"#{line}#" for line in lines[:rows]) + edge

    seen = bytearray(cell == "#" for cell in plan)
    # Those who cannot leave are what the search from the exits has not met in the end.
    people = plan.count("P")
    frontier = [cell for cell, what in enumerate(plan) if what == "E"]
    for cell in frontier:
        seen[cell] = 1
    seconds = last = 0
    while frontier and people:
        seconds += 1
        following = []
        for cell in frontier:
            for near in (cell - width, cell + width, cell - 1, cell + 1):
                if not seen[near]:
                    seen[near] = 1
                    following.append(near)
                    if plan[near] == "P":
                        people -= 1
                        last = seconds
        frontier = following
    print(last if people == 0 else -1)


main()
