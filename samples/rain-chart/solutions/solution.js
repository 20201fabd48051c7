const fs = require("fs");

const [days, ...rest] = fs.readFileSync(0, "utf8").trim().split(/\s+/).map(Number);
const rain = rest.slice(0, days);

const lines = [];
for (let height = Math.max(...rain); height >= 1; height--) {
  const bars = rain.map((amount) => (amount >= height ? "#" : " ")).join("");
  lines.push(`${String(height).padStart(2)}|${bars.trimEnd()}`);
}
lines.push(`  +${"-".repeat(days)}`);
console.log(lines.join("\n"));
