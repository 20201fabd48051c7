#include <stdio.h>
#include <string.h>

int main(void) {
    int commands;
    if (scanf("%d", &commands) != 1) {
        return 1;
    }
    int mass = 0;
    double salt = 0;
    for (int i = 0; i < commands; i++) {
        char command[16];
        int amount, percent;
        if (scanf("%15s", command) != 1) {
            return 1;
        }
        if (strcmp(command, "ADD") == 0 && scanf("%d %d", &amount, &percent) == 2) {
            mass += amount;
            salt += amount * percent / 100.0;
        } else if (strcmp(command, "POUR") == 0 && scanf("%d", &amount) == 1) {
            int left = amount < mass ? mass - amount : 0;
            salt = left > 0 ? salt * left / mass : 0;
            mass = left;
        } else {
            printf("%.9f\n", mass > 0 ? salt / mass * 100 : 0.0);
        }
    }
    return 0;
}
