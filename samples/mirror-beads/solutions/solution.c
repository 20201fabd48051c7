#define COLOURS 10

/* Bit i of a mask says whether colour i has occurred an odd number of times so far. A piece is a mirror piece when at most
   one colour is odd in it: when the masks at its two ends differ in at most one bit. */
long long countMirrorPieces(const char *beads) {
    long long seen[1 << COLOURS] = {1};
    long long pieces = 0;
    int mask = 0;
    for (const char *bead = beads; *bead != '\0'; bead++) {
        mask ^= 1 << (*bead - 'a');
        pieces += seen[mask];
        for (int colour = 0; colour < COLOURS; colour++) {
            pieces += seen[mask ^ (1 << colour)];
        }
        seen[mask]++;
    }
    return pieces;
}
