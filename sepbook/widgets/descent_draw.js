// The two pictures of the descent explorer: a map of the loss with a walk on it, and the loss over the steps.
import { ground } from "./descent_steps.js";
import { frame, shaped } from "./explorer_axes.js";
import { disc, hidden, polyline } from "./explorer_canvas.js";

export const [WEST, EAST, SOUTH, NORTH] = [-1.6, 4.8, -3.2, 3.4]; // w and b at the edges of the map
const CELLS = 96; // shades from west to east
const BANDS = [0.41, 0.43, 0.46, 0.5, 0.55, 0.6, 0.7, 0.85, 1, 1.25, 1.5, 2, 2.5, 3];
const HIGHEST = 4; // a loss above it is drawn at the upper edge
const ROOM = { wide: 52, tall: 12 }; // pixels that words need beside their middle

/** Whether a place lies beyond the map. */
export const beyond = ([w, b]) => w < WEST || w > EAST || b < SOUTH || b > NORTH;

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

/** The map: shades, the lowest place, the walk with a dot per step, its start and its present end. Returns its scales. */
export function drawMap(canvas, { land, points, now, lowest, colours }) {
  const { context, x, y } = frame(canvas, {
    x: { from: [WEST, EAST], name: "w" },
    y: { from: [SOUTH, NORTH], name: "b" },
    tallOf: shaped((EAST - WEST) / (NORTH - SOUTH)),
  }, colours);
  const corner = [x(WEST), y(NORTH), x(EAST) - x(WEST), y(SOUTH) - y(NORTH)];
  context.save();
  context.beginPath();
  context.rect(...corner);
  context.clip(); // a walk may leave the map
  context.drawImage(land, ...corner);
  const place = ([w, b]) => [x(w), y(b)];
  const [left, down] = place(lowest);
  const cross = [[-7, 0], [7, 0], [0, 0], [0, -7], [0, 7]].map(([dx, dy]) => [left + dx, down + dy]);
  polyline(context, cross, { strokeStyle: colours.goal, lineWidth: 3 });
  const walked = points.slice(0, now + 1).map(place);
  polyline(context, walked, { strokeStyle: colours.walk, fillStyle: colours.walk, lineWidth: 1.5 });
  for (const [i, point] of walked.entries()) disc(context, point, i === now ? 5 : 2);
  const out = points.slice(0, now + 1).findIndex(beyond);
  if (out > 0) noteEdge(context, { at: walked[out], corner, text: `left at step ${out}`, colours });
  context.restore();
  Object.assign(context, { strokeStyle: colours.ink, lineWidth: 2 });
  context.beginPath();
  context.arc(...walked[0], 9, 0, 7);
  context.stroke();
  return { x, y };
}

/** A mark at the edge of the map and words beside it, where a walk leaves it. */
function noteEdge(context, { at, corner: [x, y, wide, tall], text, colours }) {
  const within = (room) => [Math.min(Math.max(at[0], x + room.wide), x + wide - room.wide), Math.min(Math.max(at[1], y + room.tall), y + tall - room.tall)];
  context.fillStyle = colours.walk;
  disc(context, within({ wide: 5, tall: 5 }), 8);
  const [across, up] = within(ROOM);
  Object.assign(context, { fillStyle: colours.ink, textAlign: "center" });
  context.fillText(text, across, up < y + tall / 2 ? up + 18 : up - 10);
}

/** The loss over all steps of the walk, with a mark at the present one. */
export function drawLosses(canvas, { heights, now, colours }) {
  const top = Math.min(Math.max(...heights), HIGHEST);
  const { context, path, x, y } = frame(canvas, {
    x: { from: [0, heights.length - 1], name: "step" },
    y: { from: [0, 1.05 * top], name: "loss" },
    tallOf: (wide) => Math.min(180, Math.max(140, wide / 3)),
  }, colours);
  const values = heights.map((height) => Math.min(height, top));
  path(values.map((value, k) => [k, value]), colours.walk, 2);
  context.fillStyle = colours.walk;
  disc(context, [x(now), y(values[now])], 5);
}
