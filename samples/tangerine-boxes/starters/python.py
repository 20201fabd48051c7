tangerines, capacity = map(int, input().split())

boxes = 0
missing = 0
# Work out both numbers here.

print(boxes, missing)
