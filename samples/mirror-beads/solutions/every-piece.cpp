// Too slow: looks at every piece.
#include <cstddef>
#include <string>

long long countMirrorPieces(const std::string &beads) {
    long long pieces = 0;
    for (std::size_t first = 0; first < beads.size(); ++first) {
        unsigned odd = 0;
        for (std::size_t last = first; last < beads.size(); ++last) {
            odd ^= 1u << (beads[last] - 'a');
            if ((odd & (odd - 1)) == 0) {
                ++pieces;
            }
        }
    }
    return pieces;
}
