# Crashes: asks the dictionary for a state that has not been met yet.
def count_mirror_pieces(beads: str) -> int:
    met = {0: 1}
    odd = pieces = 0
    for bead in beads:
        odd ^= 1 << (ord(bead) - ord("a"))
        pieces += met[odd]
        for colour in range(10):
            pieces += met[odd ^ (1 << colour)]
        met[odd] += 1
    return pieces
