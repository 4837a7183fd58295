// The two pictures of the loss explorer: a point in the plane over a loss, and a few samples.
import { frame, shaped } from "./explorer_axes.js";
import { disc, hidden, polyline } from "./explorer_canvas.js";
import { height } from "./waveform_loss_measures.js";

const [LEFT, RIGHT, TOP] = [-1.6, 2.4, 2.05]; // of the plane, in lengths of the source
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
  const rows = Math.round(TOP / cell);
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
  const { context, x, y } = frame(canvas, {
    x: { from: [LEFT, RIGHT], name: "how much source", at: [-1, 0, 1, 2] },
    y: { from: [0, TOP], name: "everything else", at: [0, 1, 2] },
    tallOf: shaped((RIGHT - LEFT) / TOP),
  }, colours);
  const at = (a, b) => [x(a), y(b)];
  context.imageSmoothingEnabled = false;
  context.drawImage(shades(loss, samples, colours.ink), x(LEFT), y(TOP), x(RIGHT) - x(LEFT), y(0) - y(TOP));
  const free = loss.startsWith("si");
  const [a, b] = [Math.min(Math.max(point[0], LEFT + 0.1), RIGHT - 0.1), Math.min(point[1], TOP - 0.1)];
  arrow(context, at(free ? a : 1, 0), at(a, b), colours.ink, 1.5, [5, 4]); // the error, from what it is measured from
  arrow(context, at(0, 0), at(1, 0), colours.source, 4);
  arrow(context, at(0, 0), at(a, b), colours.accent, 3);
  disc(context, at(a, b), 5);
  Object.assign(context, { fillStyle: colours.ink, font: "13px sans-serif", textAlign: "center" });
  context.fillText("source", x(0.5), y(0) - 8);
  const [ex, ey] = at(a, b);
  context.fillText("estimate", Math.min(Math.max(ex, x(LEFT) + 34), x(RIGHT) - 34), Math.max(Math.min(ey - 10, y(0) - 26), 20));
}

/** A few samples of the source and of the estimate. */
export function drawWave(canvas, { source, estimate, from, count, rate, colours }) {
  let most = 1e-6;
  for (let n = from; n < from + count; n++) most = Math.max(most, Math.abs(source[n]), Math.abs(estimate[n]));
  const [first, ms] = [(1000 * from) / rate, 1000 / rate];
  const { context, path, x, y } = frame(canvas, {
    x: { from: [first, first + count * ms], name: "time (ms)" },
    y: { from: [-1.1 * most, 1.1 * most], name: "amplitude" },
    tallOf: (wide) => Math.min(220, Math.max(150, wide / 3.2)),
  }, colours);
  const points = (values) => Array.from({ length: count }, (_, n) => [first + (n + 0.5) * ms, values[from + n]]);
  context.globalAlpha = 0.5;
  path(points(source), colours.quiet, 6);
  context.globalAlpha = 1;
  path(points(estimate), colours.accent, 2);
  context.fillStyle = colours.accent;
  for (const [time, value] of points(estimate)) disc(context, [x(time), y(value)], 2.5);
}
