tangerines, capacity = map(int, input().split())
boxes = -(-tangerines // capacity)
print(boxes, boxes * capacity - tangerines)
