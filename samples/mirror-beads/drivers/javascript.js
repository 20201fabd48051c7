{{code}}

// The driver: reads the arguments from standard input, one JSON value a line, calls
// countMirrorPieces and writes the result as one line of JSON to descriptor 3. What the function
// itself prints stays on standard output and is not judged. Where descriptor 3 is not open, the
// result goes to standard output, too.
{
  // Neither `require` nor `import`: which of them works depends on the solution.
  const fs = process.getBuiltinModule("node:fs");

  const lines = fs.readFileSync(0, "utf8").split("\n").filter((line) => line.trim() !== "");
  const result = countMirrorPieces(...lines.map((line) => JSON.parse(line)));

  const show = (value) => {
    if (ArrayBuffer.isView(value)) value = Array.from(value);
    if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`;
    return typeof value === "bigint" ? String(value) : (JSON.stringify(value) ?? "null");
  };
  const line = Buffer.from(`${show(result)}\n`);
  // Only a pipe: where none was opened, Node may have something of its own there.
  const isPipe = (descriptor) => {
    try {
      return fs.fstatSync(descriptor).isFIFO();
    } catch {
      return false;
    }
  };
  const descriptor = isPipe(3) ? 3 : 1;
  for (let written = 0; written < line.length; ) {
    written += fs.writeSync(descriptor, line, written);
  }
}
