#include <algorithm>
#include <iostream>
#include <queue>
#include <string>
#include <utility>
#include <vector>

int main() {
    std::ios::sync_with_stdio(false);
    int rows, columns;
    std::cin >> rows >> columns;
    std::vector<std::string> plan(rows);
    for (std::string &row : plan) {
        std::cin >> row;
    }

    // One search from all exits at once: it meets every cell by the way to its nearest exit.
    std::vector<std::vector<int>> distance(rows, std::vector<int>(columns, -1));
    std::queue<std::pair<int, int>> waiting;
    for (int row = 0; row < rows; ++row) {
        for (int column = 0; column < columns; ++column) {
            if (plan[row][column] == 'E') {
                distance[row][column] = 0;
                waiting.emplace(row, column);
            }
        }
    }
    while (!waiting.empty()) {
        auto [row, column] = waiting.front();
        waiting.pop();
        for (auto [down, right] : {std::pair{-1, 0}, {1, 0}, {0, -1}, {0, 1}}) {
            int r = row + down, c = column + right;
            if (r < 0 || r >= rows || c < 0 || c >= columns || plan[r][c] == '#' || distance[r][c] >= 0) {
                continue;
            }
            distance[r][c] = distance[row][column] + 1;
            waiting.emplace(r, c);
        }
    }

    int last = 0;
    for (int row = 0; row < rows; ++row) {
        for (int column = 0; column < columns; ++column) {
            if (plan[row][column] == 'P') {
                if (distance[row][column] < 0) {
                    std::cout << "-1\n";
                    return 0;
                }
                last = std::max(last, distance[row][column]);
            }
        }
    }
    std::cout << last << '\n';
}
