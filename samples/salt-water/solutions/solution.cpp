#include <algorithm>
#include <iomanip>
#include <iostream>
#include <string>

struct Beaker {
    int mass = 0;
    double percent = 0;

    void add(int amount, int percent_of_it) {
        percent = (percent * mass + static_cast<double>(percent_of_it) * amount) / (mass + amount);
        mass += amount;
    }

    void pour(int amount) {
        mass = std::max(mass - amount, 0);
        if (mass == 0) {
            percent = 0;
        }
    }
};

int main() {
    int commands;
    std::cin >> commands;
    std::cout << std::fixed << std::setprecision(9);
    Beaker beaker;
    for (int i = 0; i < commands; ++i) {
        std::string command;
        std::cin >> command;
        int amount, percent;
        if (command == "ADD") {
            std::cin >> amount >> percent;
            beaker.add(amount, percent);
        } else if (command == "POUR") {
            std::cin >> amount;
            beaker.pour(amount);
        } else {
            std::cout << beaker.percent << '\n';
        }
    }
}
