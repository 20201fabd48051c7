from bisect import bisect_left


def seat_groups(tables: list[int], groups: list[int]) -> list[int]:
    order = sorted(range(len(tables)), key=lambda number: (tables[number], number))
    seats = [tables[number] for number in order]
    # From each place in that order, a step towards the first place from there on whose table is free.
    following = list(range(len(tables) + 1))

    result = []
    for people in groups:
        place = bisect_left(seats, people)
        while following[place] != place:
            following[place] = following[following[place]]
            place = following[place]
        if place == len(tables):
            result.append(-1)
        else:
            result.append(order[place])
            following[place] = place + 1
    return result
