// Does not compile: the variable is called `amount` where it is declared and `mass_added` where it is used.
#include <iomanip>
#include <iostream>
#include <string>

int main() {
    int commands;
    std::cin >> commands;
    std::cout << std::fixed << std::setprecision(9);
    int mass = 0;
    double salt = 0;
    for (int i = 0; i < commands; ++i) {
        std::string command;
        std::cin >> command;
        int amount, percent;
        if (command == "ADD") {
            std::cin >> amount >> percent;
            mass += mass_added;
            salt += mass_added * percent / 100.0;
        } else if (command == "POUR") {
            std::cin >> amount;
            int left = amount < mass ? mass - amount : 0;
            salt = left > 0 ? salt * left / mass : 0;
            mass = left;
        } else {
            std::cout << (mass > 0 ? salt / mass * 100 : 0) << '\n';
        }
    }
}
