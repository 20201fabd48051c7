// Wrong: puts a space before every height, also before those of two digits.
#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

int main() {
    int days;
    std::cin >> days;
    std::vector<int> rain(days);
    for (int &amount : rain) {
        std::cin >> amount;
    }

    for (int height = *std::max_element(rain.begin(), rain.end()); height >= 1; --height) {
        std::string line;
        for (int amount : rain) {
            line += amount >= height ? '#' : ' ';
        }
        line.erase(line.find_last_of('#') + 1);
        std::cout << ' ' << height << '|' << line << '\n';
    }
    std::cout << "  +" << std::string(days, '-') << '\n';
}
