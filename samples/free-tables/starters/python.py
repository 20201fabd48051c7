def seat_groups(tables: list[int], groups: list[int]) -> list[int]:
    return [-1] * len(groups)
