def count_trips(weights: list[int], max_weight: int, max_people: int) -> int:
    return 0
