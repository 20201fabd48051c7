function seatGroups(tables, groups) {
  const order = tables.map((_, number) => number).sort((a, b) => tables[a] - tables[b] || a - b);
  // From each place in that order, a step towards the first place from there on whose table is free.
  const following = Int32Array.from({ length: tables.length + 1 }, (_, place) => place);

  const firstFree = (place) => {
    while (following[place] !== place) {
      following[place] = following[following[place]];
      place = following[place];
    }
    return place;
  };
  const firstLargeEnough = (people) => {
    let low = 0;
    let high = order.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (tables[order[middle]] < people) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  return groups.map((people) => {
    const place = firstFree(firstLargeEnough(people));
    if (place === tables.length) return -1;
    following[place] = place + 1;
    return order[place];
  });
}
