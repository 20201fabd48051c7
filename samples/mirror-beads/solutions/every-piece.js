// Too slow: looks at every piece.
function countMirrorPieces(beads) {
  let pieces = 0;
  for (let first = 0; first < beads.length; first++) {
    let odd = 0;
    for (let last = first; last < beads.length; last++) {
      odd ^= 1 << (beads.charCodeAt(last) - 97);
      if ((odd & (odd - 1)) === 0) pieces++;
    }
  }
  return pieces;
}
