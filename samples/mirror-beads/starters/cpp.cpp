#include <string>

long long countMirrorPieces(const std::string &beads) {
    return 0;
}
