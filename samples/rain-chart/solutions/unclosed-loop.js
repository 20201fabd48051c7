// Does not parse: the loop over the heights is never closed.
const fs = require("fs");

const [days, ...rest] = fs.readFileSync(0, "utf8").trim().split(/\s+/).map(Number);
const rain = rest.slice(0, days);

for (let height = Math.max(...rain); height >= 1; height--) {
  const bars = rain.map((amount) => (amount >= height ? "#" : " ")).join("");
  console.log(`${String(height).padStart(2)}|${bars.trimEnd()}`);

console.log(`  +${"-".repeat(days)}`);
