"use strict";
// Sorts a table by a column: durations and sizes by what they mean, text by its letters. Without it the page is whole.
const UNITS = { ns: 1, "µs": 1e3, ms: 1e6, s: 1e9, B: 1, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12, M: 1e6, G: 1e9, T: 1e12 };
function value(cell) {
  const match = /^[!*<>+\s]*(-?[\d,.]+(?:e[+-]?\d+)?)\s*([^\d\s(]*)/i.exec(cell.textContent.trim());
  if (!match) return null;
  return parseFloat(match[1].replace(/,/g, "")) * (UNITS[match[2].replace(/[×*]/g, "")] || 1);
}
function blocks(body) {
  const found = [];
  for (const row of body.rows) {
    if (row.cells[0].textContent.startsWith("↳") && found.length) found[found.length - 1].push(row);
    else found.push([row]);
  }
  return found;
}
function sort(table, column, button) {
  const ascending = button.closest("th").getAttribute("aria-sort") !== "ascending";
  const body = table.tBodies[0];
  const cell = (block) => block[0].cells[Math.min(column, block[0].cells.length - 1)];
  const sorted = blocks(body).sort((one, other) => {
    const [a, b] = [value(cell(one)), value(cell(other))];
    const order = a !== null && b !== null ? a - b
      : a === b ? cell(one).textContent.localeCompare(cell(other).textContent) : a === null ? 1 : -1;
    return ascending ? order : -order;
  });
  for (const head of table.tHead.rows[0].cells) head.removeAttribute("aria-sort");
  button.closest("th").setAttribute("aria-sort", ascending ? "ascending" : "descending");
  body.append(...sorted.flat());
}
// Shows the value of what is pointed at or touched in a chart. Without it the browser shows the same text, a little later.
function tell(tip, text, event) {
  tip.textContent = text;
  tip.hidden = !text;
  if (!text) return;
  tip.style.left = `${Math.max(8, Math.min(event.clientX + 12, innerWidth - tip.offsetWidth - 8))}px`;
  tip.style.top = `${Math.max(8, event.clientY - tip.offsetHeight - 12)}px`;
}
const tip = document.createElement("div");
tip.id = "value";
tip.hidden = true;
tip.setAttribute("aria-hidden", "true");
document.body.append(tip);
for (const title of document.querySelectorAll("svg g > title")) {
  const mark = title.parentNode, text = title.textContent;
  title.remove();
  for (const name of ["pointerover", "pointermove"]) mark.addEventListener(name, (event) => tell(tip, text, event));
  mark.addEventListener("pointerout", (event) => tell(tip, "", event));
}
addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });
for (const table of document.querySelectorAll("table")) {
  if (table.tBodies[0].rows.length < 2) continue;
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    if (!head.textContent.trim()) return;
    const button = document.createElement("button");
    button.textContent = head.textContent;
    head.textContent = "";
    head.append(button);
    button.addEventListener("click", () => sort(table, column, button));
  });
}
