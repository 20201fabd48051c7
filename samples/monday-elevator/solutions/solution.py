def count_trips(weights: list[int], max_weight: int, max_people: int) -> int:
    trips = 0
    total = people = 0
    for weight in weights:
        if trips == 0 or total + weight > max_weight or people == max_people:
            trips += 1
            total = people = 0
        total += weight
        people += 1
    return trips
