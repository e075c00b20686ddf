// A press on a heading sorts by its column, again the other way round; empty cells stay at the end.
for (const table of document.querySelectorAll("table.sortable")) {
  const headings = [...table.tHead.rows[0].cells], body = table.tBodies[0];
  const key = (row, i) => row.cells[i].dataset.value ?? row.cells[i].textContent.trim();
  const sort = (i, isDown) => {
    const isNumber = headings[i].dataset.kind === "number";
    const compared = (a, b) => {
      const x = key(a, i), y = key(b, i);
      if (x === "" || y === "") return (x === "") - (y === "");
      const order = isNumber ? x - y : x.localeCompare(y, "en", {numeric: true});
      return isDown ? -order : order;
    };
    body.append(...[...body.rows].sort(compared));
    headings.forEach((h, k) => h.setAttribute("aria-sort", k !== i ? "none" : isDown ? "descending" : "ascending"));
  };
  headings.forEach((heading, i) => heading.querySelector("button").addEventListener("click", () => {
    const sorted = heading.getAttribute("aria-sort");
    const isDown = sorted === "none" ? heading.dataset.best === "most" : sorted === "ascending";
    sort(i, isDown);
  }));
}
