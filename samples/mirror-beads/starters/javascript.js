/**
 * @param {string} beads
 * @returns {number}
 */
function countMirrorPieces(beads) {
  return 0;
}
