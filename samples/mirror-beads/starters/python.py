def count_mirror_pieces(beads: str) -> int:
    return 0
