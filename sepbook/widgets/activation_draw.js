// The picture of the activation explorer: a curve (line), its gradient (dashes), and a point on both.
import { bend } from "./activation_bend.js";
import { disc, fitted, polyline } from "./explorer_canvas.js";
import { minus } from "./explorer_parts.js";

export const REACH = 8; // x goes from -REACH to REACH
const [LOW, HIGH] = [-1.7, 2.6];

export function drawCurves(canvas, { name, x, slope }, colours) {
  const { context, width, tall } = fitted(canvas, (wide) => Math.max(220, wide / 2.2));
  const across = (value) => ((value + REACH) / (2 * REACH)) * width;
  const up = (value) => ((HIGH - value) / (HIGH - LOW)) * tall;
  const path = (points, strokeStyle, lineWidth, dashes) =>
    polyline(context, points.map(([a, b]) => [across(a), up(b)]), { strokeStyle, lineWidth, lineJoin: "round" }, dashes);
  context.fillStyle = colours.quiet;
  for (const value of [-1, 0, 1, 2]) {
    path([[-REACH, value], [REACH, value]], value ? colours.line : colours.quiet, 1);
    context.fillText(minus(value), 4, up(value) - 3);
  }
  context.fillText("value, slope", 4, 13);
  context.textAlign = "center";
  context.fillText("x", across(REACH - 0.4), up(0) + 14);
  for (const value of [-6, -4, -2, 2, 4, 6]) context.fillText(minus(value), across(value), up(0) + 14);
  path([[0, LOW], [0, HIGH]], colours.quiet, 1);
  path([[x, LOW], [x, HIGH]], colours.accent, 1);
  const grid = Array.from({ length: 401 }, (_, i) => -REACH + (i * 2 * REACH) / 400);
  if (name === "sigmoid" || name === "tanh" || name === "linear") {
    path(grid.map((at) => [at, bend(name, at, slope)[1]]), colours.ink, 2, [6, 5]);
  } else { // the gradient jumps: two pieces, and nothing between them
    for (const half of [grid.filter((at) => at <= 0), grid.filter((at) => at > 0)]) {
      path(half.map((at) => [at, bend(name, at, slope)[1]]), colours.ink, 2, [6, 5]);
    }
  }
  path(grid.map((at) => [at, bend(name, at, slope)[0]]), colours.accent, 3);
  for (const [i, value] of bend(name, x, slope).entries()) {
    const y = Math.min(Math.max(up(value), 6), tall - 6);
    Object.assign(context, { fillStyle: i ? colours.paper : colours.accent, strokeStyle: i ? colours.ink : colours.accent, lineWidth: 2 });
    disc(context, [across(x), y], 6);
    context.stroke();
  }
}
