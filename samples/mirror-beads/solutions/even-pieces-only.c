// Wrong: lets no colour be odd, so it misses every piece with a bead in the middle.
#define COLOURS 10

long long countMirrorPieces(const char *beads) {
    long long seen[1 << COLOURS] = {1};
    long long pieces = 0;
    int mask = 0;
    for (const char *bead = beads; *bead != '\0'; bead++) {
        mask ^= 1 << (*bead - 'a');
        pieces += seen[mask];
        seen[mask]++;
    }
    return pieces;
}
