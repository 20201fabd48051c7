// Wrong: looks at the weight only.
function countTrips(weights, maxWeight, maxPeople) {
  let trips = 0;
  let total = maxWeight;
  for (const weight of weights) {
    if (total + weight > maxWeight) {
      trips++;
      total = 0;
    }
    total += weight;
  }
  return trips;
}
