days = int(input())
rain = list(map(int, input().split()))

for height in range(max(rain), 0, -1):
    bars = "".join("#" if amount >= height else " " for amount in rain)
    print(f"{height:2}|{bars.rstrip()}")
print("  +" + "-" * days)
