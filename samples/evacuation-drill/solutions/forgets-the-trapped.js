// Wrong: people who cannot get out are left out of account.
const fs = require("fs");

const [size, ...lines] = fs.readFileSync(0, "utf8").split("\n");
const [rows, columns] = size.split(" ").map(Number);

const width = columns + 2;
const edge = "#".repeat(width);
const plan = edge + lines.slice(0, rows).map((line) => `#${line}#`).join("") + edge;

const distance = new Int32Array(plan.length).fill(-1);
const queue = [];
for (let cell = 0; cell < plan.length; cell++) {
  if (plan[cell] === "E") {
    distance[cell] = 0;
    queue.push(cell);
  }
}
let last = 0;
for (let head = 0; head < queue.length; head++) {
  const cell = queue[head];
  if (plan[cell] === "P") last = Math.max(last, distance[cell]);
  for (const step of [-width, width, -1, 1]) {
    const next = cell + step;
    if (plan[next] !== "#" && distance[next] < 0) {
      distance[next] = distance[cell] + 1;
      queue.push(next);
    }
  }
}
console.log(last);
