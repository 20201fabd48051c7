# Right: what it prints on its way is not the answer, and does no harm.
def count_trips(weights: list[int], max_weight: int, max_people: int) -> int:
    print("people in the line:", len(weights))
    trips = 0
    total = people = 0
    for weight in weights:
        if trips == 0 or total + weight > max_weight or people == max_people:
            trips += 1
            total = people = 0
            print("trip", trips)
        total += weight
        people += 1
    return trips
