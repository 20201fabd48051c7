# Wrong: prints the answer, but returns nothing.
def count_trips(weights, max_weight, max_people):
    trips = 0
    total = people = 0
    for weight in weights:
        if trips == 0 or total + weight > max_weight or people == max_people:
            trips += 1
            total = people = 0
        total += weight
        people += 1
    print(trips)
