const fs = require("fs");

const [, ...commands] = fs.readFileSync(0, "utf8").trim().split("\n");

let mass = 0;
let salt = 0;
for (const line of commands) {
  const [command, amount, percent] = line.split(" ");
  if (command === "ADD") {
    mass += Number(amount);
    salt += (amount * percent) / 100;
  } else if (command === "POUR") {
    const left = Math.max(mass - amount, 0);
    salt = left > 0 ? (salt * left) / mass : 0;
    mass = left;
  } else {
    console.log(mass > 0 ? (salt / mass) * 100 : 0);
  }
}
