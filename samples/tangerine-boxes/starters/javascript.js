const fs = require("fs");

const [tangerines, capacity] = fs.readFileSync(0, "utf8").split(/\s+/).map(Number);

let boxes = 0;
let missing = 0;
// Work out both numbers here.

console.log(boxes, missing);
