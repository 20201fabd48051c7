def count_mirror_pieces(beads: str) -> int:
    bits = {colour: 1 << i for i, colour in enumerate("abcdefghij")}
    # How many pieces begin so that their other end in this state would make them a mirror piece: a state says, a bit for
    # each colour, which of them are odd so far, and both ends of a mirror piece differ in at most one bit.
    partners = [0] * 1024
    pieces = state = 0

    def begin(state):
        partners[state] += 1
        for bit in bits.values():
            partners[state ^ bit] += 1

    begin(state)
    for bead in beads:
        state ^= bits[bead]
        pieces += partners[state]
        begin(state)
    return pieces
