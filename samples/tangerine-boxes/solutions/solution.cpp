#include <iostream>

int main() {
    long long tangerines, capacity;
    std::cin >> tangerines >> capacity;
    long long boxes = tangerines / capacity;
    long long missing = 0;
    if (tangerines % capacity != 0) {
        boxes += 1;
        missing = capacity - tangerines % capacity;
    }
    std::cout << boxes << ' ' << missing << '\n';
}
