function countTrips(weights, maxWeight, maxPeople) {
  let trips = 0;
  for (let next = 0; next < weights.length; ) {
    trips++;
    let weight = 0;
    const first = next;
    while (next < weights.length && next - first < maxPeople && weight + weights[next] <= maxWeight) {
      weight += weights[next++];
    }
  }
  return trips;
}
