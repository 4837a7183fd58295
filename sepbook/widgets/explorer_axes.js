// The frame of a picture: a grid with round numbers, and what they measure.
import { fitted, polyline } from "./explorer_canvas.js";
import { minus } from "./explorer_parts.js";
import { scale, ticks } from "./explorer_scale.js";

const AROUND = { left: 58, right: 18, top: 8, bottom: 36 }; // pixels around the grid, for numbers and names

/** The height of a picture whose grid is `ratio` times as wide as it is tall, as a function of its width. */
export const shaped = (ratio) => (wide) => (wide - AROUND.left - AROUND.right) / ratio + AROUND.top + AROUND.bottom;

/**
 * Draw a frame on a canvas: `x` and `y` are { from: [low, high], name, at: where numbers are written, say: how };
 * `tallOf` gives the height of a width. Returns the context, the scales `x` and `y`, and `path`, which draws a line through values.
 */
export function frame(canvas, { x, y, tallOf }, colours) {
  const { context, width, tall } = fitted(canvas, tallOf);
  const across = scale(x.from, [AROUND.left, width - AROUND.right]);
  const up = scale(y.from, [tall - AROUND.bottom, AROUND.top]);
  context.fillStyle = colours.quiet;
  context.textAlign = "center";
  for (const value of x.at ?? ticks(...x.from, Math.max(2, width / 80))) {
    polyline(context, [[across(value), up(y.from[0])], [across(value), up(y.from[1])]], { strokeStyle: colours.line, lineWidth: 1 });
    context.fillText(said(x, value), across(value), tall - AROUND.bottom + 15);
  }
  context.fillText(x.name, (AROUND.left + width - AROUND.right) / 2, tall - 5);
  context.textAlign = "right";
  for (const value of y.at ?? ticks(...y.from, 5)) {
    polyline(context, [[across(x.from[0]), up(value)], [across(x.from[1]), up(value)]], { strokeStyle: colours.line, lineWidth: 1 });
    context.fillText(said(y, value), AROUND.left - 6, up(value) + 4);
  }
  upright(context, y.name, up, y.from);
  const path = (points, strokeStyle, lineWidth = 2, dashes = []) =>
    polyline(context, points.map(([a, b]) => [across(a), up(b)]), { strokeStyle, lineWidth, lineJoin: "round" }, dashes);
  return { context, x: across, y: up, path };
}

const said = ({ say }, value) => say?.(value) ?? minus(value);

/** Write the name of the upright axis from below to above. */
function upright(context, name, up, [low, high]) {
  context.save();
  context.textAlign = "center";
  context.translate(11, up((low + high) / 2));
  context.rotate(-Math.PI / 2);
  context.fillText(name, 0, 0);
  context.restore();
}

/** So many values at equal distance from `low` to `high`, both among them. */
export const grid = ([low, high], count) => Array.from({ length: count }, (_, i) => low + ((high - low) * i) / (count - 1));
