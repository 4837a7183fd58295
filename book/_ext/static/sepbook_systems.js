// The table of all systems: sorted by any column, narrowed by what a system reads and separates.

/** The number that a cell begins with, or its words. */
export function valueOf(words) {
  const number = words.trim().match(/^[−-]?\d+(\.\d+)?/);
  return number ? Number(number[0].replace("−", "-")) : words.trim();
}

/** Compare two cells: numbers by size, words by the alphabet, and a dash always last. */
export function compare(a, b, falling) {
  const [left, right] = [a, b].map(valueOf);
  if (left === "–" || right === "–") return (left === "–") - (right === "–");
  const order = typeof left === "number" && typeof right === "number" ? left - right : String(left).localeCompare(String(right));
  return falling ? -order : order;
}

function sortBy(table, column) {
  const heads = [...table.querySelectorAll("thead th")];
  const body = table.querySelector("tbody");
  const falling = heads[column].getAttribute("aria-sort") === "ascending";
  const cell = (row) => row.cells[column].textContent;
  const rows = [...body.rows].sort((a, b) => compare(cell(a), cell(b), falling));
  body.append(...rows);
  heads.forEach((head, i) => {
    if (i === column) head.setAttribute("aria-sort", falling ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  });
}

function makeHeads(table) {
  [...table.querySelectorAll("thead th")].forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    button.addEventListener("click", () => sortBy(table, column));
    head.replaceChildren(button);
  });
}

function narrow(table, chosen, count) {
  let shown = 0;
  for (const row of table.querySelector("tbody").rows) {
    row.hidden = Object.entries(chosen).some(([kind, mark]) => mark && !row.classList.contains(`${kind}-${mark}`));
    shown += !row.hidden;
  }
  count.textContent = `${shown} of ${table.querySelector("tbody").rows.length} systems`;
}

function makeChoices(place, table) {
  const chosen = {};
  const count = document.createElement("output");
  for (const [kind, marks] of Object.entries(JSON.parse(place.dataset.choices))) {
    const label = document.createElement("label");
    const select = document.createElement("select");
    select.append(new Option("all", ""), ...marks.map((mark) => new Option(mark.replaceAll("-", " "), mark)));
    select.addEventListener("change", () => {
      chosen[kind] = select.value;
      narrow(table, chosen, count);
    });
    label.append(`${kind} `, select);
    place.append(label);
  }
  place.append(count);
  narrow(table, chosen, count);
}

if (typeof document !== "undefined") {
  for (const box of document.querySelectorAll(".sepbook-systems-box")) {
    const table = box.querySelector("table.sepbook-systems");
    makeHeads(table);
    makeChoices(box.querySelector(".sepbook-systems-choices"), table);
  }
}
