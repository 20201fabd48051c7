# Too much memory: makes a list of all pieces before it looks at them.
def count_mirror_pieces(beads: str) -> int:
    length = len(beads)
    pieces = [beads[first:last] for first in range(length) for last in range(first + 1, length + 1)]
    return sum(is_mirror(piece) for piece in pieces)


def is_mirror(piece: str) -> bool:
    return sum(piece.count(colour) % 2 for colour in "abcdefghij") <= 1
