#include <iostream>

int main() {
    long long tangerines, capacity;
    std::cin >> tangerines >> capacity;

    long long boxes = 0;
    long long missing = 0;
    // Work out both numbers here.

    std::cout << boxes << ' ' << missing << '\n';
}
