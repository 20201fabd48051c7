# Wrong: opens another box even when the last one is just full.
tangerines, capacity = map(int, input().split())
boxes = tangerines // capacity + 1
print(boxes, boxes * capacity - tangerines)
