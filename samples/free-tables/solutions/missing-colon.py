# Does not compile: a colon is missing behind the condition.
from bisect import bisect_left


def seat_groups(tables, groups):
    free = sorted((seats, number) for number, seats in enumerate(tables))
    result = []
    for people in groups:
        place = bisect_left(free, (people, 0))
        if place == len(free)
            result.append(-1)
        else:
            result.append(free.pop(place)[1])
    return result
