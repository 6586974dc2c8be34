"use strict";
// The organisers' table: sorted by any column, kept sorted when it is refreshed; a row opens a player.
{
  const collator = new Intl.Collator(document.documentElement.lang, { numeric: true, sensitivity: "base" });
  let column = 0;
  let down = false;

  const value = (row) => {
    const cell = row.cells[column];
    return cell.querySelector(".nil") ? "" : cell.textContent.trim();
  };

  // What is empty stays at the end, whichever way one sorts.
  function compare([a], [b]) {
    if (!a || !b) return (a ? 0 : 1) - (b ? 0 : 1);
    return collator.compare(a, b) * (down ? -1 : 1);
  }

  function sort() {
    const table = document.querySelector("[data-sort]");
    const body = table.tBodies[0];
    const rows = [...body.querySelectorAll("[data-item]")].map((row) => [value(row), row]);
    body.append(...rows.sort(compare).map(([, row]) => row));
    [...table.tHead.rows[0].cells].forEach((head, i) => {
      if (i === column) head.setAttribute("aria-sort", down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
  }

  document.addEventListener("click", (event) => {
    const head = event.target.closest("[data-sort] thead th");
    if (!head) return open(event);
    down = head.cellIndex === column ? !down : "number" in head.dataset;
    column = head.cellIndex;
    sort();
  });

  function open(event) {
    const row = event.target.closest("[data-sort] tbody tr");
    if (row && !event.target.closest("a") && !getSelection().toString()) row.querySelector("a")?.click();
  }

  document.addEventListener("htmx:afterSwap", ({ detail }) => detail.target.id === "players-table" && sort());
  sort(); // as one's language does: Élise stands before Fleur
}
