// The two pictures of the valley explorer: the parabola with the steps on it, and the loss over the steps.
import { frame, grid } from "./explorer_axes.js";
import { disc } from "./explorer_canvas.js";
import { height, walk } from "./valley_steps.js";

export const REACH = 1.6; // of the picture, to both sides of the lowest place
export const STEPS = 30;
const flat = (wide) => Math.min(200, Math.max(150, wide / 3));

/** Both ends of the loss that is drawn. */
const losses = (valley) => [0, height(valley, valley.best + REACH)];

/** The parabola, a dot per step that is inside the picture, and a large one for the present step. */
export function drawValley(canvas, valley, settings, colours) {
  const across = [valley.best - REACH, valley.best + REACH];
  const axes = { x: { from: across, name: "the number m" }, y: { from: losses(valley), name: "loss" }, tallOf: (wide) => Math.min(280, wide / 2) };
  const { context, path, x, y } = frame(canvas, axes, colours);
  path(grid(across, 121).map((m) => [m, height(valley, m)]), colours.ink, 2);
  const inside = walk(valley, settings).map((m, k) => [m, k]).filter(([m]) => Math.abs(m - valley.best) <= REACH);
  path(inside.map(([m]) => [m, height(valley, m)]), colours.accent, 1.5, [4, 4]);
  context.fillStyle = colours.accent;
  for (const [m, k] of inside) disc(context, [x(m), y(height(valley, m))], k === settings.steps ? 7 : 3.5);
}

/** The loss over all steps, as far as it is inside the picture, and a mark at the present one. */
export function drawLosses(canvas, valley, settings, colours) {
  const [low, high] = losses(valley);
  const axes = { x: { from: [0, STEPS], name: "step" }, y: { from: [low, high], name: "loss" }, tallOf: flat };
  const { context, path, x, y } = frame(canvas, axes, colours);
  const all = walk(valley, { ...settings, steps: STEPS }).map((m, k) => [k, Math.min(height(valley, m), high)]);
  const out = all.findIndex(([, loss]) => loss === high);
  path(out < 0 ? all : all.slice(0, out + 1), colours.accent, 2);
  context.fillStyle = colours.accent;
  disc(context, [x(settings.steps), y(all[settings.steps][1])], 6);
}
