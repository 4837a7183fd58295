// The picture of the activation explorer: a curve (line), its gradient (dashes), and a point on both.
import { bend } from "./activation_bend.js";
import { frame, grid } from "./explorer_axes.js";
import { disc } from "./explorer_canvas.js";

export const REACH = 8; // x goes from -REACH to REACH
const [LOW, HIGH] = [-1.7, 2.6];

/** Draw it, and return its scale to the right. */
export function drawCurves(canvas, { name, x, slope }, colours) {
  const drawn = frame(canvas, {
    x: { from: [-REACH, REACH], name: "x", at: [-8, -6, -4, -2, 0, 2, 4, 6, 8] },
    y: { from: [LOW, HIGH], name: "value, slope", at: [-1, 0, 1, 2] },
    tallOf: (wide) => Math.max(220, wide / 2.2),
  }, colours);
  const { context, path } = drawn;
  path([[-REACH, 0], [REACH, 0]], colours.quiet, 1);
  path([[0, LOW], [0, HIGH]], colours.quiet, 1);
  path([[x, LOW], [x, HIGH]], colours.accent, 1);
  context.save();
  context.beginPath();
  context.rect(drawn.x(-REACH), drawn.y(HIGH), drawn.x(REACH) - drawn.x(-REACH), drawn.y(LOW) - drawn.y(HIGH));
  context.clip(); // some curves leave the picture
  const all = grid([-REACH, REACH], 401);
  const smooth = ["sigmoid", "tanh", "linear"].includes(name);
  const pieces = smooth ? [all] : [all.filter((at) => at <= 0), all.filter((at) => at > 0)]; // where the gradient jumps there is no line
  for (const piece of pieces) path(piece.map((at) => [at, bend(name, at, slope)[1]]), colours.ink, 2, [6, 5]);
  path(all.map((at) => [at, bend(name, at, slope)[0]]), colours.accent, 3);
  context.restore();
  for (const [i, value] of bend(name, x, slope).entries()) {
    Object.assign(context, { fillStyle: i ? colours.paper : colours.accent, strokeStyle: i ? colours.ink : colours.accent, lineWidth: 2 });
    disc(context, [drawn.x(x), drawn.y(Math.min(Math.max(value, LOW), HIGH))], 6);
    context.stroke();
  }
  return drawn.x;
}
