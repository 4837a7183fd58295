// The two pictures of the memory explorer: the state over time, and the slopes on a logarithmic scale.
import { frame } from "./explorer_axes.js";

const LOWEST = -4; // of the slopes, as a power of ten of the largest
const POWERS = ["1", "0.1", "0.01", "0.001", "10⁻⁴"];

const across = (values, seconds) => ({ from: [0, values.length - 1], name: `frame (${(1000 * seconds).toFixed(0)} ms each)` });
const flat = (wide) => Math.min(210, Math.max(170, wide / 3.4));

/** The state with the note and without it. */
export function drawState(canvas, { played, silent }, seconds, colours) {
  const most = 1.1 * Math.max(0.05, ...played.map(Math.abs), ...silent.map(Math.abs));
  const { path } = frame(canvas, { x: across(played, seconds), y: { from: [-most, most], name: "state" }, tallOf: flat }, colours);
  path(silent.map((value, t) => [t, value]), colours.quiet, 2, [4, 4]);
  path(played.map((value, t) => [t, value]), colours.accent, 2.5);
}

/** How the last answer depends on each frame: the size of the slopes, as a part of the largest. */
export function drawSlopes(canvas, { slopes }, seconds, colours) {
  const most = Math.max(...slopes.map(Math.abs), 1e-300);
  const y = { from: [LOWEST, 0.15], name: "share of the largest", at: [0, -1, -2, -3, LOWEST], say: (power) => POWERS[-power] };
  const { path } = frame(canvas, { x: across(slopes, seconds), y, tallOf: flat }, colours);
  path([[0, -2], [slopes.length - 1, -2]], colours.quiet, 1, [5, 4]);
  const height = (slope) => Math.max(LOWEST, Math.log10(Math.max(Math.abs(slope) / most, 1e-300)));
  path(slopes.map((slope, t) => [t, height(slope)]), colours.accent, 2.5);
}
