// The two pictures of the beats explorer: the sum over a second, and both tones and the sum from close by.
import { BASE, envelope, tones } from "./beats_sum.js";
import { frame, grid } from "./explorer_axes.js";

const REACH = 2.15; // of the upright axes: two tones that agree reach 2
const flat = (wide) => Math.min(200, Math.max(160, wide / 3));
const LEVELS = { from: [-REACH, REACH], name: "amplitude", at: [-2, -1, 0, 1, 2] };

/** One second of the sum, and the outline within which it swings. */
export function drawSecond(canvas, settings, colours) {
  const { context, path, x, y } = frame(canvas, { x: { from: [0, 1], name: "time (s)" }, y: LEVELS, tallOf: flat }, colours);
  const edge = (sign) => grid([0, 1], 601).map((seconds) => [seconds, sign * envelope(settings, seconds)]);
  const [above, below] = [edge(1), edge(-1)];
  Object.assign(context, { fillStyle: colours.accent, globalAlpha: 0.75 });
  context.beginPath();
  for (const [seconds, height] of [...above, ...below.reverse()]) context.lineTo(x(seconds), y(height));
  context.fill();
  context.globalAlpha = 1;
  for (const line of [above, below]) path(line, colours.ink, 2);
}

/** The first swings after a moment: both tones (thin) and the sum (thick). */
export function drawClose(canvas, settings, colours) {
  const swings = 4000 / BASE; // milliseconds: four swings of the first tone
  const { path } = frame(canvas, { x: { from: [0, swings], name: "time (ms)" }, y: LEVELS, tallOf: flat }, colours);
  const line = (name) => grid([0, swings], 301).map((ms) => [ms, tones(settings, ms / 1000)[name]]);
  path(line("sum"), colours.accent, 3.5);
  path(line("first"), colours.first, 1.6);
  path(line("second"), colours.second, 1.6, [6, 4]);
}
