// The two pictures of the descent explorer: a map of the loss with a walk on it, and the loss over the steps.
import { ground } from "./descent_steps.js";
import { disc, fitted, hidden, polyline } from "./explorer_canvas.js";

export const [WEST, EAST, SOUTH, NORTH] = [-1.6, 4.8, -3.2, 3.4]; // w and b at the edges of the map
const CELLS = 96; // shades from west to east
const BANDS = [0.41, 0.43, 0.46, 0.5, 0.55, 0.6, 0.7, 0.85, 1, 1.25, 1.5, 2, 2.5, 3];

/** A small canvas whose shades say how high the ground is: each band is a little darker than the one below it. */
export function shaded(piles, colour) {
  const rows = Math.round((CELLS * (NORTH - SOUTH)) / (EAST - WEST));
  const context = hidden(CELLS, rows);
  context.fillStyle = colour;
  for (let i = 0; i < CELLS; i++) {
    for (let j = 0; j < rows; j++) {
      const w = WEST + ((i + 0.5) * (EAST - WEST)) / CELLS;
      const b = NORTH - ((j + 0.5) * (NORTH - SOUTH)) / rows;
      const { height } = ground(piles, [w, b]);
      context.globalAlpha = 0.035 * BANDS.filter((band) => band < height).length;
      context.fillRect(i, j, 1, 1);
    }
  }
  return context.canvas;
}

export function toPixel([w, b], width, tall) {
  return [((w - WEST) / (EAST - WEST)) * width, ((NORTH - b) / (NORTH - SOUTH)) * tall];
}

export function toWeights(x, y, width, tall) {
  return [WEST + (x / width) * (EAST - WEST), NORTH - (y / tall) * (NORTH - SOUTH)];
}

/** The map: shades, the lowest place, the walk with a dot per step, its start and its present end. */
export function drawMap(canvas, { land, points, now, lowest, colours }) {
  const { context, width, tall } = fitted(canvas, (wide) => wide / ((EAST - WEST) / (NORTH - SOUTH)));
  context.drawImage(land, 0, 0, width, tall);
  const place = (point) => toPixel(point, width, tall);
  const [x, y] = place(lowest);
  const cross = [[-7, 0], [7, 0], [0, 0], [0, -7], [0, 7]].map(([dx, dy]) => [x + dx, y + dy]);
  polyline(context, cross, { strokeStyle: colours.goal, lineWidth: 3 });
  const walked = points.slice(0, now + 1).map(place);
  polyline(context, walked, { strokeStyle: colours.walk, fillStyle: colours.walk, lineWidth: 1.5 });
  for (const [i, point] of walked.entries()) disc(context, point, i === now ? 5 : 2);
  Object.assign(context, { strokeStyle: colours.ink, lineWidth: 2 });
  context.beginPath();
  context.arc(...walked[0], 9, 0, 7);
  context.stroke();
  Object.assign(context, { fillStyle: colours.ink, font: "italic 14px sans-serif" });
  context.fillText("w →", width - 34, tall - 8);
  context.fillText("b ↑", 6, 18);
}

/** The loss over all steps of the walk, with a mark at the present one. */
export function drawLosses(canvas, { heights, now, colours }) {
  const { context, width, tall } = fitted(canvas, (wide) => wide / (wide < 420 ? 3 : 6));
  const top = Math.min(Math.max(...heights), 4);
  const at = (k) => [4 + (k / (heights.length - 1)) * (width - 8), tall - 4 - (Math.min(heights[k], top) / top) * (tall - 8)];
  polyline(context, heights.map((_, k) => at(k)), { strokeStyle: colours.walk, fillStyle: colours.walk, lineWidth: 2, lineJoin: "round" });
  disc(context, at(now), 5);
}
