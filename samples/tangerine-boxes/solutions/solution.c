#include <stdio.h>

int main(void) {
    long long tangerines, capacity;
    if (scanf("%lld %lld", &tangerines, &capacity) != 2) {
        return 1;
    }
    long long boxes = (tangerines + capacity - 1) / capacity;
    printf("%lld %lld\n", boxes, boxes * capacity - tangerines);
    return 0;
}
