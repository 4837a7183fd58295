// The two pictures of the loss explorer: a point in the plane over a loss, and a few samples.
import { disc, fitted, hidden, polyline } from "./explorer_canvas.js";
import { height } from "./waveform_loss_measures.js";

const [LEFT, RIGHT, TOP] = [-1.6, 2.4, 2]; // of the plane, in lengths of the source
const LABEL = 24; // pixels below the axis, for a word
const CELLS = 120; // of the background from left to right
const BANDS = 10; // shades

function arrow(context, [x0, y0], [x1, y1], colour, lineWidth, dashes) {
  const angle = Math.atan2(y1 - y0, x1 - x0);
  polyline(context, [[x0, y0], [x1, y1]], { strokeStyle: colour, fillStyle: colour, lineWidth }, dashes);
  if (Math.hypot(x1 - x0, y1 - y0) < 8) return;
  context.beginPath();
  context.moveTo(x1, y1);
  for (const turn of [2.7, -2.7]) context.lineTo(x1 + 9 * Math.cos(angle + turn), y1 + 9 * Math.sin(angle + turn));
  context.fill();
}

/** A small canvas with one pixel for each cell of the upper half of the plane, in shades of one colour. */
function shades(loss, samples, colour) {
  const cell = (RIGHT - LEFT) / CELLS;
  const rows = Math.round((TOP + 0.05) / cell);
  const context = hidden(CELLS, rows);
  context.fillStyle = colour;
  for (let column = 0; column < CELLS; column++) {
    for (let row = 0; row < rows; row++) {
      const value = height(loss, LEFT + (column + 0.5) * cell, (row + 0.5) * cell, samples);
      context.globalAlpha = (0.45 * Math.round(BANDS * Math.min(1, Math.max(0, (value + 1.2) / 3)))) / BANDS;
      context.fillRect(column, rows - 1 - row, 1, 1);
    }
  }
  return context.canvas;
}

/** The plane: shades of the chosen loss, the source, the estimate, and the error that this loss measures. */
export function drawPlane(canvas, { loss, point, samples, colours }) {
  const { context, width, tall } = fitted(canvas, (wide) => (TOP * wide) / (RIGHT - LEFT) + LABEL);
  const unit = width / (RIGHT - LEFT);
  const at = (a, b) => [(a - LEFT) * unit, tall - LABEL - b * unit];
  context.imageSmoothingEnabled = false;
  context.drawImage(shades(loss, samples, colours.ink), ...at(LEFT, TOP + 0.05), width, (TOP + 0.05) * unit);
  arrow(context, at(LEFT, 0), at(RIGHT, 0), colours.quiet, 1);
  const free = loss.startsWith("si");
  const [a, b] = [Math.min(Math.max(point[0], LEFT + 0.1), RIGHT - 0.1), Math.min(point[1], TOP - 0.1)];
  arrow(context, at(free ? a : 1, 0), at(a, b), colours.ink, 1.5, [5, 4]); // the error, from what it is measured from
  arrow(context, at(0, 0), at(1, 0), colours.source, 4);
  arrow(context, at(0, 0), at(a, b), colours.accent, 3);
  disc(context, at(a, b), 5);
  Object.assign(context, { fillStyle: colours.ink, font: "13px sans-serif", textAlign: "center" });
  const [sx, sy] = at(1, 0);
  context.fillText("source", sx, sy + 16);
  const [ex, ey] = at(a, b);
  context.fillText("estimate", Math.min(Math.max(ex, 34), width - 34), Math.max(ey - 10, 14));
}

/** A few samples of the source and of the estimate. */
export function drawWave(canvas, { source, estimate, from, count, colours }) {
  const { context, width, tall } = fitted(canvas, (wide) => wide / (wide < 500 ? 3 : 5));
  let most = 1e-6;
  for (let n = from; n < from + count; n++) most = Math.max(most, Math.abs(source[n]), Math.abs(estimate[n]));
  const places = (values) => Array.from({ length: count }, (_, n) => [((n + 0.5) * width) / count, tall / 2 - (0.45 * tall * values[from + n]) / most]);
  polyline(context, places(source), { strokeStyle: colours.quiet, lineWidth: 6, lineJoin: "round", globalAlpha: 0.5 });
  polyline(context, places(estimate), { strokeStyle: colours.accent, fillStyle: colours.accent, lineWidth: 2, globalAlpha: 1 });
  for (const place of places(estimate)) disc(context, place, 2.5);
}
