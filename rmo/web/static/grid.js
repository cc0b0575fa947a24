// The entry grid's comforts: Enter and the arrow keys move between cells, a block from Excel is pasted over them.
// Without this script the grid is a plain form. Cells are inputs with data-r and data-c; what is read-only is left alone.
"use strict";

// Reads what Excel puts on the clipboard: tabs, CRLF, and quotes around cells with tabs, quotes or line breaks.
function parsedBlock(text) {
  const rows = [[]];
  let cell = "";
  let quoted = false;
  const keep = () => { rows[rows.length - 1].push(cell.trim()); cell = ""; };
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at];
    if (quoted) {
      if (letter !== '"') cell += letter;
      else if (text[at + 1] === '"') { cell += '"'; at += 1; }
      else quoted = false;
    } else if (letter === '"' && cell === "") quoted = true;
    else if (letter === "\t") keep();
    else if (letter === "\n" || letter === "\r") {
      if (letter === "\r" && text[at + 1] === "\n") at += 1;
      keep();
      rows.push([]);
    } else cell += letter;
  }
  keep();
  while (rows.length > 1 && rows[rows.length - 1].every((entry) => entry === "")) rows.pop();
  return rows;
}

function cellAt(grid, row, column) {
  return grid.querySelector(`input[data-r="${row}"][data-c="${column}"]`);
}

function rowsOf(grid) {
  const numbers = [...grid.querySelectorAll("input[data-r]")].map((input) => Number(input.dataset.r));
  return [...new Set(numbers)].sort((first, second) => first - second);
}

function goTo(cell) {
  if (!cell) return false;
  cell.focus();
  cell.select();
  return true;
}

function moved(grid, cell, key) {
  const rows = rowsOf(grid);
  const at = rows.indexOf(Number(cell.dataset.r));
  const column = Number(cell.dataset.c);
  if (key === "ArrowLeft") return goTo(cellAt(grid, rows[at], column - 1));
  if (key === "ArrowRight") return goTo(cellAt(grid, rows[at], column + 1));
  return goTo(cellAt(grid, rows[at + (key === "ArrowUp" ? -1 : 1)], column));
}

function pressed(event, grid) {
  const cell = event.target;
  if (!cell.matches("input[data-r]") || event.ctrlKey || event.metaKey || event.altKey) return;
  const { key } = event;
  if (key === "Enter") {
    event.preventDefault(); // handing in is a button's work, not a slip of the finger
    moved(grid, cell, event.shiftKey ? "ArrowUp" : "ArrowDown");
  } else if (key === "ArrowUp" || key === "ArrowDown") {
    event.preventDefault();
    moved(grid, cell, key);
  } else if (key === "ArrowLeft" || key === "ArrowRight") {
    const edge = key === "ArrowLeft" ? 0 : cell.value.length;
    const whole = cell.selectionStart === 0 && cell.selectionEnd === cell.value.length;
    const atEdge = cell.selectionStart === edge && cell.selectionEnd === edge;
    if ((whole || atEdge) && moved(grid, cell, key)) event.preventDefault();
  }
}

function counted(number, one, many) {
  return `${number} ${number === 1 ? one : many}`;
}

function pasted(event, grid, status) {
  const first = event.target;
  if (!first.matches("input[data-r]")) return;
  const block = parsedBlock(event.clipboardData.getData("text/plain"));
  if (block.length === 1 && block[0].length === 1) return;
  event.preventDefault();
  const rows = rowsOf(grid);
  const start = rows.indexOf(Number(first.dataset.r));
  const column = Number(first.dataset.c);
  let filled = 0;
  let locked = 0;
  let outside = 0;
  block.forEach((entries, down) => entries.forEach((entry, along) => {
    const cell = cellAt(grid, rows[start + down], column + along);
    if (!cell) outside += 1;
    else if (cell.readOnly || cell.disabled) locked += 1;
    else if (entry !== "") {
      cell.value = entry;
      cell.dispatchEvent(new Event("input", { bubbles: true }));
      cell.dispatchEvent(new Event("change", { bubbles: true }));
      filled += 1;
    }
  }));
  const said = [`${counted(filled, "cell", "cells")} filled`];
  if (locked) said.push(`${counted(locked, "closed cell", "closed cells")} left alone`);
  if (outside) said.push(`${counted(outside, "value", "values")} did not fit and were left out`);
  status.textContent = `${said.join("; ")}. Nothing is handed in yet.`;
}

function statusOf(grid) {
  const given = grid.closest("form")?.querySelector("[data-grid-status]");
  if (given) return given;
  const status = document.createElement("p");
  status.className = "note";
  status.setAttribute("role", "status");
  grid.before(status);
  return status;
}

document.querySelectorAll("table.grid").forEach((grid) => {
  const status = statusOf(grid);
  grid.addEventListener("keydown", (event) => pressed(event, grid));
  grid.addEventListener("paste", (event) => pasted(event, grid, status));
});
