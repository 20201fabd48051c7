const fs = require("fs");

const [size, ...lines] = fs.readFileSync(0, "utf8").split("\n");
const [rows, columns] = size.split(" ").map(Number);

// The plan as one text with a wall around it, so that no step leads out of it.
const width = columns + 2;
const edge = "#".repeat(width);
const plan = edge + lines.slice(0, rows).map((line) => `#${line}#`).join("") + edge;

const distance = new Int32Array(plan.length).fill(-1);
const queue = new Int32Array(plan.length);
let head = 0;
let tail = 0;
for (let cell = 0; cell < plan.length; cell++) {
  if (plan[cell] === "E") {
    distance[cell] = 0;
    queue[tail++] = cell;
  }
}
while (head < tail) {
  const cell = queue[head++];
  for (const step of [-width, width, -1, 1]) {
    const next = cell + step;
    if (plan[next] !== "#" && distance[next] < 0) {
      distance[next] = distance[cell] + 1;
      queue[tail++] = next;
    }
  }
}

let last = 0;
for (let cell = 0; cell < plan.length && last >= 0; cell++) {
  if (plan[cell] === "P") {
    last = distance[cell] < 0 ? -1 : Math.max(last, distance[cell]);
  }
}
console.log(last);
