// Wrong: finds the last time at which the room is that crowded, not the first.
const fs = require("fs");

const [visitors, ...numbers] = fs.readFileSync(0, "utf8").trim().split(/\s+/).map(Number);

const starts = new Int32Array(visitors);
const ends = new Int32Array(visitors);
for (let i = 0; i < visitors; i++) {
  starts[i] = numbers[2 * i];
  ends[i] = numbers[2 * i + 1];
}
starts.sort();
ends.sort();

let most = 0;
let when = 0;
let left = 0;
for (let came = 0; came < visitors; came++) {
  while (ends[left] <= starts[came]) left++;
  const inside = came + 1 - left;
  if (inside >= most) {
    most = inside;
    when = starts[came];
  }
}
console.log(most, when);
