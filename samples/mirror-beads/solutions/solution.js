function countMirrorPieces(beads) {
  const colours = 10;
  // Which colours are odd so far, a bit for each, and how often every such state has been met.
  let odd = 0;
  const met = new Int32Array(1 << colours);
  met[odd] = 1;
  let pieces = 0;
  for (const bead of beads) {
    odd ^= 1 << (bead.charCodeAt(0) - 97);
    // At most one colour may be odd in a piece.
    pieces += met[odd];
    for (let colour = 0; colour < colours; colour++) {
      pieces += met[odd ^ (1 << colour)];
    }
    met[odd]++;
  }
  return pieces;
}
