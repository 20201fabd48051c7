// Wrong: takes the first free table with enough seats, not the smallest one.
function seatGroups(tables, groups) {
  const free = [...tables];
  return groups.map((people) => {
    const number = free.findIndex((seats) => seats >= people);
    if (number >= 0) free[number] = 0;
    return number;
  });
}
