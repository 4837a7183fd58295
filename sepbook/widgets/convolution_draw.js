// The picture of the convolution explorer: cells in SVG. Colours are in the style sheet, so that it follows the theme.
import { axes, counts, touched } from "./convolution_arithmetic.js";

const GAP = 1.6; // cells between the two rows, or the two grids
const [NAME, NUMBER] = [2.6, 0.7]; // cells beside and above a row for its name and the numbers of its places
const MANY = 13; // places of a grid that are all numbered; of more, every fifth
const SMALLEST = 15; // pixels of a cell: below it the picture scrolls

function svg(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function written(x, y, text, kind) {
  const label = svg("text", { x, y, class: kind });
  label.textContent = text;
  return label;
}

/** Numbers at the places of an axis that are no padding and are not cropped; `at(i)` gives where on the picture. */
function numbers({ first, count, from, to }, at, kind, every = 1) {
  const places = Array.from({ length: count }, (_, i) => i).filter((i) => first + i >= from && first + i < to && (first + i) % every === 0);
  return places.map((i) => written(...at(i), first + i, `cv-number ${kind}`));
}

function cell(x, y, text, kind) {
  const group = svg("g", { class: `cv-cell ${kind}` }, svg("rect", { x: x + 0.05, y: y + 0.05, width: 0.9, height: 0.9, rx: 0.12 }));
  if (text !== "") group.append(written(x + 0.5, y + 0.66, text, ""));
  return group;
}

/** Draw a geometry into a figure; returns `mark(place)`, which shows one position of the kernel. */
export function draw(figure, geometry) {
  const [{ fine, coarse }, many] = [axes(geometry), counts(geometry)];
  const plan = geometry.axes === 1 ? line(geometry, fine, coarse, many) : grid(geometry, fine, coarse, many);
  const picture = svg("svg", { viewBox: `${-plan.left - 0.1} ${-plan.top - 0.1} ${plan.left + plan.width + 0.2} ${plan.top + plan.height + 0.2}`, role: "img" }, ...plan.shapes);
  picture.style.minWidth = `${(plan.left + plan.width) * SMALLEST}px`;
  picture.style.maxWidth = `${(plan.left + plan.width) * 34}px`;
  figure.replaceChildren(picture);
  return (place, words) => {
    picture.setAttribute("aria-label", words);
    for (const old of picture.querySelectorAll(".cv-on")) old.classList.remove("cv-on");
    for (const shape of plan.mark(place)) shape?.classList.add("cv-on");
  };
}

const kindOf = (place, axis, role) => `cv-${role} ${place < axis.from || place >= axis.to ? "cv-outside" : ""}`;

/** One axis: a fine row, a coarse row whose cells stand over the middle of what they touch, and lines between them. */
function line(geometry, fine, coarse, many) {
  const { stride, padding, kernel, dilation, transposed } = geometry;
  const [rowFine, rowCoarse] = transposed ? [1 + GAP, 0] : [0, 1 + GAP];
  const [fineRole, coarseRole] = transposed ? ["out", "in"] : ["in", "out"];
  const middle = (dilation * (kernel - 1)) / 2;
  const cells = many.map((count, i) => cell(i, rowFine, count, kindOf(fine.first + i, fine, fineRole)));
  const ends = [];
  const wires = [];
  for (let t = 0; t < coarse.count; t++) {
    const x = t * stride + middle;
    ends.push(cell(x, rowCoarse, "", `cv-${coarseRole}`));
    const group = svg("g", { class: "cv-wires" });
    for (const place of touched(geometry, t)) {
      group.append(svg("line", { x1: x + 0.5, y1: transposed ? 1 : rowCoarse, x2: place + padding + 0.5, y2: transposed ? rowFine : 1 }));
    }
    wires.push(group);
  }
  const mark = ([t]) => [ends[t], wires[t], ...(ends[t] ? touched(geometry, t).map((place) => cells[place - fine.first]) : [])];
  const away = (row) => (row ? row + 1.5 : -0.2); // numbers stand outside: above the upper row, below the lower one
  const axis = [
    ...numbers(fine, (i) => [i + 0.5, away(rowFine)], ""),
    ...numbers(coarse, (t) => [t * stride + middle + 0.5, away(rowCoarse)], ""),
    ...["input", "output"].map((name, i) => written(-0.3, i === 0 ? 0.65 : GAP + 1.65, name, "cv-name")),
  ];
  return { left: NAME, top: NUMBER, width: fine.count, height: 2 + GAP + NUMBER, shapes: [...wires, ...cells, ...ends, ...axis], mark };
}

/** Two axes: the input on the left, the output on the right. */
function grid(geometry, fine, coarse, many) {
  const { transposed } = geometry;
  const tall = Math.max(fine.count, coarse.count);
  const marks = []; // names and numbers
  const make = (axis, left, role, text) => {
    const [found, above] = [[], (tall - axis.count) / 2];
    const every = axis.count > MANY ? 5 : 1;
    marks.push(
      written(left + axis.count / 2, above - 0.9, role === "in" ? "input" : "output", "cv-name cv-middle"),
      ...numbers(axis, (i) => [left + i + 0.5, above - 0.2], "", every),
      ...numbers(axis, (i) => [left - 0.15, above + i + 0.65], "cv-beside", every),
    );
    for (let row = 0; row < axis.count; row++) {
      for (let column = 0; column < axis.count; column++) {
        const [a, b] = [kindOf(axis.first + row, axis, role), kindOf(axis.first + column, axis, role)];
        const kind = a.length > b.length ? a : b; // outside along either axis
        found.push(cell(left + column, above + row, text ? text(row, column) : "", kind));
      }
    }
    return found;
  };
  const [leftFine, leftCoarse] = transposed ? [coarse.count + GAP, 0] : [0, fine.count + GAP];
  const cells = make(fine, leftFine, transposed ? "out" : "in", fine.count <= 20 ? (row, column) => many[row] * many[column] : null);
  const ends = make(coarse, leftCoarse, transposed ? "in" : "out", null);
  const mark = ([t, u]) => {
    const end = ends[t * coarse.count + u];
    if (!end) return [];
    const [rows, columns] = [touched(geometry, t), touched(geometry, u)];
    return [end, ...rows.flatMap((row) => columns.map((column) => cells[(row - fine.first) * fine.count + column - fine.first]))];
  };
  return { left: 1, top: 1.6, width: fine.count + GAP + coarse.count, height: tall, shapes: [...cells, ...ends, ...marks], mark };
}
