#include <stdio.h>

int main(void) {
    long long tangerines, capacity;
    if (scanf("%lld %lld", &tangerines, &capacity) != 2) {
        return 1;
    }

    long long boxes = 0;
    long long missing = 0;
    // Work out both numbers here.

    printf("%lld %lld\n", boxes, missing);
    return 0;
}
