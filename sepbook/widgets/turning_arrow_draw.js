// The two pictures of the turning arrow: the arrow in its plane with its shadow, and the shadow over time.
import { frame, grid, shaped } from "./explorer_axes.js";
import { disc } from "./explorer_canvas.js";
import { tip } from "./turning_arrow_phasor.js";

export const SHOWN = 10; // milliseconds
const REACH = 1.2;
const HEAD = 11; // pixels: the arrow's head

/** The plane: circle, arrow, and its shadow on the real axis. Returns the scales. */
export function drawPlane(canvas, settings, colours) {
  const [a, b] = tip(settings, settings.time);
  const { context, path, x, y } = frame(canvas, {
    x: { from: [-REACH, REACH], name: "real part", at: [-1, 0, 1] },
    y: { from: [-REACH, REACH], name: "imaginary part", at: [-1, 0, 1] },
    tallOf: shaped(1),
  }, colours);
  path(grid([0, 2 * Math.PI], 90).map((angle) => [settings.length * Math.cos(angle), settings.length * Math.sin(angle)]), colours.quiet, 1);
  path([[a, b], [a, 0]], colours.quiet, 1.5, [4, 4]);
  path([[0, 0], [a, 0]], colours.first, 5);
  path([[0, 0], [a, b]], colours.accent, 3);
  const [angle, at] = [Math.atan2(y(b) - y(0), x(a) - x(0)), [x(a), y(b)]];
  context.fillStyle = colours.accent;
  context.beginPath();
  context.moveTo(...at);
  for (const side of [2.7, -2.7]) context.lineTo(at[0] + HEAD * Math.cos(angle + side), at[1] + HEAD * Math.sin(angle + side));
  context.fill();
  context.fillStyle = colours.first;
  disc(context, [x(a), y(0)], 5);
  return { x, y };
}

/** The shadow over time, and where it is now. */
export function drawShadow(canvas, settings, colours) {
  const { context, path, x, y } = frame(canvas, {
    x: { from: [0, SHOWN], name: "time (ms)" },
    y: { from: [-REACH, REACH], name: "real part", at: [-1, 0, 1] },
    tallOf: (wide) => Math.min(308, Math.max(190, wide / 1.6)),
  }, colours);
  path(grid([0, SHOWN], 401).map((ms) => [ms, tip(settings, ms)[0]]), colours.first, 2.5);
  path([[settings.time, -REACH], [settings.time, REACH]], colours.quiet, 1);
  context.fillStyle = colours.first;
  disc(context, [x(settings.time), y(tip(settings, settings.time)[0])], 6);
}
