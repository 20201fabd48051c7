#include <string>
#include <vector>

long long countMirrorPieces(const std::string &beads) {
    constexpr int colours = 10;
    // Which colours are odd so far, a bit for each, and how often every such state has been met.
    unsigned odd = 0;
    std::vector<long long> met(1u << colours);
    met[odd] = 1;
    long long pieces = 0;
    for (char bead : beads) {
        odd ^= 1u << (bead - 'a');
        // At most one colour may be odd in a piece.
        pieces += met[odd];
        for (int colour = 0; colour < colours; ++colour) {
            pieces += met[odd ^ (1u << colour)];
        }
        ++met[odd];
    }
    return pieces;
}
