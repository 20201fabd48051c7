// Too slow: a search of its own for every person.
const fs = require("fs");

const [size, ...lines] = fs.readFileSync(0, "utf8").split("\n");
const [rows, columns] = size.split(" ").map(Number);

const width = columns + 2;
const edge = "#".repeat(width);
const plan = edge + lines.slice(0, rows).map((line) => `#${line}#`).join("") + edge;

function secondsToLeave(person) {
  const distance = new Map([[person, 0]]);
  const queue = [person];
  for (const cell of queue) {
    if (plan[cell] === "E") return distance.get(cell);
    for (const next of [cell - width, cell + width, cell - 1, cell + 1]) {
      if (plan[next] !== "#" && !distance.has(next)) {
        distance.set(next, distance.get(cell) + 1);
        queue.push(next);
      }
    }
  }
  return -1;
}

let last = 0;
for (let cell = 0; cell < plan.length && last >= 0; cell++) {
  if (plan[cell] === "P") {
    const seconds = secondsToLeave(cell);
    last = seconds < 0 ? -1 : Math.max(last, seconds);
  }
}
console.log(last);
