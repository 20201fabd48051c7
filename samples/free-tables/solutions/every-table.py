# Too slow: looks at every table for every group.
def seat_groups(tables, groups):
    free = [True] * len(tables)
    result = []
    for people in groups:
        best = -1
        for number, seats in enumerate(tables):
            if free[number] and seats >= people and (best < 0 or seats < tables[best]):
                best = number
        if best >= 0:
            free[best] = False
        result.append(best)
    return result
