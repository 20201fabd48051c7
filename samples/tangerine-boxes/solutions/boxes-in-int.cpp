// Wrong: up to 10^12 boxes do not fit an int.
#include <iostream>

int main() {
    long long tangerines, capacity;
    std::cin >> tangerines >> capacity;
    int boxes = static_cast<int>((tangerines + capacity - 1) / capacity);
    std::cout << boxes << ' ' << boxes * capacity - tangerines << '\n';
}
