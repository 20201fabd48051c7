/**
 * @param {number[]} weights
 * @param {number} maxWeight
 * @param {number} maxPeople
 * @returns {number}
 */
function countTrips(weights, maxWeight, maxPeople) {
  return 0;
}
