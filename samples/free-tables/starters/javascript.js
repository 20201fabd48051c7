/**
 * @param {number[]} tables
 * @param {number[]} groups
 * @returns {number[]}
 */
function seatGroups(tables, groups) {
  return groups.map(() => -1);
}
