const fs = require("fs");

const [tangerines, capacity] = fs.readFileSync(0, "utf8").split(/\s+/).map(Number);
// Both numbers stay below 2^53, so plain numbers are exact.
const boxes = Math.ceil(tangerines / capacity);
console.log(boxes, boxes * capacity - tangerines);
